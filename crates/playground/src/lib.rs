//! A page in the browser on which optimizers walk and networks learn: its program, and the page.
//!
//! The program answers questions: one line of JSON each way. On the page it is WebAssembly; the tests ask it directly.
//!
//! The design decision: the page computes with the crates as they are, and its script only draws. A playground that
//! knew the rules by heart would be a second implementation, and show its own faults instead of ours.
//!
//! The guide has [a chapter about it].
//!
//! [a chapter about it]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/browser.md
#![forbid(unsafe_code)]

mod catalogue;
#[cfg(target_family = "wasm")]
mod door;
mod learn;
#[cfg(not(target_family = "wasm"))]
mod page;
mod rules;
mod walk;

use serde::{Deserialize, Serialize};
use serde_json::json;

use learn::{Lesson, Strokes, Task};
use rules::Choice;
use walk::Walk;

#[cfg(not(target_family = "wasm"))]
pub use page::page;

/// What the page can ask.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Question {
    /// The landscapes, and the rules with their options.
    Catalogue,
    /// The level lines of a landscape at a step.
    Contours { landscape: String, step: u64 },
    /// Where rules walk from a point.
    Walk(Walk),
    /// Begins anew: one network for each rule. The drawings stay.
    Learn { task: Task, rules: Vec<Choice>, seed: u64 },
    /// Some steps of training.
    Train { steps: usize },
    /// What the networks say of a grid of points of XOR's plane.
    Plane { side: usize },
    /// What the networks read in a drawing.
    Read { strokes: Strokes },
    /// Adds a drawing to the digits to learn from.
    Teach { strokes: Strokes, label: u8 },
}

/// The program behind the page. It remembers the networks that it trains.
#[derive(Default)]
pub struct Playground {
    lesson: Option<Lesson>,
}

impl Playground {
    /// The answer to a question, both JSON. A question that makes no sense is answered with `{"error": "…"}`, and
    /// changes nothing.
    ///
    /// ```
    /// let question = r#"{"walk": {"landscape": "saddle", "start": [1, 0], "steps": 1,
    ///     "rules": [{"rule": "Sgd", "options": {"lr": 0.5}}]}}"#;
    /// let answer = wengert_playground::Playground::default().answer(question);
    /// assert!(answer.contains(r#""x":[1.0,0.5]"#), "{answer}");
    /// ```
    pub fn answer(&mut self, question: &str) -> String {
        let question = serde_json::from_str(question).map_err(|error| error.to_string());
        let answer = question.and_then(|question| self.ask(question));
        answer.unwrap_or_else(|error| json!({ "error": error }).to_string())
    }

    fn ask(&mut self, question: Question) -> Result<String, String> {
        match question {
            Question::Catalogue => text(&catalogue::catalogue()),
            Question::Contours { landscape, step } => text(&catalogue::place(&landscape)?.contours(step)),
            Question::Walk(walk) => text(&walk.answer()?),
            Question::Learn { task, rules, seed } => {
                let lesson = Lesson::new(task, &rules, seed)?.after(self.lesson.take());
                text(&self.lesson.insert(lesson).taught())
            }
            Question::Train { steps } => text(&self.lesson()?.train(steps)?),
            Question::Plane { side } => text(&self.lesson()?.plane(side)?),
            Question::Read { strokes } => text(&self.lesson()?.read(&strokes)?),
            Question::Teach { strokes, label } => text(&self.lesson()?.teach(&strokes, label)?),
        }
    }

    fn lesson(&mut self) -> Result<&mut Lesson, String> {
        self.lesson.as_mut().ok_or_else(|| "there is no network yet".to_owned())
    }
}

fn text(answer: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(answer).map_err(|error| error.to_string())
}
