//! The traversal: names, groups, writing in place, and what is refused.

use wengert_autodiff::{Buffer, Gradients, Module, Param, Real, Tape, Tensor, module};
use wengert_optim::{InvalidHyperparameter, Optimizer, RmsProp, Rule, Sgd};

struct Layer {
    weight: Param,
    bias: Param,
    mean: Buffer,
}

module!(Layer { weight, bias, mean });

struct Model {
    hidden: Layer,
    out: Layer,
}

module!(Model { hidden, out });

fn param(values: &[f32]) -> Param {
    ndarray::Array1::from(values.to_vec()).into()
}

fn layer() -> Layer {
    Layer { weight: param(&[1.0, 2.0]), bias: param(&[3.0]), mean: ndarray::arr1(&[0.0]).into() }
}

fn model() -> Model {
    Model { hidden: layer(), out: layer() }
}

/// A gradient of `g` for each element of these parameters.
fn grads(g: f32, params: &[&Param]) -> Gradients {
    let mut grads = Gradients::default();
    for param in params {
        grads.set(param, param.value().mapv(|_| g).into_shared());
    }
    grads
}

/// One step with these gradients for the parameters of these names.
fn step<R: Rule<f32>>(opt: &mut Optimizer<R>, model: &mut Model, g: f32, names: &[&str]) {
    let params = model.params();
    let grads = grads(g, &names.iter().map(|&name| params[name]).collect::<Vec<_>>());
    opt.step(model, &grads);
}

fn values(param: &Param) -> &[f32] {
    param.value().as_slice().unwrap()
}

#[test]
fn state_is_named_and_made_by_the_first_gradient() {
    let mut model = model();
    let mut opt = Optimizer::new(RmsProp { rho: 0.75, ..RmsProp::default() });
    step(&mut opt, &mut model, 2.0, &["hidden.weight"]);
    assert_eq!(opt.states().map(|(name, _)| name).collect::<Vec<_>>(), ["hidden.weight"]);
    assert!(opt.state("out.weight").is_none());
    // A parameter that joins late starts its own count and average.
    step(&mut opt, &mut model, 4.0, &["hidden.weight", "out.weight"]);
    let (first, late) = (opt.state("hidden.weight").unwrap(), opt.state("out.weight").unwrap());
    assert_eq!((first.steps, late.steps, opt.steps()), (2, 1, 2));
    assert_eq!(first.v.as_slice().unwrap(), [4.75; 2]); // 0.75 · 1 + 0.25 · 16
    assert_eq!(late.v.as_slice().unwrap(), [4.0; 2]);
}

#[test]
fn no_gradient_is_not_a_zero_gradient() {
    let mut model = model();
    let mut opt = Optimizer::new(Sgd { lr: 0.5, momentum: 0.5, ..Sgd::default() });
    step(&mut opt, &mut model, 1.0, &["hidden.bias", "out.bias"]);
    // One gets a zero gradient, on which momentum acts; the other gets none and rests.
    step(&mut opt, &mut model, 0.0, &["hidden.bias"]);
    assert_eq!(values(&model.hidden.bias), [3.0 - 0.5 - 0.25]);
    assert_eq!(values(&model.out.bias), [3.0 - 0.5]);
    assert_eq!(opt.state("out.bias").unwrap().steps, 1);
}

#[test]
fn sgd_is_pytorch_s_by_hand() {
    let mut model = model();
    let mut opt = Optimizer::new(Sgd { lr: 0.5, momentum: 0.5, dampening: 0.25, ..Sgd::default() });
    for expected in [
        3.0 - 0.5,        // b = g = 1, undamped
        2.5 - 0.5 * 1.25, // b = 0.5 · 1 + 0.75 · 1
    ] {
        step(&mut opt, &mut model, 1.0, &["out.bias"]);
        assert_eq!(values(&model.out.bias), [expected]);
    }
    *opt.rule_mut() = Sgd { lr: 0.5, momentum: 0.5, nesterov: true, ..Sgd::default() };
    step(&mut opt, &mut model, 1.0, &["out.bias"]);
    assert_eq!(values(&model.out.bias), [1.875 - 0.5 * (1.0 + 0.5 * 1.625)]); // b = 0.5 · 1.25 + 1
}

/// A schedule can bring the momentum to zero in the middle of a run; the step is then that of a run without it.
#[test]
fn a_momentum_that_ends_takes_its_dampening_along() {
    let mut opt: Optimizer<Sgd> =
        Optimizer::new(Sgd { lr: 0.5, momentum: 0.5, dampening: 0.25, ..Sgd::default() });
    let mut p: Param = param(&[4.0]);
    let step = |opt: &mut Optimizer<Sgd>, p: &mut Param| {
        let grads = grads(1.0, &[p]);
        let before = p.value()[0];
        opt.step(p, &grads);
        p.value()[0] - before
    };
    step(&mut opt, &mut p);
    assert_eq!(step(&mut opt, &mut p), -0.5 * (0.5 + 0.75));
    opt.rule_mut().momentum = 0.0;
    assert_eq!(step(&mut opt, &mut p), -0.5);
}

