//! Recurrences: `h` of a step follows from that step's input and the `h` before. `dy` is the upstream gradient.
//!
//! Each is one op for all steps. Out of elementary ops, as in this crate's tests, a step makes a dozen small tensors,
//! and the gradient of what it takes of the input is as large as the whole sequence, which makes the way back quadratic
//! in the number of steps. Here a step back is one product and a loop, and the weight's gradient one product for all
//! steps together.
//!
//! The local derivatives are formed on the way, where the exponentials are at hand; a step keeps them, and no
//! activation.

mod gru;
mod lstm;
mod rnn;

use std::sync::{Arc, OnceLock};

use ndarray::ArrayView2;

use crate::compute::layout::{self, ROW_MAJOR};
use crate::compute::sum::add_slice;
use crate::compute::{buffers, inlined, reduce, vectorized};
use crate::ops::elementwise::sigmoid;
use crate::ops::matmul::{gemm, matrix, matrix_mut};
use crate::{Real, Tensor, Var};

/// One step of one sample, forward and back; all slices hold a multiple of as many numbers as there are units.
trait Cell<F: Real>: Copy + Send + Sync + 'static {
    /// How many gates a unit has.
    const GATES: usize;
    /// How many numbers a step keeps for each unit.
    const KEPT: usize;
    /// Whether there is a memory `c` beside `h`.
    const MEMORY: bool;
    /// Whether the gradients of the gates' two parts differ, that from the input and that from `h`.
    const APART: bool;

    /// `h` is the one before. `gates` brings the part of the gates that comes from `h` and may be overwritten.
    fn forward(self, x: &[F], gates: &mut [F], h: &[F], c: &mut [F], y: &mut [F], kept: &mut [F]);

    /// `dh` comes as the gradient of this step's `h`, and leaves as that of the one before, without what flows through
    /// the gates; `dc` likewise. `dgates` is empty unless the parts are [`APART`](Cell::APART).
    fn backward(self, kept: &[F], dh: &mut [F], dc: &mut [F], dx: &mut [F], dgates: &mut [F]);
}

/// Sizes, and the order of the steps.
#[derive(Clone, Copy)]
struct Plan {
    steps: usize,
    batch: usize,
    units: usize,
    /// Rows of the weight.
    gates: usize,
    reverse: bool,
}

impl Plan {
    /// Where in the sequence the `k`-th step is.
    fn place(self, k: usize) -> usize {
        if self.reverse { self.steps - 1 - k } else { k }
    }
}

impl<F: Real> Var<'_, F> {
    /// Runs a cell over `x: [steps, batch, gates]` from the state `h0` and, where it has a memory, `c0`. The result is
    /// `h` after every step, `[steps, batch, units]`; with a memory, the last `c` follows as one more step.
    #[track_caller]
    fn recurrence<C: Cell<F>>(
        self,
        op: &'static str,
        cell: C,
        [h0, c0]: [Option<Self>; 2],
        weight: Self,
        bias: Option<Self>,
        reverse: bool,
    ) -> Self {
        let plan = self.plan::<C>(op, [h0, c0], weight, bias, reverse);
        let Plan { steps, batch, units, .. } = plan;
        let kept_steps = [Some(self), h0, c0, Some(weight), bias].into_iter().flatten().any(Self::needs_grad);
        let row_major = |x: Option<Self>| x.map(|x| layout::row_major(x.value()));
        let mut run = Run {
            cell,
            plan,
            h0: row_major(h0),
            weight: weight.value(),
            kept: buffers::scratch(&[if kept_steps { steps } else { 1 }, batch, units * C::KEPT]),
            y: buffers::scratch(&[steps + usize::from(C::MEMORY), batch, units]),
            back: OnceLock::new(),
        };
        run.forward(&layout::row_major(self.value()), row_major(c0), bias.map(Self::value));
        let y = run.y.clone();
        let run = Arc::new(run);

        let mut edges = Vec::with_capacity(5);
        let shared = run.clone();
        edges.push(weight.edge(move |dy| shared.weight_gradient(dy)));
        if let Some(bias) = bias {
            let shared = run.clone();
            edges.push(bias.edge(move |dy| reduce::sum_to(shared.back(dy).dgates.clone(), &[plan.gates])));
        }
        if let Some(h0) = h0 {
            let shared = run.clone();
            edges.push(h0.edge(move |dy| shared.back(dy).dh.clone()));
        }
        if let Some(c0) = c0 {
            let shared = run.clone();
            edges.push(c0.edge(move |dy| shared.back(dy).dc.clone()));
        }
        edges.push(self.edge(move |dy| {
            run.back(dy);
            Run::into_input_gradient(run)
        }));
        self.tape().record_many(op, y, edges)
    }

    #[track_caller]
    fn plan<C: Cell<F>>(
        self,
        op: &str,
        states: [Option<Self>; 2],
        weight: Self,
        bias: Option<Self>,
        reverse: bool,
    ) -> Plan {
        states.into_iter().chain([Some(weight), bias]).flatten().for_each(|other| self.same_tape(op, other));
        let (x, w) = (self.shape(), weight.shape());
        let fits = matches!((&*x, &*w), (&[_, _, gates], &[rows, units]) if gates == rows && rows == C::GATES * units);
        assert!(
            fits,
            "`{op}`: input {x:?} and weight {w:?} do not fit: [steps, batch, {0}·h] and [{0}·h, h] are needed",
            C::GATES
        );
        let (plan, h) = (Plan { steps: x[0], batch: x[1], units: w[1], gates: w[0], reverse }, [x[1], w[1]]);
        assert!(plan.steps > 0, "`{op}` needs at least one step, the input has shape {x:?}");
        for state in states.into_iter().flatten().map(Self::shape) {
            assert!(state == h, "`{op}`: an initial state of shape {state:?}: [batch, h] is needed, {h:?}");
        }
        if let Some(bias) = bias.map(Self::shape) {
            assert!(
                bias == [plan.gates],
                "`{op}`: bias {bias:?} and weight {w:?} do not fit: [{}·h]",
                C::GATES
            );
        }
        plan
    }
}

