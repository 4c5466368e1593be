//! A model prepared for inference: the steps, and how rows go through them.

mod plan;

use std::cell::Cell;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use wengert_autodiff::compute::{PRODUCTS_TO_DIVIDE, PackedMatrix, join, threads};
use wengert_autodiff::{activation, vectorized};

use crate::{Activation, Sequential};
use plan::Plan;
pub use plan::PrepareError;

/// Rows that go through all layers before the next ones do, so that what is between the layers stays in the cache.
const ROWS: usize = 48;

thread_local! {
    /// What is between the layers, kept from call to call: a few buffers of at most `ROWS` rows.
    static BUFFERS: Cell<Vec<Vec<f32>>> = const { Cell::new(Vec::new()) };
}

/// A model made ready to evaluate, and for nothing else: its weights are packed once, as the matrix product reads them,
/// batch norm is part of the dense layer before it, and no tape is kept. It is a copy of the model as it was.
///
/// It takes [`Sequential`]s of [`Dense`](crate::Dense), [`Activation`], [`BatchNorm`](crate::BatchNorm),
/// [`Dropout`](crate::Dropout) and [`Flatten`](crate::Flatten), and [`Residual`](crate::Residual)s and `Sequential`s of
/// these, over rows of numbers, and refuses others. The numbers are those of an
/// [inference tape](wengert_autodiff::Tape::inference) but for rounding, and the same at any number of threads.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_autodiff::ndarray::array;
/// # use wengert_layers::{Activation, BatchNorm, Dense, Prepared, Sequential};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let model = Sequential::new()
///     .with(Dense::new(2, 16, rng))
///     .with(BatchNorm::new(16))
///     .with(Activation::Relu)
///     .with(Dense::new(16, 3, rng));
/// let prepared = Prepared::new(&model)?;
/// let y = prepared.predict(array![[0.5, 1.0], [2.0, -1.0]].view());
/// assert_eq!(y.dim(), (2, 3));
/// # Ok::<(), wengert_layers::PrepareError>(())
/// ```
///
/// Several threads may share one: nothing in it changes.
#[derive(Clone, Debug)]
#[doc(alias("eval", "inference", "freeze", "optimize_for_inference", "predict"))]
pub struct Prepared {
    steps: Vec<Step>,
    inputs: usize,
    outputs: usize,
    /// Multiply-adds per row.
    products: usize,
}

#[derive(Clone, Debug)]
enum Step {
    /// `y = x W + b`.
    Dense {
        weight: PackedMatrix,
        bias: Vec<f32>,
    },
    /// `y = (x - mean) factor + shift` for each column.
    Scale(Vec<Scale>),
    Activation(Activation),
    /// `y = x + f(x)`.
    Residual(Vec<Step>),
}

/// Batch norm of one channel.
#[derive(Clone, Copy, Debug)]
struct Scale {
    mean: f32,
    factor: f32,
    shift: f32,
}

impl Prepared {
    /// Copies and packs the model's weights.
    ///
    /// # Errors
    ///
    /// If there is a layer of another kind, if shapes do not fit, or if no layer tells the number of inputs. The error
    /// names the layer as its parameters are named.
    #[doc(alias = "prepare")]
    pub fn new(model: &Sequential) -> Result<Self, PrepareError> {
        Plan::of(model)
    }

    /// The numbers in a row of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The numbers in a row of the output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The model's outputs `[n, outputs]` for `x: [n, inputs]`.
    ///
    /// # Panics
    ///
    /// If `x` has another number of columns.
    #[track_caller]
    pub fn predict(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut y = Array2::zeros((x.nrows(), self.outputs));
        self.predict_into(x, y.view_mut());
        y
    }

    /// [`predict`](Self::predict) into `y: [n, outputs]`, whatever that holds: takes no new memory after the first call
    /// of a thread.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    pub fn predict_into(&self, x: ArrayView2<'_, f32>, y: ArrayViewMut2<'_, f32>) {
        let (n, inputs, outputs) = (x.nrows(), self.inputs, self.outputs);
        assert!(
            x.ncols() == inputs && y.dim() == (n, outputs),
            "`predict` needs an input [n, {inputs}] and a place [n, {outputs}], not {:?} and {:?}",
            x.shape(),
            y.shape()
        );
        let threads = if n * self.products < PRODUCTS_TO_DIVIDE { 1 } else { threads() };
        self.divided(threads.min(n), x, y);
    }

    /// Each thread takes some of the rows through all layers.
    fn divided(&self, threads: usize, x: ArrayView2<'_, f32>, mut y: ArrayViewMut2<'_, f32>) {
        if threads < 2 {
            let mut buffers = BUFFERS.take();
            for (x, mut y) in x.axis_chunks_iter(Axis(0), ROWS).zip(y.axis_chunks_iter_mut(Axis(0), ROWS)) {
                if let Some(y) = y.as_slice_mut() {
                    run(&self.steps, x, y, &mut buffers);
                    continue;
                }
                with_buffer(y.len(), &mut buffers, |outputs, buffers| {
                    run(&self.steps, x, outputs, buffers);
                    y.assign(&rows(x.nrows(), outputs));
                });
            }
            return BUFFERS.set(buffers);
        }
        let near = threads / 2;
        let middle = x.nrows() * near / threads;
        let ((x0, x1), (y0, y1)) = (x.split_at(Axis(0), middle), y.split_at(Axis(0), middle));
        join(|| self.divided(near, x0, y0), || self.divided(threads - near, x1, y1));
    }
}

