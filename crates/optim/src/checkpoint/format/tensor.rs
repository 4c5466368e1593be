use ndarray::IxDyn;
use wengert_autodiff::{Leaf, Real, Tensor};

use super::dtype::Dtype;

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

            #[inline] // into the loops of other crates
            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }

            #[inline]
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
        let size = size_of::<F>();
        let mut bytes = vec![0; tensor.len() * size];
        for (bytes, &x) in bytes.chunks_exact_mut(size).zip(tensor) {
            x.put(bytes);
        }
        Self { dtype: F::DTYPE, shape: tensor.shape().to_vec(), bytes }
    }

    /// A parameter or buffer. A [count](wengert_autodiff::Buffer::count) is an integer in PyTorch, and so in files.
    pub(in crate::checkpoint) fn from_leaf<F: Element>(leaf: &Leaf<'_, F>) -> Self {
        let tensor = leaf.value();
        if !leaf.is_count() || !tensor.iter().all(|x| is_whole(x.as_f64())) {
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
        isize::try_from(addressed.checked_mul(dtype.bits())?).ok()?;
        let elements: usize = shape.iter().product();
        (elements * dtype.bits() == bytes.len() * 8).then(|| Self { dtype, shape, bytes: bytes.to_vec() })
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

    /// The elements as numbers; an integer beyond 2⁵³ is rounded. None of complex numbers and of floats of less than 16
    /// bits.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        // Some types have less than a byte, and none of these gives a number.
        self.bytes.chunks_exact(self.dtype.bits().div_ceil(8)).map_while(|bytes| self.dtype.number(bytes))
    }

    /// Type and shape, as a report gives them.
    pub(in crate::checkpoint) fn kind(&self) -> String {
        kind(self.dtype, &self.shape)
    }

    /// The scalar as a count.
    pub(in crate::checkpoint) fn to_count(&self) -> Option<u64> {
        let scalar = self.dtype == Dtype::I64 && self.shape.is_empty();
        let integer = || i64::from_le_bytes(self.bytes[..].try_into().expect("eight bytes"));
        scalar.then(|| u64::try_from(integer()).ok()).flatten()
    }

    /// The scalar as a number.
    pub(in crate::checkpoint) fn to_number(&self) -> Option<f64> {
        (self.dtype == Dtype::F64 && self.shape.is_empty()).then(|| f64::get(&self.bytes))
    }

    /// The tensor in the memory layout of `like`, if it has its shape, and its type or one of 16 bits, of which every
    /// number is one of `F`; with `cast`, also the other of `F32` and `F64`, rounded to nearest. Otherwise what there
    /// is instead.
    ///
    /// The layout is kept because a sum over all elements, in the order in which they lie, depends on it in its last
    /// bit.
    pub(in crate::checkpoint) fn to_tensor<F: Element>(
        &self,
        like: &Tensor<F>,
        cast: bool,
    ) -> Result<Tensor<F>, String> {
        let fits = match self.dtype {
            Dtype::F16 | Dtype::BF16 => true,
            Dtype::F32 | Dtype::F64 => cast || self.dtype == F::DTYPE,
            _ => false,
        };
        if !fits || self.shape != like.shape() {
            return Err(self.kind());
        }
        if self.dtype == F::DTYPE {
            return Ok(in_layout_of(like, self.bytes.chunks_exact(size_of::<F>()).map(F::get).collect()));
        }
        match self.values().find(|&x| x.is_finite() && !F::from_f64(x).is_finite()) {
            Some(x) => Err(format!("{} with {x:e}, which {} cannot hold", self.kind(), F::DTYPE)),
            None => Ok(in_layout_of(like, self.values().map(F::from_f64).collect())),
        }
    }

    /// Like [`to_tensor`](Self::to_tensor) for a parameter or buffer. A count may be whole numbers of any type, and a
    /// single one may be a scalar or a list.
    pub(in crate::checkpoint) fn to_leaf<F: Element>(
        &self,
        like: &Leaf<'_, F>,
        cast: bool,
    ) -> Result<Tensor<F>, String> {
        let own = like.value();
        let single = |shape: &[usize]| matches!(shape, [] | [1]);
        let same_shape = self.shape == own.shape() || single(&self.shape) && single(own.shape());
        let countable = self.dtype != Dtype::BOOL && self.values().count() == own.len();
        if !(like.is_count() && same_shape && countable) {
            return self.to_tensor(own, cast);
        }
        match self.values().find(|&x| !is_whole(x) || x < 0.0) {
            Some(x) => Err(format!("{} with {x}", self.kind())),
            None => Ok(in_layout_of(own, self.values().map(F::from_f64).collect())),
        }
    }
}

/// What a leaf asks for, as a report gives it.
pub(in crate::checkpoint) fn expected<F: Element>(leaf: &Leaf<'_, F>) -> String {
    let shape = leaf.value().shape();
    match leaf.is_count() {
        true => format!("{}, counts from 0", kind(Dtype::I64, shape)),
        false => kind(F::DTYPE, shape),
    }
}

/// Type and shape, as a report gives them.
pub(in crate::checkpoint) fn kind(dtype: Dtype, shape: &[usize]) -> String {
    format!("{dtype} {shape:?}")
}

fn is_whole(x: f64) -> bool {
    x.fract() == 0.0 && x.abs() < 2f64.powi(63)
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
