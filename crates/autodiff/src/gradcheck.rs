use std::fmt;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::tape::{Kind, Node};
use crate::{Gradients, Module, Tape, Tensor, Var};

/// How often each input is moved, each time in another random direction.
const DIRECTIONS: usize = 4;

/// Rounding leaves a numeric derivative uncertain by about 1e-13 of the value. Derivatives below this part of the value
/// are compared on its scale, so that this noise stays below a relative error of 1e-7.
const RESOLUTION: f64 = 1e-5;

/// Compares the gradients that `backward` gives for `f` with numeric derivatives, in `f64`.
///
/// With the Jacobian `J` of `f` with respect to one input, and random `v` and `w`, `⟨v, Jᵀ w⟩` is what backward says
/// about moving the input along `v`, and `d/dh ⟨w, f(x + h v)⟩` at `h = 0` is what happens. The two agree for all `v`
/// and `w` only if every element of `J` is right. The result of `f` may have any shape. Random ops such as dropout draw
/// the same numbers in every evaluation.
///
/// A derivative that jumps (`relu` at 0) has no numeric counterpart: keep the inputs at least 0.01 away from there.
///
/// ```
/// use wengert_autodiff::{Tensor, check_gradients};
///
/// let x = Tensor::from_shape_fn(vec![2, 3], |at| (at[0] + at[1]) as f64);
/// check_gradients(|_, x| (x[0] * x[1]).tanh(), &[x.clone(), x]).assert(1e-7);
/// ```
///
/// # Panics
///
/// If there are no inputs.
#[doc(alias("gradcheck", "check_grads"))]
#[track_caller]
pub fn check_gradients(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[Tensor<f64>],
) -> GradientReport {
    assert!(!inputs.is_empty(), "`check_gradients` needs at least one input");
    let mut rng = StdRng::seed_from_u64(0);
    let mut reports = Vec::new();
    for _ in 0..DIRECTIONS {
        let tape = Tape::with_seed(0);
        let x: Vec<_> = inputs.iter().map(|input| tape.variable(input.clone())).collect();
        let run = Run::new(f(&tape, &x), &mut rng);
        for (input, &x) in x.iter().enumerate() {
            let moved = format!("input {input}");
            reports.push(run.compare(
                moved,
                run.grads.wrt(x),
                inputs[input].shape(),
                &mut rng,
                |h, direction| {
                    let mut inputs = inputs.to_vec();
                    inputs[input].scaled_add(h, direction);
                    let tape = Tape::with_seed(0);
                    let x: Vec<_> = inputs.into_iter().map(|input| tape.constant(input)).collect();
                    f(&tape, &x).value()
                },
            ));
        }
    }
    worst(reports)
}

/// Compares the gradients of a model's parameters with numeric derivatives, as [`check_gradients`] does for inputs.
///
/// `f` is the model's output, of any shape: every evaluation is on a tape of its own, which records and has one seed.
///
/// ```
/// use wengert_autodiff::{Param, check_module_gradients, module};
///
/// #[derive(Clone)]
/// struct Line {
///     slope: Param<f64>,
///     offset: Param<f64>,
/// }
///
/// module!(Line: f64 { slope, offset });
///
/// let line = Line { slope: ndarray::arr0(2.0).into(), offset: ndarray::arr0(1.0).into() };
/// let report = check_module_gradients(&line, |line, tape| {
///     (tape.param(&line.slope) * tape.constant([1.0, 2.0]) + tape.param(&line.offset)).tanh()
/// });
/// report.assert(1e-7);
/// ```
///
/// # Panics
///
/// If the model has no parameters.
#[track_caller]
pub fn check_module_gradients<M: Module<f64> + Clone>(
    model: &M,
    f: impl for<'t> Fn(&M, &'t Tape<f64>) -> Var<'t, f64>,
) -> GradientReport {
    let params = model.params();
    assert!(!params.is_empty(), "`check_module_gradients` needs a model with parameters");
    let mut rng = StdRng::seed_from_u64(0);
    let mut reports = Vec::new();
    for _ in 0..DIRECTIONS {
        let run = Run::new(f(model, &Tape::with_seed(0)), &mut rng);
        for (name, param) in &params {
            let moved = format!("parameter `{name}`");
            reports.push(run.compare(
                moved,
                run.grads.get(param),
                param.shape(),
                &mut rng,
                |h, direction| {
                    let mut model = model.clone();
                    let param = model.param_mut(name).expect("a clone has the same parameters");
                    param.value_mut().scaled_add(h, direction);
                    f(&model, &Tape::with_seed(0)).value()
                },
            ));
        }
    }
    worst(reports)
}

