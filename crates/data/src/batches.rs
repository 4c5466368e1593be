//! From a dataset of bytes to batches of floats.

use ndarray::{ArcArray, Array, IxDyn};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::{ImageDataset, PixelStats};

/// Some images, flattened and scaled, with their labels.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// `[b, rows * cols]`: pixels in 0..=1, or standardised.
    pub x: ArcArray<f32, IxDyn>,
    /// The `b` labels.
    pub labels: Vec<usize>,
}

/// The batches of one epoch: `for batch in data.batches(128).shuffle(rng) { … }`.
///
/// Made by [`ImageDataset::batches`]. The order depends on the generator alone, so the same seed gives the same
/// batches.
#[derive(Clone, Debug)]
#[doc(alias("DataLoader", "tf.data"))]
#[must_use = "a batch is made when the iterator is asked for it"]
pub struct Batches<'a> {
    data: &'a ImageDataset,
    /// The images still to come, in order: `order[next..]`.
    order: Vec<usize>,
    next: usize,
    size: usize,
    drop_last: bool,
    scale: f32,
    shift: f32,
}

impl ImageDataset {
    /// Batches of `size` images in the dataset's order, pixels divided by 255; the last batch may be smaller.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[track_caller]
    #[doc(alias("batch_size", "DataLoader"))]
    pub fn batches(&self, size: usize) -> Batches<'_> {
        assert!(size > 0, "batches(0): a batch needs at least one image");
        let order = (0..self.len()).collect();
        Batches { data: self, order, next: 0, size, drop_last: false, scale: 1.0 / 255.0, shift: 0.0 }
    }
}

impl Batches<'_> {
    /// The same images in a random order.
    pub fn shuffle(mut self, rng: &mut dyn Rng) -> Self {
        self.order[self.next..].shuffle(rng);
        self
    }

    /// Leaves out the last batch if it would be smaller than the others.
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }

    /// `x = (pixel / 255 - mean) / std` instead of `pixel / 255`. A standard deviation of 0, of images that are all one
    /// grey, counts as 1.
    #[doc(alias = "Normalize")]
    pub fn standardize(mut self, stats: PixelStats) -> Self {
        let std = if stats.std > 0.0 { stats.std } else { 1.0 };
        self.scale = 1.0 / (255.0 * std);
        self.shift = -stats.mean / std;
        self
    }

    fn gather(&self, indices: &[usize]) -> Batch {
        let (rows, cols) = self.data.image_size();
        let width = rows * cols;
        let pixels = self.data.pixels();
        // Two passes: images at random places come in faster by memcpy than through a scaling loop that waits for
        // memory itself (6 µs, not 14, for 32×784; `cargo bench --bench batches`), and the scaling of contiguous bytes
        // becomes vector instructions.
        let mut bytes = Vec::with_capacity(indices.len() * width);
        for &index in indices {
            bytes.extend_from_slice(&pixels[index * width..][..width]);
        }
        let x = bytes.iter().map(|&pixel| f32::from(pixel) * self.scale + self.shift).collect();
        let x = Array::from_shape_vec(IxDyn(&[indices.len(), width]), x).expect("one row per index");
        let labels = indices.iter().map(|&index| self.data.labels()[index].into()).collect();
        Batch { x: x.into_shared(), labels }
    }
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let rest = &self.order[self.next..];
        let indices = &rest[..self.size.min(rest.len())];
        if indices.is_empty() || self.drop_last && indices.len() < self.size {
            return None;
        }
        let batch = self.gather(indices);
        self.next += indices.len();
        Some(batch)
    }

    /// Skips batches without making them, as a run does that goes on in the middle of an epoch.
    fn nth(&mut self, n: usize) -> Option<Batch> {
        self.next = self.next.saturating_add(n.saturating_mul(self.size)).min(self.order.len());
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.order.len() - self.next;
        let batches = if self.drop_last { rest / self.size } else { rest.div_ceil(self.size) };
        (batches, Some(batches))
    }
}

impl ExactSizeIterator for Batches<'_> {}
