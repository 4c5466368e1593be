//! The matrix products of a training step, as the layers of `programs/steps.rs` ask for them; the last layer has 10
//! columns. An element of the throughput is one floating-point operation: Gelem/s are GFLOP/s.

mod settings;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use wengert::autodiff::Real;
use wengert::autodiff::compute::Gemm;
use wengert::ndarray::{Array2, ArrayView2};

/// Name, batch size, width of each layer. Batches of 1 and 8 are what inference and reinforcement learning have.
const NETWORKS: [(&str, usize, [usize; 4]); 5] = [
    ("S", 32, [784, 128, 64, 10]),
    ("M", 128, [784, 512, 512, 10]),
    ("L", 512, [784, 2048, 2048, 10]),
    ("M-batch-1", 1, [784, 512, 512, 10]),
    ("M-batch-8", 8, [784, 512, 512, 10]),
];

fn main() {
    let mut criterion = settings::criterion();
    for (name, batch, widths) in NETWORKS {
        network(&mut criterion, name, batch, widths);
    }
    criterion.final_summary();
}

fn network(criterion: &mut Criterion, name: &str, batch: usize, widths: [usize; 4]) {
    let mut group = criterion.benchmark_group(format!("gemm/{name}"));
    for (layer, pair) in widths.windows(2).enumerate() {
        let (inputs, outputs) = (pair[0], pair[1]);
        let (x, w, dy) = (matrix(batch, inputs), matrix(outputs, inputs), matrix(batch, outputs));
        product(&mut group, "forward", x.view(), w.t());
        product(&mut group, "dW", dy.t(), x.view());
        if layer > 0 {
            product(&mut group, "dX", dy.view(), w.view());
        }
    }
}

fn product(
    group: &mut BenchmarkGroup<'_, WallTime>,
    role: &str,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
) {
    let ((m, k), n) = (a.dim(), b.ncols());
    let mut c = Array2::zeros((m, n));
    group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
    group.bench_function(format!("{role} {m}x{k}x{n}"), |bencher| {
        bencher.iter(|| f32::gemm(Gemm { alpha: 1.0, a, b, beta: 0.0, c: c.view_mut() }));
    });
}

fn matrix(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((7 * i + 3 * j) % 11) as f32 - 5.0)
}