fn worst(reports: Vec<GradientReport>) -> GradientReport {
    // In the total order NaN is above everything.
    let worst = reports.into_iter().max_by(|a, b| a.relative_error.total_cmp(&b.relative_error));
    worst.expect("at least one tensor was moved")
}

/// What backward says for one random `w`.
struct Run {
    ops: Vec<&'static str>,
    w: Tensor<f64>,
    /// `Σ |w · y|`
    magnitude: f64,
    /// `Jᵀ w`
    grads: Gradients<f64>,
}

impl Run {
    #[track_caller]
    fn new(y: Var<'_, f64>, rng: &mut StdRng) -> Self {
        let tape = y.tape();
        let is_op = |node: &&Node<f64>| matches!(node.kind, Kind::Op { .. });
        let ops = tape.nodes.borrow().iter().filter(is_op).map(|node| node.op).collect();
        let w = random(&y.shape(), rng);
        let weighted = y * tape.constant(w.clone());
        let magnitude = weighted.value().mapv(f64::abs).sum();
        Self { ops, w, magnitude, grads: weighted.sum().gradients() }
    }

    /// Along a random direction in which a tensor of this shape is moved: `y(h, v)` is the result after a move by `h
    /// v`.
    fn compare(
        &self,
        moved: String,
        gradient: Option<&Tensor<f64>>,
        shape: &[usize],
        rng: &mut StdRng,
        y: impl Fn(f64, &Tensor<f64>) -> Tensor<f64>,
    ) -> GradientReport {
        let direction = random(shape, rng);
        // Without a gradient the result should not depend on the tensor.
        let terms = gradient.map_or_else(|| Tensor::zeros(shape), |gradient| (&direction * gradient).into());
        let analytic = terms.sum();
        let numeric = slope(|h| (y(h, &direction) * &self.w).sum());
        let scale = terms.mapv(f64::abs).sum().max(numeric.abs()).max(RESOLUTION * self.magnitude);
        let relative_error = if analytic == numeric { 0.0 } else { ((analytic - numeric) / scale).abs() };
        GradientReport { ops: self.ops.clone(), moved, direction, analytic, numeric, relative_error }
    }
}

/// Uniform in [-1, 1).
fn random(shape: &[usize], rng: &mut StdRng) -> Tensor<f64> {
    Tensor::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0))
}

/// The derivative of `f` at 0 (C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", 1982): central
/// differences with ever smaller steps `h`, whose errors are series in `h²` that extrapolation removes term by term. Of
/// all results the one is taken that agrees best with the two it was made from.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let (mut best, mut least) = (f64::NAN, f64::INFINITY);
    let mut h = 0.01;
    let mut coarse: Vec<f64> = Vec::new();
    for _ in 0..6 {
        let mut fine = vec![(f(h) - f(-h)) / (2.0 * h)];
        let mut gain = 1.0;
        for (term, before) in coarse.into_iter().enumerate() {
            gain *= 4.0;
            let extrapolated = (gain * fine[term] - before) / (gain - 1.0);
            let error = (extrapolated - fine[term]).abs().max((extrapolated - before).abs());
            if error < least {
                (best, least) = (extrapolated, error);
            }
            fine.push(extrapolated);
        }
        coarse = fine;
        h /= 2.0;
    }
    best
}

/// What [`check_gradients`] and [`check_module_gradients`] found where the two derivatives differ most.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GradientReport {
    /// The ops that ran, in order; the last one gave the result.
    pub ops: Vec<&'static str>,
    /// What was moved: `"input 0"`, ``"parameter `hidden.weight`"``.
    pub moved: String,
    /// The direction it was moved in, of the same shape.
    pub direction: Tensor<f64>,
    /// The derivative along it according to `backward`.
    pub analytic: f64,
    /// The derivative along it according to the values.
    pub numeric: f64,
    /// Their difference, relative to the magnitude of what the derivative sums over; NaN if one of them is NaN.
    pub relative_error: f64,
}

impl GradientReport {
    /// Panics with the report if the relative error is above `tolerance`.
    #[track_caller]
    pub fn assert(&self, tolerance: f64) {
        assert!(self.relative_error <= tolerance, "the gradient is wrong beyond {tolerance:e}: {self}");
    }
}

impl fmt::Display for GradientReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.ops.last().unwrap_or(&"(no op)");
        writeln!(f, "`{last}`, {}: relative error {:.1e}", self.moved, self.relative_error)?;
        writeln!(f, "  backward {:?}, numeric {:?}", self.analytic, self.numeric)?;
        writeln!(f, "  all ops: {}", self.ops.join(", "))?;
        write!(f, "  along {}", self.direction)
    }
}
