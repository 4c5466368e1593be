//! Data for Wengert: IDX files, the MNIST family, generated digits, batches.
//!
//! The one design decision: **images stay bytes until a batch is made.** An [`ImageDataset`] keeps the `u8` pixels
//! exactly as the file had them, and [`Batches`] scales them to `f32` while it gathers each batch. The alternative
//! refused is converting the whole set once, when it is loaded: MNIST would take 188 MB instead of 47 MB, the scaling
//! would be baked in where nobody looks, and the conversion it saves costs about a hundredth of a training step.
//!
//! ```
//! use ndarray::Array3;
//! use rand::{SeedableRng, rngs::StdRng};
//! use wengert_data::ImageDataset;
//!
//! // Four 2×2 images of two classes; `mnist::load(dir)` gives the real ones.
//! let images = Array3::from_shape_fn((4, 2, 2), |(i, _, _)| 85 * i as u8);
//! let data = ImageDataset::new(images, vec![0, 1, 0, 1], 2)?;
//!
//! let rng = &mut StdRng::seed_from_u64(0);
//! for batch in data.batches(2).shuffle(rng) {
//!     assert_eq!(batch.x.shape(), [2, 4]);
//!     assert!(batch.x.iter().all(|&x| (0.0..=1.0).contains(&x)));
//!     assert!(batch.labels.iter().all(|&label| label < 2));
//! }
//! # Ok::<(), wengert_data::DataError>(())
//! ```
#![forbid(unsafe_code)]

mod batches;
mod dataset;
mod error;
pub mod idx;
pub mod mnist;
pub mod synthetic;

pub use batches::{Batch, Batches};
pub use dataset::{ImageDataset, PixelStats};
pub use error::DataError;
pub use wengert_files::FileError;