#[test]
fn parameters_are_written_in_place() {
    let mut model = model();
    let mut opt = Optimizer::new(RmsProp::default());
    let pointer = model.out.weight.value().as_ptr();
    let mut tape = Tape::new();
    let mut state_pointer = None;
    for _ in 0..3 {
        tape.reset();
        let loss = tape.param(&model.out.weight).square().sum();
        let grads = loss.backward();
        opt.step(&mut model, &grads);
        assert_eq!(model.out.weight.value().as_ptr(), pointer);
        let v = opt.state("out.weight").unwrap().v.as_ptr();
        assert_eq!(*state_pointer.get_or_insert(v), v);
    }
}

#[test]
fn a_shared_array_is_copied_and_the_other_owner_keeps_its_numbers() {
    let mut model = model();
    let kept = model.out.weight.value().clone();
    let mut opt = Optimizer::new(Sgd { lr: 1.0, ..Sgd::default() });
    step(&mut opt, &mut model, 1.0, &["out.weight"]);
    assert_eq!(kept.as_slice().unwrap(), [1.0, 2.0]);
    assert_eq!(values(&model.out.weight), [0.0, 1.0]);
}

#[test]
fn new_values_of_buffers_are_written_by_the_step() {
    let mut model = model();
    let tape = Tape::new();
    tape.update_buffer(&model.out.mean, Tensor::from_elem(vec![1], 7.0));
    let grads = tape.param(&model.out.weight).sum().backward();
    Optimizer::new(Sgd::default()).step(&mut model, &grads);
    assert_eq!(model.out.mean.value().as_slice().unwrap(), [7.0]);
    assert_eq!(model.hidden.mean.value().as_slice().unwrap(), [0.0]);
}

#[test]
fn state_can_be_edited() {
    let mut model = model();
    let mut opt = Optimizer::new(RmsProp { lr: 1.0, rho: 0.0, ..RmsProp::default() });
    step(&mut opt, &mut model, 1.0, &["out.bias"]);
    opt.rule_mut().rho = 0.75;
    opt.state_mut("out.bias").unwrap().v.fill(21.0);
    step(&mut opt, &mut model, 1.0, &["out.bias"]);
    assert_eq!(values(&model.out.bias), [2.0 - 0.25]); // v = 0.75 · 21 + 0.25 = 16
}

#[test]
fn groups_have_their_own_hyper_parameters() {
    let mut model = model();
    let rule = Sgd { lr: 1.0, ..Sgd::default() };
    let mut opt = Optimizer::new(rule)
        .with_group("hidden.*", Sgd { lr: 0.5, ..rule })
        .with_group("*.bias", Sgd { lr: 0.25, ..rule });
    step(&mut opt, &mut model, 1.0, &["hidden.weight", "hidden.bias", "out.weight", "out.bias"]);
    assert_eq!(values(&model.out.weight), [0.0, 1.0]);
    assert_eq!(values(&model.hidden.weight), [0.5, 1.5]);
    assert_eq!(values(&model.hidden.bias), [2.75]); // both patterns match; the later one decides
    assert_eq!(values(&model.out.bias), [2.75]);
    opt.group_mut("*.bias").unwrap().lr = 0.75;
    assert_eq!(opt.rule_for("out.bias").lr, 0.75);
    assert!(opt.group_mut("*.gain").is_none());
    opt.rules_mut().for_each(|rule| rule.lr *= 0.5);
    assert_eq!(
        ["out.weight", "hidden.weight", "out.bias"].map(|name| opt.rule_for(name).lr),
        [0.5, 0.25, 0.375]
    );
}

