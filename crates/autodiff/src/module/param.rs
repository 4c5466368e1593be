use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Dimension;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{IntoTensor, Real, Tensor};

/// Identity of a parameter, buffer or tape within this process. It ties a gradient to its parameter and is never shown
/// or saved: what people and files see is the dotted name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u64);

impl Id {
    pub(crate) fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

macro_rules! named_tensor {
    ($(#[$doc:meta])* $name:ident { $($flag:ident)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<F: Real = f32> {
            pub(crate) id: Id,
            value: Tensor<F>,
            frozen: bool,
            $($flag: bool,)?
        }

        impl<F: Real> $name<F> {
            /// Takes a number, nested arrays, or an array of any number of dimensions.
            #[track_caller]
            pub fn new(value: impl IntoTensor<F>) -> Self {
                Self { id: Id::fresh(), value: value.into_tensor(), frozen: false, $($flag: false)? }
            }

            /// The tensor.
            pub fn value(&self) -> &Tensor<F> {
                &self.value
            }

            /// The tensor, to be changed in place. While a recorded graph still holds it, writing copies it first.
            pub fn value_mut(&mut self) -> &mut Tensor<F> {
                &mut self.value
            }

            /// Whether no step changes it: see [`Module::freeze`](crate::Module::freeze).
            #[doc(alias("requires_grad", "trainable"))]
            pub fn is_frozen(&self) -> bool {
                self.frozen
            }

            /// Freezes it, or sets it free again.
            #[doc(alias("requires_grad_", "trainable"))]
            pub fn set_frozen(&mut self, frozen: bool) {
                self.frozen = frozen;
            }

            /// The lengths of the axes.
            pub fn shape(&self) -> &[usize] {
                self.value.shape()
            }
        }

        /// A clone is a new, independent tensor: gradients of the one say nothing about the other.
        impl<F: Real> Clone for $name<F> {
            fn clone(&self) -> Self {
                Self { id: Id::fresh(), value: self.value.clone(), frozen: self.frozen, $($flag: self.$flag)? }
            }
        }

        impl<F: Real, D: Dimension> From<ndarray::Array<F, D>> for $name<F> {
            fn from(value: ndarray::Array<F, D>) -> Self {
                Self::new(value)
            }
        }

        impl<F: Real + Serialize> Serialize for $name<F> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.value.serialize(serializer)
            }
        }

        impl<'de, F: Real + Deserialize<'de>> Deserialize<'de> for $name<F> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Tensor::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

named_tensor! {
    #[doc(alias("Parameter", "nn.Parameter", "Variable"))]
    /// A tensor that training changes: a weight or a bias, owned by its layer.
    ///
    /// The array is copy-on-write, so that recording it on a tape costs nothing and a model stays a plain value that
    /// can be cloned, sent and serialized.
    Param {}
}

named_tensor! {
    #[doc(alias = "register_buffer")]
    /// A tensor that belongs to the model's state but has no gradient, such as a running mean.
    Buffer { is_count }
}

impl<F: Real> Buffer<F> {
    /// A buffer of whole numbers, such as how many batches a layer has seen: files hold it as integers, as PyTorch's
    /// do.
    pub fn count(value: impl IntoTensor<F>) -> Self {
        Self { is_count: true, ..Self::new(value) }
    }

    /// Whether it was made by [`count`](Buffer::count).
    pub fn is_count(&self) -> bool {
        self.is_count
    }
}
