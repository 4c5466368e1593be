use wengert_autodiff::{Real, Tensor};

use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::ema::{Ema, squarable};
use crate::rules::parts::optional::Optional;
use crate::rules::parts::weight_decay::GradientTransform;

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
    transform: GradientTransform<F>,
    beta1: Ema<F>,
    beta2: Ema<F>,
    lr: F,
}

impl<F: Real> Moments<F> {
    pub(crate) fn new(beta1: f64, beta2: f64, transform: GradientTransform<F>, lr: f64) -> Self {
        Self { transform, beta1: Ema::new(beta1), beta2: Ema::new(beta2), lr: F::from_f64(lr) }
    }

    #[track_caller]
    pub(crate) fn run<X: Optional<F>>(
        self,
        param: &mut Tensor<F>,
        grad: &Tensor<F>,
        (m, v, x): (&mut Tensor<F>, &mut Tensor<F>, &mut [X]),
        direction: impl Fn(F, F, F) -> F + Sync,
    ) {
        let Self { transform, beta1, beta2, lr } = self;
        let grad = row_major(grad, param);
        let averages = (row_major_mut(m), row_major_mut(v));
        for_each((((row_major_mut(param), &*grad), averages), x), |(((p, &g), (m, v)), x)| {
            let g = squarable(transform.apply(*p, g));
            *m = beta1.next(*m, g);
            *v = beta2.next(*v, g * g);
            let v = x.update(*v, |x| x.max(*v));
            *p = transform.decayed(*p) - lr * direction(*m, v, g);
        });
    }
}
