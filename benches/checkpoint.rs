//! Files of a network of 669,706 parameters with its RMSProp state (5.4 MB), and of its weights alone (2.7 MB). Saving
//! waits until the disk has the bytes, so it depends on the disk behind the temporary directory.

mod settings;

use std::hint::black_box;

use criterion::Throughput;
use rand::{SeedableRng, rngs::StdRng};
use wengert::layers::Activation;
use wengert::optim::checkpoint::{self, Loaded};
use wengert::prelude::*;

fn main() {
    let mut criterion = settings::criterion();
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model: Sequential = Sequential::new()
        .with(Dense::new(784, 512, rng))
        .with(Activation::Relu)
        .with(Dense::new(512, 512, rng))
        .with(Activation::Relu)
        .with(Dense::new(512, 10, rng));
    let mut opt = Optimizer::new(RmsProp::default());
    let tape = Tape::new();
    let grads = model.forward(tape.constant(Tensor::ones(vec![1, 784]))).cross_entropy(&[0]).backward();
    opt.step(&mut model, &grads);

    let directory = tempfile::tempdir().expect("a temporary directory");
    let run = directory.path().join("run.wgt");
    let weights = directory.path().join("weights.safetensors");
    checkpoint::save(&run, &model, &opt, &0_u64).expect("a file");
    checkpoint::save_weights(&weights, &model).expect("a file");

    let mut group = criterion.benchmark_group("checkpoint");
    let bytes = |path| Throughput::Bytes(std::fs::metadata(path).expect("the file").len());
    group.throughput(bytes(&run));
    group.bench_function("save", |bencher| {
        bencher.iter(|| checkpoint::save(&run, &model, &opt, &0_u64).expect("a file"));
    });
    group.bench_function("load", |bencher| {
        bencher.iter(|| {
            let loaded: Loaded<u64> = checkpoint::load(&run, &mut model, &mut opt).expect("the same network");
            black_box(loaded)
        });
    });
    group.throughput(bytes(&weights));
    group.bench_function("save_weights", |bencher| {
        bencher.iter(|| checkpoint::save_weights(&weights, &model).expect("a file"));
    });
    group.bench_function("load_weights", |bencher| {
        bencher.iter(|| checkpoint::load_weights(&weights, &mut model).expect("the same network"));
    });
    group.finish();
    criterion.final_summary();
}
