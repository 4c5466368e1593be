use serde::Serialize;
use wengert_autodiff::{Real, Tensor};

/// How the elements of a tensor are distributed: quantiles of the finite ones, between two elements by a straight line
/// (NumPy's default). All are NaN where no element is finite.
#[doc(alias("percentile", "quantile"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// The smallest.
    pub min: f64,
    /// 5 % are below this.
    pub p5: f64,
    /// Half are below this.
    pub median: f64,
    /// 95 % are below this.
    pub p95: f64,
    /// The largest.
    pub max: f64,
    /// How many elements are NaN or infinite.
    pub not_finite: usize,
}

impl Quantiles {
    /// Of all elements.
    #[doc(alias = "of")]
    pub fn new<F: Real>(tensor: &Tensor<F>) -> Self {
        let mut sorted: Vec<f64> = tensor.iter().map(|x| x.as_f64()).filter(|x| x.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| quantile(&sorted, share);
        Self {
            min: at(0.0),
            p5: at(0.05),
            median: at(0.5),
            p95: at(0.95),
            max: at(1.0),
            not_finite: tensor.len() - sorted.len(),
        }
    }

    /// From `min` to `max`.
    pub fn as_array(&self) -> [f64; 5] {
        [self.min, self.p5, self.median, self.p95, self.max]
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
