//! Data for Wengert: datasets of any arrays and of images, batches, splits, metrics; CSV files (with the feature
//! `csv`), NumPy's files (with `npy`), IDX files, the MNIST family, generated digits.
//!
//! The one design decision: **data stay as they are until a batch is made.** A [`Dataset`] keeps arrays of any type, an
//! [`ImageDataset`] the `u8` pixels exactly as the file had them, and [`Batches`] makes `f32` of what it gathers. The
//! alternative refused is converting the whole set once, when it is loaded: MNIST would take 188 MB instead of 47 MB,
//! the scaling would be baked in where nobody looks, and the conversion it saves costs about a hundredth of a training
//! step.
//!
//! ```
//! use ndarray::Array3;
//! use rand::{SeedableRng, rngs::StdRng};
//! use wengert_data::{Dataset, ImageDataset};
//!
//! // Four 2×2 images of two classes; `mnist::load(dir)` gives the real ones.
//! let images = Array3::from_shape_fn((4, 2, 2), |(i, _, _)| 85 * i as u8);
//! let data = ImageDataset::new(images, vec![0, 1, 0, 1], 2)?;
//!
//! let rng = &mut StdRng::seed_from_u64(0);
//! for batch in data.batches(2).shuffle(rng) {
//!     assert_eq!(batch.x.shape(), [2, 4]); // flattened, and pixels scaled to 0..=1
//!     assert!(batch.x.iter().all(|&x| (0.0..=1.0).contains(&x)));
//!     assert!(batch.labels.iter().all(|&label| label < 2));
//! }
//!
//! // Arrays of any rank, as they are; targets may be numbers or labels.
//! let data = Dataset::new(Array3::<f64>::zeros((4, 3, 5)), Array3::<u8>::zeros((4, 1, 5)))?;
//! for batch in data.batches(2).shuffle(rng).prefetch(1) {
//!     assert_eq!((batch.x.shape(), batch.y.shape()), (&[2, 3, 5][..], &[2, 1, 5][..]));
//! }
//! # Ok::<(), wengert_data::DataError>(())
//! ```
//!
//! Chapters of the guide: [data of one's own], [deployment].
//!
//! [data of one's own]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/data.md
//! [deployment]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/deployment.md
#![forbid(unsafe_code)]

mod batches;
mod dataset;
mod error;
mod file;
pub mod idx;
pub mod metrics;
pub mod mnist;
#[cfg(feature = "npy")]
pub mod npy;
pub mod split;
pub mod synthetic;
#[cfg(feature = "csv")]
pub mod table;

pub use batches::{Batches, Prefetch};
pub use dataset::{
    Batch, Dataset, ImageDataset, PixelStats, Rows, Samples, Scalar, Standardization, Standardized, labels,
};
pub use error::DataError;
pub use wengert_files::FileError;
