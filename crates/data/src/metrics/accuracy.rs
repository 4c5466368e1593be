use ndarray::{ArrayBase, ArrayView1, Data, Dimension};

use super::{ratio, rows};

/// The share of samples whose label has the largest score, or one of the `k` largest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias("top_k_accuracy", "accuracy_score"))]
pub struct Accuracy {
    k: usize,
    correct: usize,
    count: usize,
}

impl Accuracy {
    /// Of the largest score.
    #[expect(clippy::new_without_default, reason = "`Accuracy::top` is as good a default")]
    pub fn new() -> Self {
        Self::top(1)
    }

    /// Of the `k` largest scores. Of equal scores the first count as larger, as in [`argmax`](super::argmax), so that
    /// `top(1)` is the accuracy.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    #[track_caller]
    pub fn top(k: usize) -> Self {
        assert!(k > 0, "Accuracy::top(0): no label is among none");
        Self { k, correct: 0, count: 0 }
    }

    /// Adds a batch: scores `[n, classes]` of any kind (logits will do), and `n` labels.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or a label is not below `classes`.
    #[track_caller]
    pub fn update<A, S, D>(&mut self, scores: &ArrayBase<S, D>, labels: &[usize])
    where
        A: Copy + PartialOrd,
        S: Data<Elem = A>,
        D: Dimension,
    {
        for (row, &label) in rows(scores, labels).rows().into_iter().zip(labels) {
            assert!(label < row.len(), "label {label} of {} classes", row.len());
            self.record(place(row, label).is_some_and(|place| place < self.k));
        }
    }

    /// Adds one sample, by whether it was predicted correctly: for predictions that are not the largest of some scores,
    /// such as the sign of a single logit.
    pub fn record(&mut self, correct: bool) {
        self.correct += usize::from(correct);
        self.count += 1;
    }

    /// Adds what `other` has seen.
    ///
    /// # Panics
    ///
    /// If it looks at another number of scores.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        assert!(self.k == other.k, "the accuracies of the {} and of the {} largest scores", self.k, other.k);
        self.correct += other.correct;
        self.count += other.count;
    }

    /// The share, 0 to 1; 0 before the first sample.
    pub fn value(&self) -> f64 {
        ratio(self.correct, self.count)
    }

    /// How many samples were right.
    pub fn correct(&self) -> usize {
        self.correct
    }

    /// How many samples there were.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// How many scores go before that of `label`; `None` if one is NaN.
fn place<A: Copy + PartialOrd>(scores: ArrayView1<'_, A>, label: usize) -> Option<usize> {
    let own = scores[label];
    let mut before = 0;
    for (class, score) in scores.iter().enumerate() {
        score.partial_cmp(score)?;
        before += usize::from(*score > own || *score == own && class < label);
    }
    Some(before)
}
