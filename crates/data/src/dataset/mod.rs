//! What batches are made of: rows that can be gathered, pairs of inputs and targets, images.

mod images;
mod pairs;
mod rows;
mod standardization;

pub use images::{Batch, ImageDataset, PixelStats};
pub use pairs::{Dataset, Samples, labels};
pub use rows::{Rows, Scalar};
pub use standardization::{Standardization, Standardized};
