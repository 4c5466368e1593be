//! Each instruction set that this CPU has computes the same; what has the same bits, and what only nearly. One test,
//! since the choice is the process's.

use wengert_autodiff::compute::{InstructionSet, set_instruction_set, set_reproducible};
use wengert_autodiff::{ConvOptions, Real, Tape, Tensor, Var};

fn noise<F: Real>(shape: &[usize], seed: usize) -> Tensor<F> {
    let mut i = seed;
    Tensor::from_shape_simple_fn(shape, || {
        i += 7919;
        F::from_f64((i as f64 * 0.618).fract() * 4.0 - 2.0)
    })
}

/// The value of `op` and the gradients of both operands, one after the other.
fn results<F: Real>(op: for<'t> fn(Var<'t, F>, Var<'t, F>) -> Var<'t, F>, shapes: [&[usize]; 2]) -> Vec<f64> {
    let tape = Tape::new();
    let [a, b] = [0, 1].map(|i| tape.variable(noise::<F>(shapes[i], i)));
    let y = op(a, b);
    let value = y.value();
    let weights = noise(&y.shape(), 5);
    let grads = (y * tape.constant(weights)).sum().backward();
    let tensors = [Some(&value), grads.wrt(a), grads.wrt(b)];
    tensors.into_iter().flatten().flat_map(|x| x.iter().map(|x| x.as_f64())).collect()
}

fn check<F: Real>(unit: f64) {
    type Op<F> = for<'t> fn(Var<'t, F>, Var<'t, F>) -> Var<'t, F>;
    type Product<F> = (&'static str, Op<F>, [&'static [usize]; 2]);
    let elements: [(&str, Op<F>); 5] = [
        ("functions", |a, b| (a.tanh() * b.gelu() + a.exp()).softplus() / b.sigmoid()),
        ("sums", |a, b| a.sum_axes(&[0], false) * b.var_axes(&[0], 1, false)),
        ("norms", |a, b| a.batch_norm(None, None, 1e-5).0 + b.layer_norm(None, None, 1e-5)),
        ("softmax", |a, b| a.log_softmax(1) * b.softmax(0)),
        ("pooling", |a, b| {
            let [a, b] = [a, b].map(|x| x.reshape(&[1, 37, 5, 13]));
            a.max_pool2d(2)
                + b.avg_pool2d(2)
                + a.max_pool2d([4, 2]).pad(&[(0, 0), (0, 0), (0, 1), (0, 0)], 0.0)
        }),
    ];
    let products: [Product<F>; 4] = [
        ("matmul", |a, b| a.matmul(b), [&[130, 257], &[257, 65]]),
        ("linear", |x, w| x.linear(w, None).relu(), [&[64, 801], &[100, 801]]),
        ("convolution", |x, w| x.conv2d(w, None, ConvOptions::default()), [&[40, 3, 14, 9], &[13, 3, 3, 5]]),
        ("a single row", |x, w| x.linear(w, None), [&[1, 300], &[40, 300]]),
    ];
    let sets = [InstructionSet::Portable, InstructionSet::Avx2, InstructionSet::Avx512];
    let sets: Vec<_> = sets.into_iter().filter(|&set| set <= InstructionSet::best()).collect();
    let with = |set, reproducible, run: &dyn Fn() -> Vec<f64>| {
        set_instruction_set(set);
        set_reproducible(reproducible);
        run()
    };
    for (name, op) in elements {
        let run = || results(op, [&[37, 65], &[37, 65]]);
        let expected = with(InstructionSet::Portable, false, &run);
        for &set in &sets {
            assert_eq!(with(set, false, &run), expected, "{name} with {set:?}");
        }
    }
    for (name, op, shapes) in products {
        let run = || results(op, shapes);
        let expected = with(InstructionSet::Portable, true, &run);
        for &set in &sets {
            assert_eq!(with(set, true, &run), expected, "{name} with {set:?}");
            // |x| |y| is below 4 for each of at most 801 products.
            for (found, expected) in with(set, false, &run).iter().zip(&expected) {
                let error = (found - expected).abs();
                assert!(error <= 4.0 * 801.0 * 801.0 * unit, "{name} with {set:?}: {found}, {expected}");
            }
        }
    }
}

#[test]
fn every_instruction_set_computes_the_same() {
    check::<f32>(f64::from(f32::EPSILON));
    check::<f64>(f64::EPSILON);
}
