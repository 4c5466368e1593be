//! A matrix in memory.

use ndarray::{ArrayView2, ArrayViewMut2};

/// A matrix by its first element and the distances between neighbouring rows and neighbouring columns. Only C is
/// written.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    start: *mut f32,
    pub(super) row_stride: isize,
    pub(super) column_stride: isize,
}

impl Matrix {
    pub(super) fn new(start: *mut f32, [row_stride, column_stride]: [isize; 2]) -> Self {
        Self { start, row_stride, column_stride }
    }

    pub(super) fn from_view(x: &ArrayView2<'_, f32>) -> Self {
        Self::new(x.as_ptr().cast_mut(), [x.strides()[0], x.strides()[1]])
    }

    /// A single column counts as contiguous rows.
    pub(super) fn from_view_mut(x: &mut ArrayViewMut2<'_, f32>) -> Self {
        let [row_stride, column_stride] = [x.strides()[0], x.strides()[1]];
        Self::new(x.as_mut_ptr(), [row_stride, if x.ncols() == 1 { 1 } else { column_stride }])
    }

    #[inline(always)]
    pub(super) fn at(self, row: usize, column: usize) -> *mut f32 {
        self.start.wrapping_offset(row as isize * self.row_stride + column as isize * self.column_stride)
    }

    /// The part from this element on.
    pub(super) fn part(self, row: usize, column: usize) -> Self {
        Self { start: self.at(row, column), ..self }
    }

    pub(super) fn strides(self) -> [isize; 2] {
        [self.row_stride, self.column_stride]
    }

    pub(super) fn transposed(self) -> Self {
        Self::new(self.start, [self.column_stride, self.row_stride])
    }
}
