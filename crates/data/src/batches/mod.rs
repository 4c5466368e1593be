//! The batches of an epoch, in order or shuffled, made on the way or ahead by threads.

mod prefetch;

use std::borrow::Cow;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::dataset::{Dataset, ImageDataset, PixelStats, Rows};

pub use prefetch::Prefetch;

/// The batches of one epoch: `for batch in data.batches(128).shuffle(rng) { … }`.
///
/// Made by [`ImageDataset::batches`], [`Dataset::batches`], or [`Batches::new`] for [`Rows`] of any kind. The order
/// depends on the generator alone, so the same seed gives the same batches.
#[derive(Clone, Debug)]
#[doc(alias("DataLoader", "tf.data"))]
#[must_use = "a batch is made when the iterator is asked for it"]
pub struct Batches<'a, D: Rows = ImageDataset> {
    data: Cow<'a, D>,
    /// The rows still to come, in order: `order[next..]`.
    order: Vec<usize>,
    next: usize,
    size: usize,
    drop_last: bool,
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
        Batches::new(self, size)
    }
}

impl<X: Rows, Y: Rows> Dataset<X, Y> {
    /// Batches of `size` samples in the dataset's order; the last batch may be smaller.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[track_caller]
    #[doc(alias("batch_size", "DataLoader"))]
    pub fn batches(&self, size: usize) -> Batches<'_, Self> {
        Batches::new(self, size)
    }
}

impl<'a, D: Rows> Batches<'a, D> {
    /// Batches of `size` rows in the order of `data`; the last batch may be smaller.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[track_caller]
    pub fn new(data: &'a D, size: usize) -> Self {
        assert!(size > 0, "batches(0): a batch needs at least one row");
        let order = (0..data.len()).collect();
        Self { data: Cow::Borrowed(data), order, next: 0, size, drop_last: false }
    }

    /// The same rows in a random order.
    pub fn shuffle(mut self, rng: &mut dyn Rng) -> Self {
        self.order[self.next..].shuffle(rng);
        self
    }

    /// Leaves out the last batch if it would be smaller than the others.
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }
}

impl Batches<'_> {
    /// `x = (pixel / 255 - mean) / std` instead of `pixel / 255`. A standard deviation of 0, of images that are all one
    /// grey, counts as 1.
    #[doc(alias = "Normalize")]
    pub fn standardize(mut self, stats: PixelStats) -> Self {
        self.data = Cow::Owned(self.data.into_owned().standardized(stats));
        self
    }
}

impl<D: Rows> Iterator for Batches<'_, D> {
    type Item = D::Batch;

    fn next(&mut self) -> Option<D::Batch> {
        let rest = &self.order[self.next..];
        let indices = &rest[..self.size.min(rest.len())];
        if indices.is_empty() || self.drop_last && indices.len() < self.size {
            return None;
        }
        let batch = self.data.gather(indices);
        self.next += indices.len();
        Some(batch)
    }

    /// Skips batches without making them, as a run does that goes on in the middle of an epoch.
    fn nth(&mut self, n: usize) -> Option<D::Batch> {
        self.next = self.next.saturating_add(n.saturating_mul(self.size)).min(self.order.len());
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.order.len() - self.next;
        let batches = if self.drop_last { rest / self.size } else { rest.div_ceil(self.size) };
        (batches, Some(batches))
    }
}

impl<D: Rows> ExactSizeIterator for Batches<'_, D> {}
