use std::cmp::Ordering;

use ndarray::{ArrayBase, Data, Dimension};

/// The area under the ROC curve: the probability that a positive sample scores above a negative one, a tie counting
/// half. Exact: it keeps all scores, 8 bytes per sample.
///
/// ```
/// use ndarray::array;
/// use wengert_data::metrics::RocAuc;
///
/// let mut auc = RocAuc::default();
/// auc.update(&array![0.9, 0.4, 0.4, 0.1], &[1, 1, 0, 0]);
/// assert_eq!(auc.value(), 3.5 / 4.0);
/// ```
#[derive(Clone, Debug, Default)]
#[doc(alias("roc_auc_score", "AUROC", "Mann-Whitney U"))]
pub struct RocAuc {
    negative: Vec<f64>,
    positive: Vec<f64>,
}

impl RocAuc {
    /// Adds a batch: `n` scores, `[n]` or `[n, 1]`, where more means positive; `n` labels, 1 for positive and 0 for
    /// negative.
    ///
    /// # Panics
    ///
    /// If there are not as many scores as labels, or a label is neither 0 nor 1.
    #[track_caller]
    pub fn update<A, S, D>(&mut self, scores: &ArrayBase<S, D>, labels: &[usize])
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        let fits = scores.len() == labels.len() && scores.shape().iter().skip(1).all(|&length| length == 1);
        assert!(fits, "scores of shape {:?} and {} labels: expected one each", scores.shape(), labels.len());
        if let Some(label) = labels.iter().find(|&&label| label > 1) {
            panic!("label {label}: expected 0 or 1");
        }
        for (&score, &label) in scores.iter().zip(labels) {
            let side = if label == 1 { &mut self.positive } else { &mut self.negative };
            side.push(score.into());
        }
    }

    /// Adds what `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.negative.extend_from_slice(&other.negative);
        self.positive.extend_from_slice(&other.positive);
    }

    /// The area, 0 to 1. NaN if one of the scores is, and where there are no positive or no negative samples, since
    /// then there is no curve.
    pub fn value(&self) -> f64 {
        let pairs = self.positive.len() as f64 * self.negative.len() as f64;
        if pairs == 0.0 || self.positive.iter().chain(&self.negative).any(|score| score.is_nan()) {
            return f64::NAN;
        }
        let order = |a: &f64, b: &f64| a.partial_cmp(b).unwrap_or(Ordering::Equal);
        let (mut negative, mut positive) = (self.negative.clone(), self.positive.clone());
        negative.sort_unstable_by(order);
        positive.sort_unstable_by(order);
        // For each positive sample the negative ones below it, and those not above it: twice the pairs that it wins.
        let (mut below, mut not_above, mut twice) = (0, 0, 0u128);
        for score in positive {
            below += negative[below..].iter().take_while(|&&other| other < score).count();
            not_above += negative[not_above..].iter().take_while(|&&other| other <= score).count();
            twice += below as u128 + not_above as u128;
        }
        twice as f64 / (2.0 * pairs)
    }
}
