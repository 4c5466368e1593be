use std::fmt;

use wengert_autodiff::{IntoTensor, Real, Tensor};
use wengert_optim::Rule;

use super::walker::Walker;
use crate::Landscape;

/// A rule at work on one tensor. Whatever the rule is, a `Runner` has one type, so that several go into one list.
pub struct Runner<F: Real = f64> {
    /// What it is called in figures and reports.
    pub name: String,
    walk: Box<dyn Walk<F>>,
}

/// A [`Walker`] without its type.
trait Walk<F: Real>: Send {
    fn param(&self) -> &Tensor<F>;
    fn step(&mut self, grad: &Tensor<F>);
}

/// A walker whose hyper-parameters `schedule` sets before every step, counted from 0.
struct Scheduled<R: Rule<F>, F: Real, S> {
    walker: Walker<R, F>,
    schedule: S,
    step: u64,
}

impl<R: Rule<F>, F: Real, S: FnMut(&mut R, u64) + Send> Walk<F> for Scheduled<R, F, S> {
    fn param(&self) -> &Tensor<F> {
        &self.walker.p
    }

    fn step(&mut self, grad: &Tensor<F>) {
        (self.schedule)(&mut self.walker.rule, self.step);
        self.step += 1;
        self.walker.update(grad);
    }
}

impl<F: Real> Runner<F> {
    /// `rule` on a tensor that starts at `start` and has seen no gradient.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range.
    #[track_caller]
    pub fn new<R: Rule<F>>(name: impl Into<String>, rule: R, start: impl IntoTensor<F>) -> Self {
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
        rule: R,
        start: impl IntoTensor<F>,
        schedule: impl FnMut(&mut R, u64) + Send + 'static,
    ) -> Self {
        if let Err(error) = rule.validate() {
            panic!("{}: {error}", R::NAME);
        }
        let walker = Walker::on(rule, start.into_tensor());
        Self { name: name.into(), walk: Box::new(Scheduled { walker, schedule, step: 0 }) }
    }

    /// The tensor as it is now.
    pub fn param(&self) -> &Tensor<F> {
        self.walk.param()
    }

    /// One step.
    ///
    /// # Panics
    ///
    /// If the gradient has a different shape from the tensor.
    #[track_caller]
    pub fn step(&mut self, grad: &Tensor<F>) {
        assert_eq!(grad.shape(), self.param().shape(), "the gradient has another shape than the tensor");
        self.walk.step(grad);
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
        Self::new(name, rule, start)
    }

    /// Walks down a landscape: the points before the first step and after each, as long as they are finite.
    ///
    /// # Panics
    ///
    /// Unless the tensor is a point of the plane.
    #[track_caller]
    pub fn descend(&mut self, landscape: Landscape, steps: u64) -> Vec<[f64; 2]> {
        let mut path = vec![self.point()];
        for step in 0..steps {
            let grad = landscape.at(step).gradient(self.point());
            self.step(&grad.into_tensor());
            let now = self.point();
            if !now.iter().all(|x| x.is_finite()) {
                break;
            }
            path.push(now);
        }
        path
    }

    fn point(&self) -> [f64; 2] {
        [self.param()[0], self.param()[1]]
    }
}

impl<F: Real> fmt::Debug for Runner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("name", &self.name)
            .field("param", self.param())
            .finish_non_exhaustive()
    }
}
