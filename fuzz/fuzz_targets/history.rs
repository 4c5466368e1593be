//! The history of the example `mnist`, as its checkpoints hold it: what passes for possible comes back from JSON, and
//! its curves can be drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ndarray::Array3;
use wengert::data::ImageDataset;
use wengert_fuzz::{path, within_memory};

#[allow(dead_code)] // the target reads, and learns nothing
#[path = "../../examples/mnist/src/plots.rs"]
mod plots;
#[allow(dead_code)]
#[path = "../../examples/mnist/src/report.rs"]
mod report;

use report::{Epoch, Score};

fuzz_target!(|json: &str| {
    within_memory(json.len(), || {
        if let Ok(score) = serde_json::from_str::<Score>(json) {
            let _ = score.is_possible(60_000);
        }
        let Ok(history) = serde_json::from_str::<Vec<Epoch>>(json) else { return };
        // As `resume.rs` asks it; and at least one epoch is done before anything is drawn.
        let numbered = history.iter().zip(1..).all(|(epoch, number)| epoch.epoch == number);
        if history.is_empty() || !(numbered && history.iter().all(Epoch::is_possible)) {
            return;
        }
        let again = serde_json::to_string(&history).expect("JSON");
        assert_eq!(serde_json::from_str::<Vec<Epoch>>(&again).expect("what was written"), history);
        let test = ImageDataset::new(Array3::zeros((1, 2, 2)), vec![0], 1).expect("an image");
        plots::draw(&path(""), &history, &[], &test).expect("curves");
    });
});
