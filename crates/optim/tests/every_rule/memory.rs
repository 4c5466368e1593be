//! What every rule says of its memory and of its rate, against its own update.

use ndarray::arr1;
use wengert_autodiff::{IntoTensor, Tensor};
use wengert_optim::inspect::{Accumulator, Explain, Statistic};
use wengert_optim::{Field, Rule, State, for_every_rule};

use crate::row::Row;

/// `a ← decay a + weight x` for two steps, from the start that the rule states.
#[test]
fn every_rule_remembers_what_it_says() {
    fn check<R: Row>() {
        let (rule, fields) = R::remembering();
        let accumulators = Explain::<f64>::accumulators(&rule);
        let known: Vec<_> =
            accumulators.iter().filter(|known| known.statistic != Statistic::Update).collect();
        assert_eq!(known.iter().map(|known| known.field).collect::<Vec<_>>(), fields, "{rule:?}");

        let mut param: Tensor<f64> = [1.0, -1.0].into_tensor();
        let mut state: <R as Rule<f64>>::State = rule.init(&param);
        let grads = [[3.0, -0.5], [0.25, 2.0]].map(|grad| arr1(&grad));
        grads.iter().for_each(|grad| rule.update(&mut param, &grad.into_tensor(), &mut state));
        for &&Accumulator { field, statistic, decay, weight, start } in &known {
            let expected = grads.iter().fold(arr1(&[start; 2]), |a, g| {
                let x = if statistic == Statistic::SquaredGradient { g * g } else { g.clone() };
                a * decay + x * weight
            });
            let found = state.fields().into_iter().find_map(|(name, value)| match value {
                Field::Tensor(tensor) if name == field => Some(tensor),
                _ => None,
            });
            for (found, expected) in found.expect("the field is a tensor").iter().zip(&expected) {
                let close = (found - expected).abs() <= 1e-12 * expected.abs();
                assert!(close, "`{field}` of {rule:?} is {found:e}, expected {expected:e}");
            }
        }
    }
    for_every_rule!(check);
}

#[test]
fn the_effective_rate_is_that_of_the_step_which_was_taken() {
    fn check<R: Row>() {
        for (rule, direction) in R::exact_rates() {
            let mut param: Tensor<f64> = [0.0].into_tensor();
            let mut state: <R as Rule<f64>>::State = rule.init(&param);
            for g in [0.5, 2.0, 0.01, 1.0, 3.0, 0.7, 0.2, 5.0, 1e-3, 0.1, 0.4, 0.9] {
                let before = param[0];
                rule.update(&mut param, &[g].into_tensor(), &mut state);
                let (step, rate): (f64, Tensor<f64>) = (param[0] - before, rule.effective_lr(&param, &state));
                let expected = -rate[0] * direction(g);
                let close = (step - expected).abs() <= 1e-10 * expected.abs();
                assert!(close, "{rule:?}: {step:e}, but `effective_lr` says {expected:e}");
            }
        }
    }
    for_every_rule!(check);
}
