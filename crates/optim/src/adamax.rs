use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::average::{Average, correction, normal};
use crate::each::{each, elements_mut, gradient};
use crate::rule::Check;
use crate::slot::full;
use crate::weight_decay::Descent;
use crate::{Epsilon, HyperError, Memory, Of, Rule, WeightDecay, state};

/// Adamax, Adam with the largest gradient in place of the root mean square (Kingma and Ba, "Adam: A Method for Stochastic
/// Optimization", 2015, section 7.1).
///
/// ```text
/// g ← g + λ p                     L2 weight decay
/// m ← β₁ m + (1 - β₁) g           m starts at 0
/// u ← max(β₂ u, |g| + ε)          u starts at 0; ε inside the maximum
/// p ← p - η / (1 - β₁ᵗ) m / u     ε outside: m / (u + ε)
/// ```
///
/// There is no root here: ε has the unit of a gradient in either place, and since `u` needs no bias correction,
/// [`Uncorrected`](Epsilon::Uncorrected) means the same as [`Outside`](Epsilon::Outside).
///
/// The defaults are PyTorch's. Keras has `lr: 1e-3` and `eps: Epsilon::Outside(1e-7)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adamax {
    /// η, the learning rate: 2e-3.
    pub lr: f64,
    /// β₁, the decay of `m`: 0.9.
    pub beta1: f64,
    /// β₂, the decay of `u`: 0.999.
    pub beta2: f64,
    /// ε and its place: `Inside(1e-8)`.
    pub eps: Epsilon,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for Adamax {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: Epsilon::Inside(1e-8),
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`Adamax`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamaxState<F: Real = f32> {
    /// The average of the gradient, in the tensor's shape.
    pub m: Tensor<F>,
    /// The largest size of a gradient, slowly forgotten.
    pub u: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(AdamaxState { m, u, steps });

impl<F: Real> Rule<F> for Adamax {
    const NAME: &'static str = "Adamax";
    type State = AdamaxState<F>;

    fn check(&self) -> Result<(), HyperError> {
        let check = Check(<Self as Rule<F>>::NAME)
            .not_negative("lr", self.lr)?
            .decay("beta1", self.beta1)?
            .decay("beta2", self.beta2)?;
        self.weight_decay.check(self.eps.check::<F>(check)?)?;
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> AdamaxState<F> {
        AdamaxState { m: full(param, F::ZERO), u: full(param, F::ZERO), steps: 0 }
    }

    fn effective_lr(&self, _param: &Tensor<F>, state: &AdamaxState<F>) -> Tensor<F> {
        let (lr, (inside, outside)) = (F::of(self.lr), self.split_eps());
        // After the first step `u` is at least ε inside, before it zero.
        state.u.mapv(|u: F| lr / (u.max(inside) + outside)).into_shared()
    }

    fn memories(&self) -> Vec<Memory> {
        vec![Memory::mean("m", Of::Gradient, self.beta1)]
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut AdamaxState<F>) {
        state.steps += 1;
        let descent = Descent::new(self.maximize, self.weight_decay, self.lr);
        let (beta1, beta2) = (Average::new(self.beta1), F::of(self.beta2));
        let (inside, outside): (F, F) = self.split_eps();
        let lr = F::of(self.lr * correction(self.beta1, state.steps));
        let grad = gradient(grad, param);
        each(
            (((elements_mut(param), &*grad), elements_mut(&mut state.m)), elements_mut(&mut state.u)),
            |(((p, &g), m), u)| {
                let g = descent.gradient(*p, g);
                *m = beta1.next(*m, g);
                *u = normal((beta2 * *u).max(g.abs() + inside));
                *p = descent.kept(*p) - lr * *m / (*u + outside);
            },
        );
    }
}

impl Adamax {
    /// ε inside and outside the maximum, of which one is zero.
    fn split_eps<F: Real>(&self) -> (F, F) {
        match self.eps {
            Epsilon::Inside(eps) => (F::of(eps), F::ZERO),
            Epsilon::Outside(eps) | Epsilon::Uncorrected(eps) => (F::ZERO, F::of(eps)),
        }
    }
}
