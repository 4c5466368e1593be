//! What the other frameworks mean by RMSProp: the same formula and the same defaults as theirs. Some leave the rate to
//! the caller; it is then 1e-2 here.

use crate::rules::parts::epsilon::Epsilon;
use crate::rules::parts::weight_decay::WeightDecay;
use crate::rules::rmsprop::RmsProp;

impl RmsProp {
    /// PyTorch's `torch.optim.RMSprop`, and our default: `g / (√v + ε)`, the rate outside the momentum buffer.
    pub const fn torch() -> Self {
        Self {
            lr: 1e-2,
            rho: 0.99,
            eps: Epsilon::Outside(1e-8),
            centered: false,
            momentum: 0.0,
            nesterov: false,
            lr_in_momentum: false,
            bias_correction: false,
            v0: 0.0,
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }

    /// Keras 3's `keras.optimizers.RMSprop`: `g / √(v + ε)`, the rate inside the buffer. Its `weight_decay` is
    /// [`Decoupled`](WeightDecay::Decoupled).
    pub const fn keras() -> Self {
        Self { lr: 1e-3, rho: 0.9, eps: Epsilon::Inside(1e-7), lr_in_momentum: true, ..Self::torch() }
    }

    /// TensorFlow 1's `RMSPropOptimizer`: as [`keras`](RmsProp::keras), but `v` starts from 1. The rate is the
    /// caller's.
    pub const fn tf1() -> Self {
        Self { eps: Epsilon::Inside(1e-10), v0: 1.0, lr: 1e-2, ..Self::keras() }
    }

    /// optax's `rmsprop`: `g / √(v + ε)`, the rate inside the buffer, `v` from 0. The rate is the caller's.
    pub const fn optax() -> Self {
        Self { eps: Epsilon::Inside(1e-8), lr: 1e-2, ..Self::keras() }
    }

    /// timm's `RMSpropTF`, made to behave as [`tf1`](RmsProp::tf1). Its `weight_decay` is [`L2`](WeightDecay::L2), with
    /// `decoupled_decay` it is [`Decoupled`](WeightDecay::Decoupled), and with `corrected_weight_decay` as well
    /// [`Corrected`](WeightDecay::Corrected).
    pub const fn timm() -> Self {
        Self::tf1()
    }

    /// burn's `RmsPropConfig`: PyTorch's formula, with momentum and a large ε unless told otherwise. The rate is the
    /// caller's.
    pub const fn burn() -> Self {
        Self { momentum: 0.9, eps: Epsilon::Outside(1e-5), ..Self::torch() }
    }

    /// dfdx's `RMSpropConfig`: `g / √(v + ε)`, `v` from 1, the rate outside the buffer.
    ///
    /// In dfdx `v` starts from 1 only while the optimizer's own step count is 0: a parameter that gets its first
    /// gradient later starts from 0. That is a defect, and not reproduced: here every tensor starts from 1.
    pub const fn dfdx() -> Self {
        Self { rho: 0.9, eps: Epsilon::Inside(1e-8), v0: 1.0, ..Self::torch() }
    }

    /// The lecture's slide: `v ← 0.9 v + 0.1 g²`, `g / √v`, the rate of 1e-3 that is usually quoted with it.
    ///
    /// The slide has no ε. 1e-20 stands for it, which no gradient above 1e-12 can see in `f32`, and which makes the
    /// update of an element without any gradient 0 instead of 0 / 0.
    pub const fn hinton() -> Self {
        Self { lr: 1e-3, rho: 0.9, eps: Epsilon::Outside(1e-20), ..Self::torch() }
    }
}
