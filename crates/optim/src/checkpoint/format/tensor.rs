use std::fmt;

use ndarray::IxDyn;
use wengert_autodiff::{Leaf, Real, Tensor};

/// The type of a saved tensor's elements. Files spell it as here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dtype {
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `i64`, for counts.
    I64,
}

impl Dtype {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A float type that files can hold: `f32` or `f64`.
#[doc(alias = "Stored")]
pub trait Element: Real {
    /// How files name it.
    const DTYPE: Dtype;

    /// Writes the number into as many bytes as it has, the lowest first.
    fn put(self, bytes: &mut [u8]);

    /// The number in these bytes, which are as many as it has.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! element {
    ($float:ident, $dtype:ident) => {
        impl Element for $float {
            const DTYPE: Dtype = Dtype::$dtype;

            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("as many bytes as the type has"))
            }
        }
    };
}

element!(f32, F32);
element!(f64, F64);

/// A tensor as files have it: its elements row by row, each with the lowest byte first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl RawTensor {
    /// The elements of `tensor`.
    #[doc(alias = "of")]
    pub fn from_tensor<F: Element>(tensor: &Tensor<F>) -> Self {
        let size = F::DTYPE.bytes();
        let mut bytes = vec![0; tensor.len() * size];
        for (bytes, &x) in bytes.chunks_exact_mut(size).zip(tensor) {
            x.put(bytes);
        }
        Self { dtype: F::DTYPE, shape: tensor.shape().to_vec(), bytes }
    }

    /// A parameter or buffer. A [count](wengert_autodiff::Buffer::count) is an integer in PyTorch, and so in files.
    pub(in crate::checkpoint) fn from_leaf<F: Element>(leaf: &Leaf<'_, F>) -> Self {
        let tensor = leaf.value();
        let whole = |x: f64| x.fract() == 0.0 && x.abs() < 2f64.powi(63);
        if !leaf.is_count() || !tensor.iter().all(|x| whole(x.as_f64())) {
            return Self::from_tensor(tensor);
        }
        let bytes = tensor.iter().flat_map(|x| (x.as_f64() as i64).to_le_bytes()).collect();
        Self { dtype: Dtype::I64, shape: tensor.shape().to_vec(), bytes }
    }

    /// A scalar. No count gets as far as 2⁶³; one that was set there by hand is cut.
    pub(in crate::checkpoint) fn from_count(count: u64) -> Self {
        let bytes = i64::try_from(count).unwrap_or(i64::MAX).to_le_bytes().to_vec();
        Self { dtype: Dtype::I64, shape: Vec::new(), bytes }
    }

    /// A scalar.
    pub(in crate::checkpoint) fn from_number(number: f64) -> Self {
        Self { dtype: Dtype::F64, shape: Vec::new(), bytes: number.to_le_bytes().to_vec() }
    }

    /// For what a file says; `None` if the bytes are not as many as type and shape ask for.
    pub(in crate::checkpoint) fn new(dtype: Dtype, shape: Vec<usize>, bytes: &[u8]) -> Option<Self> {
        // ndarray counts the axes of length 0 as 1 when it asks whether a shape can be addressed.
        let addressed = shape.iter().try_fold(1, |n: usize, &axis| n.checked_mul(axis.max(1)))?;
        isize::try_from(addressed.checked_mul(dtype.bytes())?).ok()?;
        let elements: usize = shape.iter().product();
        (elements * dtype.bytes() == bytes.len()).then(|| Self { dtype, shape, bytes: bytes.to_vec() })
    }

    /// The type of the elements.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The elements as numbers; an integer beyond 2⁵³ is rounded.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.bytes.chunks_exact(self.dtype.bytes()).map(|bytes| match self.dtype {
            Dtype::F32 => f64::from(f32::get(bytes)),
            Dtype::F64 => f64::get(bytes),
            Dtype::I64 => integer(bytes) as f64,
        })
    }

    /// Type and shape, as a report gives them.
    pub(in crate::checkpoint) fn kind(&self) -> String {
        kind(self.dtype, &self.shape)
    }

    /// The scalar as a count.
    pub(in crate::checkpoint) fn to_count(&self) -> Option<u64> {
        let scalar = self.dtype == Dtype::I64 && self.shape.is_empty();
        scalar.then(|| u64::try_from(integer(&self.bytes)).ok()).flatten()
    }

    /// The scalar as a number.
    pub(in crate::checkpoint) fn to_number(&self) -> Option<f64> {
        (self.dtype == Dtype::F64 && self.shape.is_empty()).then(|| f64::get(&self.bytes))
    }

    /// The tensor in the memory layout of `like`, if it has its type and shape.
    ///
    /// The layout is kept because a sum over all elements, in the order in which they lie, depends on it in its last
    /// bit.
    pub(in crate::checkpoint) fn to_tensor<F: Element>(&self, like: &Tensor<F>) -> Option<Tensor<F>> {
        if self.dtype != F::DTYPE || self.shape != like.shape() {
            return None;
        }
        let elements = self.bytes.chunks_exact(F::DTYPE.bytes()).map(F::get).collect();
        Some(in_layout_of(like, elements))
    }

    /// Like [`to_tensor`](Self::to_tensor) for a parameter or buffer, of which a count may be an integer.
    pub(in crate::checkpoint) fn to_leaf<F: Element>(&self, like: &Leaf<'_, F>) -> Option<Tensor<F>> {
        let own = like.value();
        if self.dtype != Dtype::I64 || !like.is_count() || self.shape != own.shape() {
            return self.to_tensor(own);
        }
        Some(in_layout_of(own, self.values().map(F::from_f64).collect()))
    }
}

/// Type and shape, as a report gives them.
pub(in crate::checkpoint) fn kind(dtype: Dtype, shape: &[usize]) -> String {
    format!("{dtype} {shape:?}")
}

fn integer(bytes: &[u8]) -> i64 {
    i64::from_le_bytes(bytes.try_into().expect("chunks of eight"))
}

/// `elements` are row by row, as many as `like` has.
fn in_layout_of<F: Real>(like: &Tensor<F>, elements: Vec<F>) -> Tensor<F> {
    let rows =
        Tensor::from_shape_vec(IxDyn(like.shape()), elements).expect("as many elements as the shape says");
    if like.is_standard_layout() {
        return rows;
    }
    let mut tensor = like.mapv(|_| F::ZERO).into_shared();
    tensor.assign(&rows);
    tensor
}
