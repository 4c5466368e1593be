//! Plays a case with our optimizer and compares every step and the state at the end.

use serde_json::Value;
use wengert_autodiff::{Gradients, Param, Tensor, module};
use wengert_optim::{Optimizer, RmsProp, RmsPropState, Rule, Sgd, SgdState};

use crate::mapping::Mapped;
use crate::recording::{Case, Problem};

const TOLERANCE: f64 = 1e-12;

struct Model {
    a: Param<f64>,
    b: Param<f64>,
}

module!(Model: f64 { a, b });

pub(crate) trait Replayed: Rule<f64> {
    fn set_lr(&mut self, lr: f64);

    /// The tensor that the framework keeps as `slot`, and the factor from ours to theirs; `None` if ours keeps nothing.
    fn slot<'s>(&self, framework: &str, slot: &str, state: &'s Self::State)
    -> Option<(&'s Tensor<f64>, f64)>;

    /// What the framework keeps as the single number `slot`.
    fn number(_state: &Self::State, slot: &str) -> f64 {
        panic!("an unknown number `{slot}`");
    }

    fn steps(state: &Self::State) -> u64;
}

pub(crate) fn replay<R: Replayed>(case: &Case, problem: &Problem, rule: Mapped<R>) {
    let what = format!("{} {} {:?} on {}", case.framework, case.rule, case.options, case.problem);
    let mut model =
        Model { a: Param::new(problem.params.a.tensor()), b: Param::new(problem.params.b.tensor()) };
    let mut scale_a = magnitude(model.a.value());
    let mut scale_b = magnitude(model.b.value());
    let mut opt = Optimizer::new(rule.default);
    if let Some(rule) = rule.for_b {
        opt = opt.with_group("b", rule);
    }
    assert!(!case.params_after.is_empty(), "{what}: an empty recording");
    for (index, after) in case.params_after.iter().enumerate() {
        if let Some(&lr) = case.lr_changes.get(&(index + 1)) {
            opt.rules_mut().for_each(|rule| rule.set_lr(lr));
        }
        let grads = gradients(problem, index, &model);
        opt.step(&mut model, &grads);
        let at = format!("{what}, step {}", index + 1);
        compare(&format!("{at}, a"), model.a.value(), &after.a, &mut scale_a);
        compare(&format!("{at}, b"), model.b.value(), &after.b, &mut scale_b);
    }
    let Some(recorded) = &case.state_after else { return };
    for (name, slots) in [("a", &recorded.a), ("b", &recorded.b)] {
        let state = opt.state(name).expect("both parameters had gradients");
        for (slot, recorded) in slots {
            compare_slot(&format!("{what}, {name}, slot {slot}"), opt.rule(), case, slot, recorded, state);
        }
    }
}

fn gradients(problem: &Problem, step: usize, model: &Model) -> Gradients<f64> {
    let mut grads = Gradients::default();
    if let Some(curvature) = &problem.curvature {
        grads.set(&model.a, curvature.a.tensor() * model.a.value());
        grads.set(&model.b, curvature.b.tensor() * model.b.value());
        return grads;
    }
    for (param, grad) in [(&model.a, &problem.grads[step].a), (&model.b, &problem.grads[step].b)] {
        if let Some(grad) = grad {
            grads.set(param, grad.tensor());
        }
    }
    grads
}

fn magnitude(x: &Tensor<f64>) -> Vec<f64> {
    x.iter().map(|x| x.abs()).collect()
}

/// Within the tolerance of the largest magnitude that the element has had so far: one that passes near zero has fewer
/// correct digits in any implementation that adds in another order.
fn compare(what: &str, ours: &Tensor<f64>, recorded: &[f64], scale: &mut [f64]) {
    assert_eq!(ours.len(), recorded.len(), "{what}");
    for ((&ours, &recorded), scale) in ours.iter().zip(recorded).zip(scale) {
        *scale = scale.max(recorded.abs());
        assert!((ours - recorded).abs() <= TOLERANCE * *scale, "{what}: {ours:e}, recorded {recorded:e}");
    }
}

fn compare_slot<R: Replayed>(
    what: &str,
    rule: &R,
    case: &Case,
    slot: &str,
    recorded: &Value,
    state: &R::State,
) {
    if slot == "step" {
        assert_eq!(Some(R::steps(state) as f64), recorded.as_f64(), "{what}");
        return;
    }
    if let Some(recorded) = recorded.as_f64() {
        let ours = R::number(state, slot);
        assert!(
            (ours - recorded).abs() <= TOLERANCE * recorded.abs(),
            "{what}: {ours:e}, recorded {recorded:e}"
        );
        return;
    }
    // Keras adds (g - m) (1 - β₁): with β₁ = 0 that leaves the rounding of the old m, up to 1e3, in the new one.
    if slot == "momentum" && case.options.get("beta_1").and_then(Value::as_f64) == Some(0.0) {
        return;
    }
    let Some((ours, factor)) = rule.slot(&case.framework, slot, state) else { return };
    let recorded: Vec<f64> = serde_json::from_value(recorded.clone()).expect("a list of numbers");
    let ours = ours.mapv(|x| factor * x).into_shared();
    let largest = recorded.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    compare(what, &ours, &recorded, &mut vec![largest; recorded.len()]);
}

impl Replayed for RmsProp {
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn slot<'s>(
        &self,
        framework: &str,
        slot: &str,
        state: &'s RmsPropState<f64>,
    ) -> Option<(&'s Tensor<f64>, f64)> {
        match slot {
            "square_avg" | "velocity" | "nu" | "rms" => Some((&state.v, 1.0)),
            // optax's scalings climb in our words, which turns our gradients round.
            "mu" if self.maximize => Some((state.m.as_ref().expect("centered"), -1.0)),
            "grad_avg" | "average_gradient" | "mu" | "mg" => Some((state.m.as_ref().expect("centered"), 1.0)),
            // TensorFlow keeps a buffer without momentum too: the last update.
            "momentum" if framework == "tf1" && self.momentum == 0.0 => None,
            "momentum_buffer" | "momentum" => Some((state.buffer.as_ref().expect("momentum"), 1.0)),
            // optax's updates have the sign of a descent.
            "trace" => Some((state.buffer.as_ref().expect("momentum"), -1.0)),
            other => panic!("an unknown slot `{other}` of {framework}"),
        }
    }

    fn steps(state: &RmsPropState<f64>) -> u64 {
        state.steps
    }
}

impl Replayed for Sgd {
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn slot<'s>(
        &self,
        framework: &str,
        slot: &str,
        state: &'s SgdState<f64>,
    ) -> Option<(&'s Tensor<f64>, f64)> {
        let buffer = state.buffer.as_ref().expect("momentum");
        match (framework, slot) {
            ("torch", "momentum_buffer") | ("optax", "trace") => Some((buffer, 1.0)),
            // With the rate and the sign inside.
            ("keras", "momentum") => Some((buffer, -self.lr)),
            other => panic!("an unknown slot {other:?}"),
        }
    }

    fn steps(state: &SgdState<f64>) -> u64 {
        state.steps
    }
}