/// What the edges share: the first of them that runs walks all steps back.
struct Run<F: Real, C> {
    cell: C,
    plan: Plan,
    h0: Option<Tensor<F>>,
    weight: Tensor<F>,
    /// Of all steps, or only of the last one where there is no way back.
    kept: Tensor<F>,
    y: Tensor<F>,
    back: OnceLock<Back<F>>,
}

struct Back<F: Real> {
    /// Of the gates' part that comes from the input, `[steps, batch, gates]`.
    dx: Tensor<F>,
    /// Of the part that comes from `h`.
    dgates: Tensor<F>,
    /// Of the initial state.
    dh: Tensor<F>,
    dc: Tensor<F>,
}

impl<F: Real, C: Cell<F>> Run<F, C> {
    fn forward(&mut self, x: &Tensor<F>, c0: Option<Tensor<F>>, bias: Option<Tensor<F>>) {
        let Plan { steps, batch, units, gates, .. } = self.plan;
        let (state, of_gates, of_kept) = (batch * units, batch * gates, batch * units * C::KEPT);
        let mut c = c0.unwrap_or_else(|| Tensor::zeros(vec![if C::MEMORY { batch } else { 0 }, units]));
        let zeros = Tensor::zeros(vec![batch, units]);
        let mut part = buffers::scratch(&[batch, gates]);
        for k in 0..steps {
            let t = self.plan.place(k);
            let (before, y) = before_and_at(slice_mut(&mut self.y), state, k, self.plan);
            let h = before.or(self.h0.as_ref().map(slice));
            part_of_gates(h, &self.weight, bias.as_ref(), &mut part);
            let (x, h) = (row(slice(x), t, of_gates), h.unwrap_or(slice(&zeros)));
            let at = if self.kept.shape()[0] == steps { t } else { 0 };
            let kept = row_mut(slice_mut(&mut self.kept), at, of_kept);
            let (part, c) = (slice_mut(&mut part), slice_mut(&mut c));
            vectorized(inlined!(|| {
                for b in 0..batch {
                    self.cell.forward(
                        row(x, b, gates),
                        row_mut(part, b, gates),
                        row(h, b, units),
                        if C::MEMORY { row_mut(c, b, units) } else { &mut [] },
                        row_mut(y, b, units),
                        row_mut(kept, b, units * C::KEPT),
                    );
                }
            }));
        }
        buffers::recycle(part);
        if C::MEMORY {
            row_mut(slice_mut(&mut self.y), steps, state).copy_from_slice(slice(&c));
        }
    }

    /// The gradients, computed by the first call. All are called with the same `dy`.
    fn back(&self, dy: Tensor<F>) -> &Back<F> {
        self.back.get_or_init(|| self.walk_back(layout::row_major(dy)))
    }

    fn walk_back(&self, dy: Tensor<F>) -> Back<F> {
        let Plan { steps, batch, units, gates, .. } = self.plan;
        let (state, of_gates, of_kept) = (batch * units, batch * gates, batch * units * C::KEPT);
        let mut dx = buffers::scratch(&[steps, batch, gates]);
        let mut apart = C::APART.then(|| buffers::scratch(&[steps, batch, gates]));
        let mut dh = Tensor::zeros(vec![batch, units]);
        let mut dc = Tensor::zeros(vec![if C::MEMORY { batch } else { 0 }, units]);
        if C::MEMORY {
            slice_mut(&mut dc).copy_from_slice(&slice(&dy)[steps * state..]);
        }
        let kept = slice(&self.kept);
        for k in (0..steps).rev() {
            let t = self.plan.place(k);
            let kept = row(kept, t, of_kept);
            let dx = row_mut(slice_mut(&mut dx), t, of_gates);
            let mut apart = apart.as_mut().map(|apart| row_mut(slice_mut(apart), t, of_gates));
            let (dh_now, dc) = (slice_mut(&mut dh), slice_mut(&mut dc));
            vectorized(inlined!(|| {
                add_slice(dh_now, row(slice(&dy), t, state));
                for b in 0..batch {
                    let dc = if C::MEMORY { row_mut(dc, b, units) } else { &mut [] };
                    let dgates = apart.as_deref_mut().map_or(&mut [][..], |apart| row_mut(apart, b, gates));
                    let (kept, dx) = (row(kept, b, units * C::KEPT), row_mut(dx, b, gates));
                    self.cell.backward(kept, row_mut(dh_now, b, units), dc, dx, dgates);
                }
            }));
            if k > 0 || self.h0.is_some() {
                let dgates = rows(apart.as_deref().unwrap_or(dx), gates);
                gemm(dgates, matrix(&self.weight), F::ONE, matrix_mut(&mut dh));
            }
        }
        buffers::recycle(dy);
        let dgates = apart.unwrap_or_else(|| dx.clone());
        Back { dx, dgates, dh, dc }
    }

