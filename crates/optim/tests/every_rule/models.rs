//! How the tensors of one model, their states and their groups leave each other alone.

use wengert_autodiff::{Gradients, Param, Tensor, module};
use wengert_optim::{Optimizer, Rule, State, for_every_rule};

use crate::row::Row;
use crate::{STEPS, gradients, plain, run, scaled, start};

struct Model {
    a: Param<f64>,
    b: Param<f64>,
}

module!(Model: f64 { a, b });

impl Model {
    fn new() -> Self {
        Self { a: Param::new(start()), b: Param::new(other_start()) }
    }

    fn grads(&self, a: Option<Tensor<f64>>, b: Option<Tensor<f64>>) -> Gradients<f64> {
        let mut grads = Gradients::default();
        for (param, grad) in [(&self.a, a), (&self.b, b)] {
            if let Some(grad) = grad {
                grads.set(param, grad);
            }
        }
        grads
    }

    fn step<R: Rule<f64>>(&mut self, opt: &mut Optimizer<R, f64>, step: usize) {
        let grads = self.grads(Some(gradients(step)), Some(other_gradients(step)));
        opt.step(self, &grads);
    }
}

fn other_start() -> Tensor<f64> {
    scaled(&start(), -0.5)
}

fn other_gradients(step: usize) -> Tensor<f64> {
    gradients(step + 3)
}

#[test]
fn two_tensors_do_not_share_state() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let (mut model, mut opt) = (Model::new(), Optimizer::new(*rule));
            let (a, b) = (plain(rule), run(rule, other_start(), other_gradients));
            for step in 0..STEPS {
                model.step(&mut opt, step);
                assert_eq!((model.a.value(), model.b.value()), (&a[step], &b[step]), "{rule:?}");
            }
        }
    }
    for_every_rule!(check);
}

#[test]
fn a_group_with_the_same_rule_changes_nothing() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let (mut one, mut opt) = (Model::new(), Optimizer::new(*rule));
            let (mut two, mut split) = (Model::new(), Optimizer::new(*rule).with_group("b", *rule));
            for step in 0..STEPS {
                one.step(&mut opt, step);
                two.step(&mut split, step);
                assert_eq!((one.a.value(), one.b.value()), (two.a.value(), two.b.value()), "{rule:?}");
            }
        }
    }
    for_every_rule!(check);
}

/// Without a gradient nothing happens to a tensor and its state; a zero gradient is a step.
#[test]
fn no_gradient_is_not_a_zero_gradient() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let (mut model, mut opt) = (Model::new(), Optimizer::new(*rule));
            (0..4).for_each(|step| model.step(&mut opt, step));
            let before = (model.b.value().clone(), format!("{:?}", opt.state("b")));

            let grads = model.grads(Some(gradients(4)), None);
            opt.step(&mut model, &grads);
            assert_eq!((model.b.value().clone(), format!("{:?}", opt.state("b"))), before, "{rule:?}");

            let grads = model.grads(Some(gradients(5)), Some(Tensor::zeros(vec![2, 3])));
            opt.step(&mut model, &grads);
            assert_eq!((steps(&opt, "a"), steps(&opt, "b")), (6, 5), "{rule:?}");
        }
    }
    for_every_rule!(check);
}

fn steps<R: Rule<f64>>(opt: &Optimizer<R, f64>, name: &str) -> u64 {
    opt.state(name).expect("had gradients").steps().expect("every state counts its steps")
}
