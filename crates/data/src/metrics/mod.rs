//! How good predictions are: accuracy, the confusion matrix and what follows from it, ROC AUC, errors of numbers.
//!
//! Each is updated batch by batch and asked at the end. Counts are integers and sums `f64`, so the result does not
//! depend on how the samples were divided, except for the last bits of the sums. `merge` adds what another has seen.
//!
//! ```
//! use ndarray::array;
//! use wengert_data::metrics::{Accuracy, Average, Confusion};
//!
//! let (mut accuracy, mut confusion) = (Accuracy::new(), Confusion::new(3));
//! for (logits, labels) in [
//!     (array![[2.0, 1.0, 0.0], [0.0, 0.5, 0.1]], vec![0, 1]),
//!     (array![[0.0, 3.0, 1.0], [1.0, 0.0, 5.0]], vec![2, 2]),
//! ] {
//!     accuracy.update(&logits, &labels);
//!     confusion.update(&logits, &labels);
//! }
//! assert_eq!(accuracy.value(), 0.75);
//! assert_eq!(confusion.counts(), array![[1, 0, 0], [0, 1, 0], [0, 1, 1]]); // a row per label
//! assert_eq!(confusion.precision(Average::Macro), (1.0 + 0.5 + 1.0) / 3.0);
//! ```
//!
//! Scores of a network that has diverged do not end the program: a sample with NaN among its scores has no prediction
//! and counts as wrong, and where numbers are summed or ordered the result is NaN. What is 0/0 is 0, as scikit-learn
//! has it with `zero_division=0`, unless a method says otherwise.

mod accuracy;
mod confusion;
mod regression;
mod roc_auc;

use ndarray::{ArrayBase, ArrayView2, Data, Dimension, Ix2};

pub use accuracy::Accuracy;
pub use confusion::{Average, ClassCounts, Confusion};
pub use regression::Regression;
pub use roc_auc::RocAuc;

/// The place of the largest score, the first of equals; `None` if there is no score, or one of them is NaN.
///
/// ```
/// use wengert_data::metrics::argmax;
///
/// assert_eq!(argmax(&[0.5, 2.0, 2.0]), Some(1));
/// assert_eq!(argmax(&[f32::NEG_INFINITY; 2]), Some(0));
/// assert_eq!(argmax(&[0.5, f32::NAN]), None);
/// ```
pub fn argmax<'a, A: Copy + PartialOrd + 'a>(scores: impl IntoIterator<Item = &'a A>) -> Option<usize> {
    let mut best: Option<(usize, A)> = None;
    for (place, &score) in scores.into_iter().enumerate() {
        score.partial_cmp(&score)?;
        if best.is_none_or(|(_, best)| score > best) {
            best = Some((place, score));
        }
    }
    best.map(|(place, _)| place)
}

/// Scores `[n, classes]`, one row for each label.
#[track_caller]
fn rows<'a, A, S, D>(scores: &'a ArrayBase<S, D>, labels: &[usize]) -> ArrayView2<'a, A>
where
    S: Data<Elem = A>,
    D: Dimension,
{
    match scores.view().into_dimensionality::<Ix2>() {
        Ok(rows) if rows.nrows() == labels.len() => rows,
        _ => {
            panic!("scores of shape {:?} and {} labels: expected [n, classes]", scores.shape(), labels.len())
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
