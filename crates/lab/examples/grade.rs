//! Grades an RMSProp that lacks the square root. It should print that `scale-free` and `first-step` fail, each with the
//! smallest case, and end with the grade of the right rule, of which every law holds.
//!
//! ```text
//! cargo run -p wengert-lab --example grade
//! ```

use ndarray::Zip;
use wengert_autodiff::{Real, Tensor};
use wengert_lab::grade_as;
use wengert_optim::{HyperError, RmsProp, Rule, state};

/// `p ← p - η g / (v + ε)`, as one blog prints it.
#[derive(Clone, Debug)]
struct Rootless(RmsProp);

#[derive(Clone, Debug)]
struct MeanSquare<F: Real> {
    v: Tensor<F>,
}

state!(MeanSquare { v });

impl<F: Real> Rule<F> for Rootless {
    const NAME: &'static str = "Rootless";
    type State = MeanSquare<F>;

    fn check(&self) -> Result<(), HyperError> {
        Rule::<F>::check(&self.0)
    }

    fn init(&self, param: &Tensor<F>) -> MeanSquare<F> {
        MeanSquare { v: Tensor::zeros(param.raw_dim()) }
    }

    fn effective_lr(&self, _param: &Tensor<F>, state: &MeanSquare<F>) -> Tensor<F> {
        let (lr, eps) = (F::of(self.0.lr), F::of(self.0.eps.value()));
        state.v.mapv(|v| lr / (v + eps)).into_shared()
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut MeanSquare<F>) {
        let (lr, rho, eps) = (F::of(self.0.lr), F::of(self.0.rho), F::of(self.0.eps.value()));
        Zip::from(param).and(grad).and(&mut state.v).for_each(|p, &g, v| {
            *v = rho * *v + (F::ONE - rho) * g * g;
            *p -= lr * g / (*v + eps);
        });
    }
}

fn main() {
    let meant = RmsProp::default();
    let wrong = grade_as(Rootless(meant), meant);
    println!("{wrong}\n{}", grade_as(meant, meant));
    assert!(wrong.failed().contains(&"scale-free") && wrong.failed().contains(&"first-step"));
}
