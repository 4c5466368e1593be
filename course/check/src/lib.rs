//! All answers to the exercises of the course, compiled: see `build.rs`.

/// An answer to an exercise.
pub struct Answer {
    /// The name of the exercise.
    pub exercise: &'static str,
    /// `stub`, `solution`, or what is wrong.
    pub answer: &'static str,
    /// A part of what the tests must say of a wrong answer.
    pub expected: &'static str,
    /// The tests of the exercise, on this answer.
    pub tests: &'static [(&'static str, fn())],
}

#[allow(missing_docs, dead_code, unused, clippy::all)]
mod answers {
    use super::Answer;

    include!(concat!(env!("OUT_DIR"), "/answers.rs"));
}

pub use answers::ANSWERS;