    /// `Σ dgatesᵀ h` with the `h` before each step: one product for all steps but the first, and one for that.
    fn weight_gradient(&self, dy: Tensor<F>) -> Tensor<F> {
        let Plan { steps, batch, units, gates, reverse } = self.plan;
        let dgates = slice(&self.back(dy).dgates);
        let y = slice(&self.y);
        let (later, before) = if reverse { (0, 1) } else { (1, 0) };
        let count = (steps - 1) * batch;
        let part =
            |x, from: usize, n: usize, width: usize| rows(&(x as &[F])[from * width..][..n * width], width);
        let mut dw = buffers::scratch(&[gates, units]);
        let dgates_later = part(dgates, later * batch, count, gates).reversed_axes();
        gemm(dgates_later, part(y, before * batch, count, units), F::ZERO, matrix_mut(&mut dw));
        if let Some(h0) = &self.h0 {
            let first = part(dgates, self.plan.place(0) * batch, batch, gates).reversed_axes();
            gemm(first, rows(slice(h0), units), F::ONE, matrix_mut(&mut dw));
        }
        dw
    }

    /// The last edge's: nothing else needs the rest any more.
    fn into_input_gradient(run: Arc<Self>) -> Tensor<F> {
        match Arc::try_unwrap(run) {
            Ok(Self { kept, back, .. }) => {
                let Back { dx, dgates, .. } = back.into_inner().expect("computed before");
                buffers::recycle(dgates);
                buffers::recycle(kept);
                dx
            }
            Err(run) => run.back.get().expect("computed before").dx.clone(),
        }
    }
}

/// `part ← h Wᵀ + b`.
fn part_of_gates<F: Real>(h: Option<&[F]>, w: &Tensor<F>, bias: Option<&Tensor<F>>, part: &mut Tensor<F>) {
    match bias {
        Some(bias) => layout::fill_rows(part, bias),
        None => part.fill(F::ZERO),
    }
    if let Some(h) = h {
        gemm(rows(h, w.shape()[1]), matrix(w).reversed_axes(), F::ONE, matrix_mut(part));
    }
}

/// The `h` before the `k`-th step, unless that is the first, and the place of the one after it.
fn before_and_at<F>(y: &mut [F], state: usize, k: usize, plan: Plan) -> (Option<&[F]>, &mut [F]) {
    let t = plan.place(k);
    if plan.reverse {
        let (at, later) = y[t * state..].split_at_mut(state);
        ((k > 0).then_some(&later[..if k > 0 { state } else { 0 }]), at)
    } else {
        let (earlier, at) = y.split_at_mut(t * state);
        ((k > 0).then_some(&earlier[t.saturating_sub(1) * state..]), &mut at[..state])
    }
}

fn slice<F: Real>(x: &Tensor<F>) -> &[F] {
    x.as_slice().expect(ROW_MAJOR)
}

fn slice_mut<F: Real>(x: &mut Tensor<F>) -> &mut [F] {
    x.as_slice_mut().expect(ROW_MAJOR)
}

fn row<F>(x: &[F], index: usize, length: usize) -> &[F] {
    &x[index * length..][..length]
}

fn row_mut<F>(x: &mut [F], index: usize, length: usize) -> &mut [F] {
    &mut x[index * length..][..length]
}

fn rows<F>(x: &[F], width: usize) -> ArrayView2<'_, F> {
    let count = x.len().checked_div(width).unwrap_or(0);
    ArrayView2::from_shape((count, width), x).expect("as many elements")
}

/// Overwrites `gate` with `σ(x + gate)` and `slope` with its derivative.
#[inline(always)]
fn sigmoid_and_slope<F: Real>(x: &[F], gate: &mut [F], slope: &mut [F]) {
    for ((&x, gate), slope) in x.iter().zip(gate).zip(slope) {
        let sum = x + *gate;
        let e = (-sum.abs()).fast_exp();
        *gate = sigmoid(sum);
        *slope = e / ((F::ONE + e) * (F::ONE + e));
    }
}
