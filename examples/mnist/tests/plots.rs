//! The pictures of runs that are hard to draw.

#[allow(dead_code)]
#[path = "../src/plots.rs"]
mod plots;
#[allow(dead_code)]
#[path = "../src/report.rs"]
mod report;

use std::fs;

use report::{Epoch, Mistake};
use wengert::data::ImageDataset;
use wengert::ndarray::Array3;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// A run by the losses and accuracies of its epochs.
fn history(epochs: &[[f64; 4]]) -> Vec<Epoch> {
    let epoch = |(epoch, &[train_loss, test_loss, train_accuracy, test_accuracy]): (u32, &[f64; 4])| Epoch {
        epoch,
        train_loss,
        train_accuracy,
        test_loss,
        test_accuracy,
    };
    (1..).zip(epochs).map(epoch).collect()
}

#[test]
fn every_history_has_a_picture_with_the_points_that_can_be_drawn() {
    let directory = tempfile::tempdir().unwrap();
    let images = Array3::from_shape_fn((2, 3, 3), |(i, y, x)| (i * 100 + y * 40 + x) as u8);
    let test = ImageDataset::new(images, vec![0, 1], 2).unwrap();
    let wrong = |probability| Mistake { index: 1, label: 1, prediction: 0, probability };
    let cases: [(&str, &[[f64; 4]]); 12] = [
        ("nothing", &[]),
        ("one epoch", &[[0.5, 0.6, 0.9, 0.8]]),
        ("perfect", &[[0.0, 0.0, 1.0, 1.0]; 3]),
        ("nothing learnt", &[[2.3, 2.3, 0.1, 0.1]; 3]),
        ("hopeless", &[[2.3, 2.3, 0.0, 0.0]; 3]),
        ("no numbers", &[[NAN; 4]; 3]),
        ("no number first", &[[NAN; 4], [0.5, 0.6, 0.9, 0.8], [0.4, 0.5, 0.91, 0.81]]),
        ("no number between", &[[0.5, 0.6, 0.9, 0.8], [NAN; 4], [0.4, 0.5, 0.91, 0.81]]),
        ("infinite", &[[INF, INF, 0.1, 0.1]; 2]),
        ("diverging", &[[0.5, 0.6, 0.9, 0.8], [1e30, INF, 0.1, 0.1], [NAN, NAN, 0.1, 0.1]]),
        ("largest", &[[f64::MAX, f64::MIN_POSITIVE, 0.5, 0.5]; 2]),
        ("impossible", &[[-1.0, -INF, 2.0, -3.0]; 2]),
    ];
    for (name, epochs) in cases {
        for mistakes in [vec![], vec![wrong(0.9), wrong(f32::NAN)]] {
            plots::draw(directory.path(), &history(epochs), &mistakes, &test)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let curves = fs::read_to_string(directory.path().join(plots::FILES[0])).unwrap();
        let drawable = epochs.iter().flatten().filter(|y| y.is_finite()).count();
        assert_eq!(curves.matches("<circle").count(), drawable, "{name}");
        assert!(!curves.contains("NaN") && !curves.contains("inf"), "{name}");
        // Both panels have both names, whatever is drawn.
        assert_eq!(curves.matches("training").count(), 2, "{name}");
    }
}
