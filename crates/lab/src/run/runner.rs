use wengert_autodiff::{Real, Tensor};
use wengert_optim::Rule;

use crate::Landscape;

/// A rule at work on one tensor. Whatever the rule is, a `Runner` has one type, so that several go into one list.
pub struct Runner<F: Real = f64> {
    /// What it is called in figures and reports.
    pub name: String,
    param: Tensor<F>,
    update: Update<F>,
}

type Update<F> = Box<dyn FnMut(&mut Tensor<F>, &Tensor<F>) + Send>;

impl<F: Real> Runner<F> {
    /// `rule` on a tensor that starts at `start` and has seen no gradient.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range.
    #[track_caller]
    pub fn new<R: Rule<F>>(name: impl Into<String>, rule: R, start: Tensor<F>) -> Self {
        Self::scheduled(name, rule, start, |_, _| {})
    }

    /// Like [`new`](Self::new), with hyper-parameters that `schedule` sets before every step, counted from 0.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range.
    #[track_caller]
    pub fn scheduled<R: Rule<F>>(
        name: impl Into<String>,
        mut rule: R,
        start: Tensor<F>,
        mut schedule: impl FnMut(&mut R, u64) + Send + 'static,
    ) -> Self {
        if let Err(error) = rule.validate() {
            panic!("{error}");
        }
        let (mut state, mut step) = (rule.init(&start), 0);
        let update = Box::new(move |param: &mut Tensor<F>, grad: &Tensor<F>| {
            schedule(&mut rule, step);
            step += 1;
            rule.update(param, grad, &mut state);
        });
        Self { name: name.into(), param: start, update }
    }

    /// The tensor as it is now.
    pub fn param(&self) -> &Tensor<F> {
        &self.param
    }

    /// One step.
    ///
    /// # Panics
    ///
    /// If the gradient has another shape than the tensor.
    #[track_caller]
    pub fn step(&mut self, grad: &Tensor<F>) {
        assert_eq!(grad.shape(), self.param.shape(), "the gradient has another shape than the tensor");
        (self.update)(&mut self.param, grad);
    }
}

impl Runner<f64> {
    /// `rule` at a point of the plane.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range.
    #[track_caller]
    pub fn at<R: Rule<f64>>(name: impl Into<String>, rule: R, start: [f64; 2]) -> Self {
        Self::new(name, rule, point(start))
    }

    /// Walks down a landscape: the points before the first step and after each, as long as they are finite.
    ///
    /// # Panics
    ///
    /// Unless the tensor is a point of the plane.
    #[track_caller]
    pub fn descend(&mut self, landscape: Landscape, steps: u64) -> Vec<[f64; 2]> {
        let mut path = vec![[self.param[0], self.param[1]]];
        for step in 0..steps {
            let grad = landscape.at(step).gradient([self.param[0], self.param[1]]);
            self.step(&point(grad));
            let now = [self.param[0], self.param[1]];
            if !now.iter().all(|x| x.is_finite()) {
                break;
            }
            path.push(now);
        }
        path
    }
}

impl<F: Real> std::fmt::Debug for Runner<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("name", &self.name).field("param", &self.param).finish_non_exhaustive()
    }
}

fn point(xy: [f64; 2]) -> Tensor<f64> {
    ndarray::arr1(&xy).into_dyn().into()
}
