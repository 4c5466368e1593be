//! How every benchmark of this folder measures.

use std::time::Duration;

use criterion::Criterion;

/// Short on purpose, so that a whole file takes a minute or two: see README.md for when that is not enough. One thread,
/// unless `RAYON_NUM_THREADS` says otherwise: call it first, before a product has made the pool.
pub fn criterion() -> Criterion {
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        wengert::set_threads(1).expect("the first pool");
    }
    Criterion::default()
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(400))
        .sample_size(20)
        .nresamples(10_000)
        .configure_from_args()
}
