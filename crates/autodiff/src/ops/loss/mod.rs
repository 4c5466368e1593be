//! Losses: each as a mean, and with `_each` as one number per element or row.

mod classification;
mod regression;
mod weighted;
