//! What one batch costs, gather and scaling included, on a set of the size of MNIST: `cargo bench -p wengert-data`.

use ndarray::Array3;
use rand::{SeedableRng, rngs::StdRng};
use std::{hint::black_box, time::Instant};
use wengert_data::ImageDataset;

fn main() {
    let images = Array3::from_shape_fn((60_000, 28, 28), |(i, r, c)| (i + 7 * r + 3 * c) as u8);
    let data = ImageDataset::new(images, vec![0; 60_000], 10).expect("60,000 labels of class 0");
    let rng = &mut StdRng::seed_from_u64(0);
    for size in [32, 128, 1024] {
        let epoch = || {
            let batches = data.batches(size).shuffle(rng);
            let (count, start) = (batches.len(), Instant::now());
            batches.for_each(|batch| drop(black_box(batch)));
            start.elapsed().as_secs_f64() / count as f64
        };
        let best = std::iter::repeat_with(epoch).take(7).fold(f64::INFINITY, f64::min);
        println!("batch {size:4} × 784, shuffled: {:6.1} µs (best of 7 epochs)", 1e6 * best);
    }
}