#[test]
fn the_table_shows_groups_and_those_without_members() {
    let rule = Sgd::default();
    let opt = Optimizer::new(rule)
        .with_group("out.weight", rule)
        .with_group("*.weight", Sgd { lr: 0.5, ..rule })
        .with_group("*.gain", rule);
    let table = opt.table(&model());
    let groups: Vec<_> = table.rows.iter().map(|row| (row.name.as_str(), row.group.as_deref())).collect();
    assert_eq!(
        groups,
        [
            ("hidden.bias", None),
            ("hidden.weight", Some("*.weight")),
            ("out.bias", None),
            ("out.weight", Some("*.weight")),
        ]
    );
    assert_eq!(table.unmatched, ["*.gain"]);
    assert_eq!(table.overridden, ["out.weight"]);
    let text = table.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("parameter      shape  group      hyper-parameters"), "{text}");
    assert!(
        lines[1].starts_with("hidden.bias    [1]    (default)  Sgd { lr: 0.001, momentum: 0.0"),
        "{text}"
    );
    assert!(lines[2].starts_with("hidden.weight  [2]    *.weight   Sgd { lr: 0.5,"), "{text}");
    assert_eq!(lines[5], "group `*.gain` matches no parameter");
    assert!(lines[6].starts_with("group `out.weight` applies to no parameter"), "{text}");
}

/// What a user writes for a rule of their own: `p ← p - η sign(g)`.
#[derive(Clone, Debug)]
struct SignDescent {
    lr: f64,
}

impl<F: Real> Rule<F> for SignDescent {
    const NAME: &'static str = "sign_descent";
    type State = ();

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        InvalidHyperparameter::unless(self.lr > 0.0, "lr", self.lr, "positive")
    }

    fn init(&self, _param: &Tensor<F>) {}

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, _state: &mut ()) {
        param.zip_mut_with(grad, |p, &g| *p -= F::from_f64(self.lr) * g.signum());
    }
}

#[test]
fn users_write_their_own_rules() {
    let mut model = model();
    let mut opt = Optimizer::new(SignDescent { lr: 0.5 });
    step(&mut opt, &mut model, -3.0, &["out.weight"]);
    assert_eq!(values(&model.out.weight), [1.5, 2.5]);
}

#[test]
fn an_optimizer_crosses_threads() {
    fn crosses<T: Send + Sync + Clone>(_: &T) {}
    crosses(&Optimizer::<RmsProp>::new(RmsProp::default()));
}

#[test]
#[should_panic(expected = "the parameter of `out.bias` has shape [2], but its state was made for [1]")]
fn a_changed_shape_is_refused() {
    let mut model = model();
    let mut opt = Optimizer::new(Sgd::default());
    step(&mut opt, &mut model, 1.0, &["out.bias"]);
    model.out.bias = param(&[1.0, 2.0]);
    step(&mut opt, &mut model, 1.0, &["out.bias"]);
}

/// A module written by hand that shows both its parameters under one name.
struct Ambiguous(Param, Param);

impl Module for Ambiguous {
    fn visit<'a>(
        &'a self,
        path: &mut wengert_autodiff::ModulePath,
        visitor: &mut wengert_autodiff::Visitor<'_, 'a, f32>,
    ) {
        path.enter("same", |path| self.0.visit(path, visitor));
        path.enter("same", |path| self.1.visit(path, visitor));
    }

    fn visit_mut<'a>(
        &'a mut self,
        path: &mut wengert_autodiff::ModulePath,
        visitor: &mut wengert_autodiff::VisitorMut<'_, 'a, f32>,
    ) {
        path.enter("same", |path| self.0.visit_mut(path, visitor));
        path.enter("same", |path| self.1.visit_mut(path, visitor));
    }
}

#[test]
#[should_panic(expected = "two parameters are named `same`")]
fn two_tensors_never_share_a_state() {
    let mut model = Ambiguous(param(&[1.0]), param(&[2.0]));
    let grads = grads(1.0, &[&model.0, &model.1]);
    Optimizer::new(Sgd::default()).step(&mut model, &grads);
}

#[test]
#[should_panic(expected = "RmsProp: rho is 1, but must be at least 0 and below 1")]
fn hyper_parameters_are_checked_at_the_start() {
    let _: Optimizer<_> = Optimizer::new(RmsProp { rho: 1.0, ..RmsProp::default() });
}

#[test]
#[should_panic(expected = "Sgd: lr is -1, but must be finite and not negative")]
fn hyper_parameters_are_checked_at_every_step() {
    let mut model = model();
    let mut opt = Optimizer::new(Sgd::default()).with_group("*.bias", Sgd::default());
    opt.group_mut("*.bias").unwrap().lr = -1.0;
    opt.step(&mut model, &Gradients::default());
}

#[test]
#[should_panic(expected = "`with_group`: `a[` is not a pattern")]
fn a_malformed_pattern_is_refused() {
    let _: Optimizer<_> = Optimizer::new(Sgd::default()).with_group("a[", Sgd::default());
}

#[test]
#[should_panic(expected = "`with_group`: there is a group `*.bias` already")]
fn a_pattern_is_given_once() {
    let opt: Optimizer<_> = Optimizer::new(Sgd::default()).with_group("*.bias", Sgd::default());
    let _ = opt.with_group("*.bias", Sgd::default());
}
