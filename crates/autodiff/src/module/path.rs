/// The dotted name of the place a visit has reached.
#[doc(alias = "Path")]
#[derive(Debug, Default)]
pub struct ModulePath(String);

impl ModulePath {
    /// Runs `visit` one level further down, at `name`.
    pub fn enter<T>(&mut self, name: &str, visit: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        if length > 0 {
            self.0.push('.');
        }
        self.0.push_str(name);
        let result = visit(self);
        self.0.truncate(length);
        result
    }

    /// The name as it stands, such as `"hidden.weight"`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
