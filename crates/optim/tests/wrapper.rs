//! A rule around any rule: Lookahead (Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", 2019).

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{IntoTensor, Param, Real, Tape, Tensor, module};
use wengert_optim::{
    Adam, InvalidHyperparameter, Optimizer, Rule, Sgd, State, checkpoint, for_every_rule, state,
};

/// ```text
/// p ← the inner rule's step       k times
/// s ← s + α (p - s)               s starts as the first p
/// p ← s
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Lookahead<R> {
    inner: R,
    k: u64,
    alpha: f64,
}

#[derive(Clone, Debug)]
struct Memory<F: Real, S> {
    slow: Tensor<F>,
    since: u64,
    inner: S,
}

state!(Memory<S> { slow, since, ..inner });

impl<F: Real, R: Rule<F>> Rule<F> for Lookahead<R> {
    const NAME: &'static str = "Lookahead";
    type State = Memory<F, R::State>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        InvalidHyperparameter::unless(self.k > 0, "k", self.k as f64, "positive")?;
        self.inner.validate()
    }

    fn init(&self, param: &Tensor<F>) -> Self::State {
        Memory { slow: param.clone(), since: 0, inner: self.inner.init(param) }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Self::State) {
        self.inner.update(param, grad, &mut state.inner);
        state.since += 1;
        if state.since == self.k {
            let alpha = F::from_f64(self.alpha);
            state.slow.zip_mut_with(param, |slow, &p| *slow += alpha * (p - *slow));
            param.assign(&state.slow);
            state.since = 0;
        }
    }
}

#[test]
fn lookahead_is_the_papers() {
    let rule = Lookahead { inner: Sgd { lr: 1.0, ..Sgd::default() }, k: 2, alpha: 0.5 };
    let (mut p, one): (Tensor<f64>, Tensor<f64>) = ([0.0].into_tensor(), [1.0].into_tensor());
    let mut state = rule.init(&p);
    let step = |_| {
        rule.update(&mut p, &one, &mut state);
        p[0]
    };
    // To -1, on to -2 and half of the way back from there; from -1 the same again.
    assert_eq!(Vec::from_iter((0..4).map(step)), [-1.0, -1.0, -2.0, -2.0]);
}

/// Around every rule: with α = 1 nothing happens, and no name is there twice.
#[test]
fn it_fits_around_every_rule() {
    fn check<R: Rule<f64> + Default>() {
        let (rule, around) = (R::default(), Lookahead { inner: R::default(), k: 3, alpha: 1.0 });
        let start: Tensor<f64> = [[0.5, -1.0, 2.0]].into_tensor();
        let (mut p, mut q) = (start.clone(), start);
        let (mut state, mut wrapped) = (rule.init(&p), around.init(&q));
        for t in 0..20 {
            let grad: Tensor<f64> = q.mapv(|q| q + f64::from(t) * 0.1).into_shared();
            rule.update(&mut p, &grad, &mut state);
            around.update(&mut q, &grad, &mut wrapped);
            let apart = (&p - &q).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(apart < 1e-12, "{}: step {t} is {apart:e} apart", R::NAME);
        }
        assert_eq!(wrapped.steps(), state.steps(), "{}", R::NAME);
        let names: Vec<_> = wrapped.fields().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), BTreeSet::from_iter(&names).len(), "{names:?}");
        assert_eq!(names.len(), 2 + state.fields().len(), "{names:?}");
    }
    for_every_rule!(check);
}

struct One {
    weight: Param,
}

module!(One { weight });

/// Saved between two of its jumps, a run goes on with the same bits.
#[test]
fn it_is_saved_and_resumed() {
    fn train<R: Rule>(model: &mut One, opt: &mut Optimizer<R>, steps: usize) {
        for _ in 0..steps {
            let tape = Tape::new();
            let grads = tape.param(&model.weight).square().sum().backward();
            opt.step(model, &grads);
        }
    }
    fn check<R: Rule + Serialize + DeserializeOwned>(inner: R) {
        let rule = Lookahead { inner, k: 5, alpha: 0.5 };
        let new = || One { weight: Param::new([1.0, -2.0].into_tensor()) };
        let (mut model, mut opt) = (new(), Optimizer::new(rule.clone()));
        train(&mut model, &mut opt, 7);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.wgt");
        checkpoint::save(&path, &model, &opt, &()).unwrap();
        let (mut other, mut resumed) = (new(), Optimizer::new(rule));
        checkpoint::load::<(), _, _>(&path, &mut other, &mut resumed).unwrap();
        train(&mut model, &mut opt, 11);
        train(&mut other, &mut resumed, 11);
        assert_eq!(model.weight.value(), other.weight.value());
    }
    check(Adam::default());
    check(Sgd { momentum: 0.9, ..Sgd::default() });
}
