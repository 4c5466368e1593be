/// What a decoder asks for and what it finds instead.
#[derive(Debug)]
pub(in crate::checkpoint) struct FormatError {
    pub(in crate::checkpoint) expected: String,
    pub(in crate::checkpoint) found: String,
}

impl FormatError {
    pub(in crate::checkpoint) fn new(expected: impl Into<String>, found: impl ToString) -> Self {
        Self { expected: expected.into(), found: found.to_string() }
    }
}
