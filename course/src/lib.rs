//! The exercises of the course as text, for the command `wengert course`.
//!
//! The design decision: an exercise is a folder with a text, a stub and tests, and nothing that only this crate knows.
//! The command writes a folder out as a crate; `check/` compiles the stub, the solution and wrong solutions against the
//! same tests. The alternative, a crate for each of the hundred answers, would take minutes to build.
#![forbid(unsafe_code)]

/// One exercise.
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    /// The number and a word or two: `07_rmsprop`.
    pub name: &'static str,
    /// What it asks for, in Markdown; the first line is its title.
    pub text: &'static str,
    /// `src/lib.rs` to begin with.
    pub stub: &'static str,
    /// `tests/check.rs`.
    pub tests: &'static str,
}

/// `Cargo.toml` of every exercise. `NAME`, `WENGERT` and `LAB` stand for what is to be put there: the exercise, and
/// where the crates `wengert` and `wengert-lab` are.
pub const MANIFEST: &str = include_str!("../exercise.toml");

impl Exercise {
    /// The first line of the text, without its mark.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or("").trim_start_matches("# ")
    }

    /// What its tests do not look at: the end of the text.
    pub fn untested(&self) -> &'static str {
        self.text.split("## Not tested").nth(1).unwrap_or("").trim()
    }
}

macro_rules! exercises {
    ($($name:literal)*) => {
        &[$(Exercise {
            name: $name,
            text: include_str!(concat!("../exercises/", $name, "/README.md")),
            stub: include_str!(concat!("../exercises/", $name, "/src/lib.rs")),
            tests: include_str!(concat!("../exercises/", $name, "/tests/check.rs")),
        }),*]
    };
}

/// All exercises, in order.
pub static EXERCISES: &[Exercise] = exercises! {
    "01_scalar_tape"
    "02_array_tape"
    "03_dense"
    "04_softmax"
    "05_momentum"
    "06_adagrad"
    "07_rmsprop"
    "08_centered"
    "09_adam"
    "10_batch_norm"
    "11_initialisation"
    "12_digits"
    "13_resume"
    "14_own_op"
    "15_limit_cycle"
};