/// What the steps make of some rows, row by row.
fn run(steps: &[Step], x: ArrayView2<'_, f32>, y: &mut [f32], buffers: &mut Vec<Vec<f32>>) {
    let n = x.nrows();
    let dense = steps.iter().enumerate().rev().find_map(|(at, step)| match step {
        Step::Dense { weight, bias } => Some((at, weight, bias)),
        _ => None,
    });
    let behind = match dense {
        None => {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = x);
            steps
        }
        Some((at, weight, bias)) => {
            y.chunks_exact_mut(bias.len().max(1)).for_each(|y| y.copy_from_slice(bias));
            let place = ArrayViewMut2::from_shape((n, bias.len()), &mut *y).expect("a place for n rows");
            if at == 0 {
                weight.add_product(x, place);
            } else {
                with_buffer(n * weight.dim().0, buffers, |inner, buffers| {
                    run(&steps[..at], x, inner, buffers);
                    weight.add_product(rows(n, inner), place);
                });
            }
            &steps[at + 1..]
        }
    };
    for step in behind {
        match step {
            Step::Dense { .. } => unreachable!("it is behind the last one"),
            Step::Scale(scales) => y.chunks_exact_mut(scales.len().max(1)).for_each(|y| scale(y, scales)),
            Step::Activation(which) => activate(*which, y),
            Step::Residual(steps) => with_buffer(y.len(), buffers, |f, buffers| {
                run(steps, rows(n, y), f, buffers);
                y.iter_mut().zip(f).for_each(|(y, f)| *y += *f);
            }),
        }
    }
}

/// Lends one of the buffers; what it holds is arbitrary.
fn with_buffer(len: usize, buffers: &mut Vec<Vec<f32>>, f: impl FnOnce(&mut [f32], &mut Vec<Vec<f32>>)) {
    let mut buffer = buffers.pop().unwrap_or_default();
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    f(&mut buffer[..len], buffers);
    buffers.push(buffer);
}

fn rows(n: usize, elements: &[f32]) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((n, elements.len() / n), elements).expect("whole rows")
}

fn scale(row: &mut [f32], scales: &[Scale]) {
    vectorized(
        #[inline(always)]
        || {
            for (y, scale) in row.iter_mut().zip(scales) {
                *y = (*y - scale.mean) * scale.factor + scale.shift;
            }
        },
    );
}

fn activate(which: Activation, y: &mut [f32]) {
    // The compiler vectorises what is inlined, and what refers to nothing in memory but the elements.
    macro_rules! each {
        ($x:ident => $y:expr) => {
            vectorized(
                #[inline(always)]
                move || {
                    for y in y {
                        let $x = *y;
                        *y = $y;
                    }
                },
            )
        };
    }
    match which {
        Activation::Relu => each!(x => activation::relu(x)),
        Activation::LeakyRelu(slope) => {
            let slope = slope as f32;
            each!(x => activation::leaky_relu(slope, x));
        }
        Activation::Elu(alpha) => {
            let alpha = alpha as f32;
            each!(x => activation::elu(alpha, x));
        }
        Activation::Gelu => each!(x => activation::gelu(x)),
        Activation::GeluTanh => each!(x => activation::gelu_tanh(x)),
        Activation::Silu => each!(x => activation::silu(x)),
        Activation::Softplus => each!(x => activation::softplus(x)),
        Activation::Selu => each!(x => activation::selu(x)),
        Activation::Mish => each!(x => activation::mish(x)),
        Activation::Hardsigmoid => each!(x => activation::hardsigmoid(x)),
        Activation::Hardswish => each!(x => activation::hardswish(x)),
        Activation::Softsign => each!(x => activation::softsign(x)),
        Activation::Tanh => each!(x => activation::tanh(x)),
        Activation::Sigmoid => each!(x => activation::sigmoid(x)),
    }
}
