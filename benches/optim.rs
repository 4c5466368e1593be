//! One step of every rule, on the weight of a wide layer and on that of a narrow one. An element is one parameter.

mod settings;

use criterion::{BenchmarkGroup, Throughput, measurement::WallTime};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::ndarray::Array2;
use wengert::optim::{Adam, for_every_rule};
use wengert::prelude::*;

const SHAPES: [[usize; 2]; 2] = [[512, 784], [64, 10]];

fn main() {
    let mut criterion = settings::criterion();
    for [rows, columns] in SHAPES {
        let mut group = criterion.benchmark_group(format!("optim/{rows}x{columns}"));
        group.throughput(Throughput::Elements((rows * columns) as u64));
        every_rule(&mut Bench { group, shape: [rows, columns] });
    }
    criterion.final_summary();
}

/// As they are by default, and with options that change what a step costs.
fn every_rule(bench: &mut Bench<'_>) {
    macro_rules! defaults {
        ($($rule:ty),*) => {
            $(bench.rule(&<$rule as Rule>::NAME.to_lowercase(), <$rule>::default());)*
        };
    }
    for_every_rule!(defaults!);
    bench.rule("sgd, momentum", Sgd { momentum: 0.9, ..Sgd::default() });
    bench.rule("rmsprop, centered", RmsProp { centered: true, ..RmsProp::default() });
    bench.rule("rmsprop, momentum", RmsProp { momentum: 0.9, ..RmsProp::default() });
    bench.rule("adam, amsgrad", Adam { amsgrad: true, ..Adam::default() });
    bench.rule("adamw", Adam::w());
}

struct Bench<'c> {
    group: BenchmarkGroup<'c, WallTime>,
    shape: [usize; 2],
}

impl Bench<'_> {
    fn rule<R: Rule>(&mut self, name: &str, rule: R) {
        let rng = &mut StdRng::seed_from_u64(0);
        let mut draw = || Array2::from_shape_simple_fn(self.shape, || rng.random_range(-1.0..1.0_f32));
        let mut param = Param::from(draw());
        // Two gradients in turns: with one, a centered variance becomes 0 and no sign ever changes.
        let grads = [draw(), draw()].map(|grad| {
            let mut grads = Gradients::default();
            grads.set(&param, grad);
            grads
        });
        let mut turn = grads.iter().cycle();
        let mut opt = Optimizer::new(rule);
        self.group.bench_function(name, |bencher| {
            bencher.iter(|| opt.step(&mut param, turn.next().expect("endless")));
        });
    }
}
