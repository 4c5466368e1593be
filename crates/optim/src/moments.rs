use wengert_autodiff::{Real, Tensor};

use crate::average::Average;
use crate::each::{each, elements_mut, gradient};
use crate::slot::Slot;
use crate::weight_decay::Descent;

/// The pass that Adam, NAdam and RAdam share; they differ in the direction that they make of the moments.
///
/// ```text
/// g ← g + λ p                 L2 weight decay
/// m ← β₁ m + (1 - β₁) g
/// v ← β₂ v + (1 - β₂) g²
/// x ← max(x, v)               AMSGrad, and then x instead of v
/// p ← p - η d                 d = direction(m, v, g)
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments<F> {
    descent: Descent<F>,
    beta1: Average<F>,
    beta2: Average<F>,
    lr: F,
}

impl<F: Real> Moments<F> {
    pub(crate) fn new(beta1: f64, beta2: f64, descent: Descent<F>, lr: f64) -> Self {
        Self { descent, beta1: Average::new(beta1), beta2: Average::new(beta2), lr: F::of(lr) }
    }

    #[track_caller]
    pub(crate) fn run<X: Slot<F>>(
        self,
        param: &mut Tensor<F>,
        grad: &Tensor<F>,
        (m, v, x): (&mut Tensor<F>, &mut Tensor<F>, &mut [X]),
        direction: impl Fn(F, F, F) -> F + Sync,
    ) {
        let Self { descent, beta1, beta2, lr } = self;
        let grad = gradient(grad, param);
        let averages = (elements_mut(m), elements_mut(v));
        each((((elements_mut(param), &*grad), averages), x), |(((p, &g), (m, v)), x)| {
            let g = descent.gradient(*p, g);
            *m = beta1.next(*m, g);
            *v = beta2.next(*v, g * g);
            let v = x.advance(*v, |x| x.max(*v));
            *p = descent.kept(*p) - lr * direction(*m, v, g);
        });
    }
}
