//! Data for Wengert: IDX files, the MNIST family, generated digits, batches.
#![forbid(unsafe_code)]
