use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Var};

use crate::Layer;
use crate::layer::without_parameters;

/// An element-wise non-linearity as a layer: each is the method of [`Var`] of the same name, where its formula is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Activation {
    /// [`Var::relu`].
    Relu,
    /// [`Var::leaky_relu`] with this slope below 0.
    LeakyRelu(f64),
    /// [`Var::elu`] with this α.
    Elu(f64),
    /// [`Var::gelu`], the exact form.
    Gelu,
    /// [`Var::gelu_tanh`], the approximation.
    GeluTanh,
    /// [`Var::silu`], also called swish.
    #[doc(alias = "swish")]
    Silu,
    /// [`Var::softplus`].
    Softplus,
    /// [`Var::selu`].
    Selu,
    /// [`Var::mish`].
    Mish,
    /// [`Var::hardsigmoid`].
    Hardsigmoid,
    /// [`Var::hardswish`].
    Hardswish,
    /// [`Var::softsign`].
    Softsign,
    /// [`Var::tanh`].
    Tanh,
    /// [`Var::sigmoid`].
    Sigmoid,
}

without_parameters!(Activation);

impl<F: Real> Layer<F> for Activation {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        match *self {
            Self::Relu => x.relu(),
            Self::LeakyRelu(slope) => x.leaky_relu(slope),
            Self::Elu(alpha) => x.elu(alpha),
            Self::Gelu => x.gelu(),
            Self::GeluTanh => x.gelu_tanh(),
            Self::Silu => x.silu(),
            Self::Softplus => x.softplus(),
            Self::Selu => x.selu(),
            Self::Mish => x.mish(),
            Self::Hardsigmoid => x.hardsigmoid(),
            Self::Hardswish => x.hardswish(),
            Self::Softsign => x.softsign(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => x.sigmoid(),
        }
    }
}
