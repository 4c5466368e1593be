//! One batch of a shuffled set of the size of MNIST: gather, scaling, and its share of the shuffle. An element is one
//! row.

mod settings;

use criterion::Throughput;
use rand::{SeedableRng, rngs::StdRng};
use wengert::data::ImageDataset;
use wengert::ndarray::Array3;

fn main() {
    let mut criterion = settings::criterion();
    let images = Array3::from_shape_fn((60_000, 28, 28), |(i, r, c)| (i + 7 * r + 3 * c) as u8);
    let data = ImageDataset::new(images, vec![0; 60_000], 10).expect("60,000 labels of class 0");
    let mut group = criterion.benchmark_group("batches");
    for size in [1, 32, 128, 1024] {
        let rng = &mut StdRng::seed_from_u64(0);
        let mut batches = data.batches(size).drop_last().shuffle(rng);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("{size}x784"), |bencher| {
            bencher.iter(|| {
                batches.next().unwrap_or_else(|| {
                    batches = data.batches(size).drop_last().shuffle(rng);
                    batches.next().expect("60,000 rows")
                })
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
