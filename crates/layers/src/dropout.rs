use ndarray::Zip;
use rand::RngExt;
use serde::{Deserialize, Deserializer, Serialize, de};
use wengert_autodiff::{Real, Tensor, Var};

use crate::Layer;
use crate::layer::without_parameters;

/// Sets each value to zero with probability `p` and divides the others by `1 - p`, so that the expectation stays
/// (Srivastava et al., 2014). On an inference tape it is the identity.
///
/// The random numbers are the tape's: make it with [`Tape::with_seed`](wengert_autodiff::Tape::with_seed). Drawing 16
/// bits takes half the time of 32, so `p` is rounded to a multiple of 2⁻¹⁶, in the divisor as well as in the draw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dropout {
    #[serde(deserialize_with = "deserialize")]
    p: f64,
}

without_parameters!(Dropout);

impl Dropout {
    /// `p` is the probability of a zero. With 0 the layer is the identity, with 1 it gives zeros.
    ///
    /// # Panics
    ///
    /// Unless `0 ≤ p ≤ 1`.
    #[track_caller]
    pub fn new(p: f64) -> Self {
        match checked(p) {
            Ok(p) => Self { p },
            Err(refusal) => panic!("{refusal}"),
        }
    }

    /// The probability of a zero.
    pub fn p(&self) -> f64 {
        self.p
    }
}

impl<F: Real> Layer<F> for Dropout {
    /// # Panics
    ///
    /// If the tape records and has no random numbers.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        if x.tape().is_inference() || self.p == 0.0 {
            return x;
        }
        let threshold = (self.p * 65536.0).round();
        let kept = if threshold < 65536.0 { F::from_f64(65536.0 / (65536.0 - threshold)) } else { F::ZERO };
        let value = x.value();
        let mut draws = vec![0_u16; value.len()];
        x.tape().with_rng(|rng| rng.fill(&mut draws));
        let mask =
            draws.iter().map(|&draw| if f64::from(draw) < threshold { F::ZERO } else { kept }).collect();
        let mask = Tensor::from_shape_vec(value.raw_dim(), mask).expect("one draw per value");
        // Selected: 0 times an infinite number is NaN.
        let dropped_out = |x: &Tensor<F>, mask: &Tensor<F>| {
            let select = |&x: &F, &mask: &F| if mask == F::ZERO { F::ZERO } else { x * mask };
            Zip::from(x).and(mask).map_collect(select).into_shared()
        };
        let y = dropped_out(&value, &mask);
        let dx = x.edge(move |dy| dropped_out(&dy, &mask));
        x.tape().record("dropout", y, [dx])
    }
}

fn checked(p: f64) -> Result<f64, String> {
    let valid = (0.0..=1.0).contains(&p);
    valid.then_some(p).ok_or_else(|| format!("`Dropout` needs a probability between 0 and 1, not {p}"))
}

/// A file may not hold what [`Dropout::new`] refuses.
fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(f64::deserialize(deserializer)?).map_err(de::Error::custom)
}
