/// Why a state dict does not fit a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error(
    "the state does not fit the model: missing {missing:?}, unexpected {unexpected:?}, of another shape {mismatched:?}"
)]
pub struct StateDictError {
    /// Names the model has and the state lacks.
    pub missing: Vec<String>,
    /// Names the state has and the model lacks.
    pub unexpected: Vec<String>,
    /// Names both have, with different shapes.
    pub mismatched: Vec<ShapeMismatch>,
}

/// A tensor of another shape than the model's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// The dotted name.
    pub name: String,
    /// The model's shape.
    pub expected: Vec<usize>,
    /// The shape in the state.
    pub found: Vec<usize>,
}
