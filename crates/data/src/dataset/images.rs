//! Labelled greyscale images, kept as bytes.

use ndarray::{ArcArray, Array, Array3, ArrayView2, Axis, Ix3, IxDyn, Slice};

use super::rows::{Rows, check, gather_contiguous};
use crate::DataError;

/// Images of one size with one label each.
///
/// The pixels are shared, not copied, by [`Clone`] and [`split_at`](Self::split_at).
#[derive(Clone, Debug)]
pub struct ImageDataset {
    /// `[n, rows, cols]`, in standard layout.
    images: ArcArray<u8, Ix3>,
    labels: Vec<u8>,
    classes: usize,
    /// Of the pixels in a batch.
    scale: f32,
    shift: f32,
}

/// Some images, flattened and scaled, with their labels.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// `[b, rows * cols]`: pixels in 0..=1, or standardised.
    pub x: ArcArray<f32, IxDyn>,
    /// The `b` labels.
    pub labels: Vec<usize>,
}

/// Mean and standard deviation of pixels scaled to 0..=1, to standardise by.
///
/// Take them from the training images and use the same for the test images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelStats {
    /// Mean of `pixel / 255`.
    pub mean: f32,
    /// Standard deviation of `pixel / 255` (divided by the count, not by the count less one).
    pub std: f32,
}

impl ImageDataset {
    /// Pairs `images`, `[n, rows, cols]`, with `labels`, each below `classes`.
    ///
    /// # Errors
    ///
    /// [`DataError::CountMismatch`] or [`DataError::LabelOutOfRange`].
    pub fn new(images: Array3<u8>, labels: Vec<u8>, classes: usize) -> Result<Self, DataError> {
        let count = images.len_of(Axis(0));
        if count != labels.len() {
            return Err(DataError::CountMismatch { images: count, labels: labels.len() });
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DataError::LabelOutOfRange { index, label: labels[index], first: 0, classes });
        }
        let images =
            if images.is_standard_layout() { images } else { images.as_standard_layout().into_owned() };
        Ok(Self { images: images.into_shared(), labels, classes, scale: 1.0 / 255.0, shift: 0.0 })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Rows and columns of every image.
    pub fn image_size(&self) -> (usize, usize) {
        (self.images.len_of(Axis(1)), self.images.len_of(Axis(2)))
    }

    /// Number of classes; every label is below it.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The labels, in the order of the images.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Image `index`, `[rows, cols]`, 0 for the background.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`len`](Self::len).
    #[track_caller]
    pub fn image(&self, index: usize) -> ArrayView2<'_, u8> {
        assert!(index < self.len(), "image {index} of a dataset of {}", self.len());
        self.images.index_axis(Axis(0), index)
    }

    /// All pixels, image after image: `len() * rows * cols` bytes.
    pub fn pixels(&self) -> &[u8] {
        self.images.as_slice().expect("images are kept in standard layout")
    }

    /// The first `n` images and the rest, in order and without copying pixels. For a random split, take two
    /// [`subset`](Self::subset)s of shuffled indices.
    ///
    /// # Panics
    ///
    /// If `n` is above [`len`](Self::len).
    #[must_use]
    #[track_caller]
    #[doc(alias = "random_split")]
    pub fn split_at(&self, n: usize) -> (Self, Self) {
        assert!(n <= self.len(), "split_at({n}) of a dataset of {}", self.len());
        let part = |from: usize, to: usize| Self {
            images: self.images.clone().slice_axis_move(Axis(0), Slice::from(from..to)),
            labels: self.labels[from..to].to_vec(),
            ..*self
        };
        (part(0, n), part(n, self.len()))
    }

    /// The images at `indices`, in that order; an index may repeat.
    ///
    /// # Panics
    ///
    /// If an index is not below [`len`](Self::len).
    #[must_use]
    #[track_caller]
    pub fn subset(&self, indices: &[usize]) -> Self {
        if let Some(index) = indices.iter().find(|&&index| index >= self.len()) {
            panic!("subset: index {index} in a dataset of {}", self.len());
        }
        Self {
            images: self.images.select(Axis(0), indices).into_shared(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            ..*self
        }
    }

    /// Mean and standard deviation over all pixels, for [`Batches::standardize`](crate::Batches::standardize). Exact up
    /// to one rounding; both are 0 if there are no pixels.
    pub fn pixel_stats(&self) -> PixelStats {
        // Integer sums: nothing is lost to rounding, and 2⁶⁴ / 255² pixels would fill 2.8e14 bytes.
        let (mut sum, mut squares) = (0u64, 0u64);
        for &pixel in self.pixels() {
            sum += u64::from(pixel);
            squares += u64::from(pixel).pow(2);
        }
        let count = self.pixels().len().max(1) as f64;
        let mean = sum as f64 / count;
        let variance = (squares as f64 / count - mean * mean).max(0.0);
        PixelStats { mean: (mean / 255.0) as f32, std: (variance.sqrt() / 255.0) as f32 }
    }

    /// The same images, whose batches are `(pixel / 255 - mean) / std`.
    pub(crate) fn standardized(mut self, stats: PixelStats) -> Self {
        let std = if stats.std > 0.0 { stats.std } else { 1.0 };
        self.scale = 1.0 / (255.0 * std);
        self.shift = -stats.mean / std;
        self
    }
}

impl Rows for ImageDataset {
    type Batch = Batch;

    fn len(&self) -> usize {
        self.len()
    }

    fn gather(&self, indices: &[usize]) -> Batch {
        check(indices, self.len());
        let (rows, cols) = self.image_size();
        let width = rows * cols;
        let bytes = gather_contiguous(self.pixels(), width, indices);
        let x = bytes.iter().map(|&pixel| f32::from(pixel) * self.scale + self.shift).collect();
        let x = Array::from_shape_vec(IxDyn(&[indices.len(), width]), x).expect("one row per index");
        let labels = indices.iter().map(|&index| self.labels[index].into()).collect();
        Batch { x: x.into_shared(), labels }
    }
}
