use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use ndarray::Zip;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{LeafMut, Module, ModulePath, Real, Tensor};

/// An exponential moving average of a model's weights, by name: `a ← d a + (1 - d) p` (Polyak and Juditsky,
/// "Acceleration of stochastic approximation by averaging", 1992, with an exponential in place of the plain mean).
///
/// ```
/// # use wengert_autodiff::Param;
/// # use wengert_optim::WeightEma;
/// let mut model: Param = ndarray::arr1(&[1.0]).into();
/// let mut ema = WeightEma::new(0.5);
/// ema.update(&model); // the average is 1
/// model.value_mut()[0] = 3.0;
/// ema.update(&model); // 0.5 · 1 + 0.5 · 3
/// assert_eq!(ema.swap_in(&mut model).value()[0], 2.0);
/// assert_eq!(model.value()[0], 3.0); // training goes on with its own weights
/// ```
///
/// Buffers are not averaged: while the average is swapped in, the model keeps its current ones, as PyTorch's
/// `AveragedModel` does with `use_buffers=False`. The running statistics of a batch norm then belong to the weights of
/// training. Where that matters, load the average's [`values`](WeightEma::values) into a clone of the model and let
/// some batches pass through it.
#[doc(alias("AveragedModel", "swa", "swa_utils", "polyak", "ema", "ExponentialMovingAverage", "use_ema"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightEma<F: Real = f32> {
    decay: f64,
    bias_correction: bool,
    entries: BTreeMap<String, Entry<F>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry<F: Real> {
    average: Tensor<F>,
    updates: u64,
}

impl<F: Real> WeightEma<F> {
    /// An average that starts as a copy of the weights it sees first, like PyTorch's `AveragedModel` with
    /// `get_ema_multi_avg_fn(decay)`.
    ///
    /// # Panics
    ///
    /// If the decay is not at least 0 and below 1.
    #[track_caller]
    pub fn new(decay: f64) -> Self {
        assert!((0.0..1.0).contains(&decay), "a decay of {decay}, but it must be at least 0 and below 1");
        Self { decay, bias_correction: false, entries: BTreeMap::new() }
    }

    /// An average that starts at 0 and is divided by `1 - dᵗ`, as the averages inside Adam: the first weights then
    /// count no more than any others. After `t` updates with the same weights both kinds hold just these.
    ///
    /// # Panics
    ///
    /// As [`new`](WeightEma::new).
    #[track_caller]
    pub fn with_bias_correction(decay: f64) -> Self {
        Self { bias_correction: true, ..Self::new(decay) }
    }

    /// Takes in the current weights: call it after each step.
    ///
    /// # Panics
    ///
    /// If a parameter has another shape than before.
    #[track_caller]
    pub fn update(&mut self, model: &dyn Module<F>) {
        let part = F::from_f64(1.0 - self.decay);
        for (name, param) in model.params() {
            let p = param.value();
            let Some(entry) = self.entries.get_mut(&name) else {
                // Owned, not shared: a shared array would make the next optimizer step copy.
                let average = if self.bias_correction { p.mapv(|p| part * p) } else { p.to_owned() };
                self.entries.insert(name, Entry { average: average.into_shared(), updates: 1 });
                continue;
            };
            assert!(
                entry.average.shape() == p.shape(),
                "`update`: `{name}` has shape {:?}, but its average {:?}",
                p.shape(),
                entry.average.shape()
            );
            entry.updates = entry.updates.saturating_add(1); // a file may say any count
            // As a step towards the weights: an average of equal weights then stays equal to the last bit.
            Zip::from(&mut entry.average).and(p).for_each(|a, &p| *a += part * (p - *a));
        }
    }

    /// The averaged weights by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, Tensor<F>)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), self.value(entry)))
    }

    fn value(&self, entry: &Entry<F>) -> Tensor<F> {
        if !self.bias_correction {
            return entry.average.clone();
        }
        let correction = F::from_f64((1.0 - self.decay.powf(entry.updates as f64)).recip());
        entry.average.mapv(|a| correction * a).into_shared()
    }

    /// Lends the model with the averaged weights in the place of its own. Its own come back, bit for bit and without a
    /// copy, when the guard is dropped.
    ///
    /// # Panics
    ///
    /// If the model has a parameter that was never averaged, or one of another shape: half an average would be a model
    /// nobody trained.
    #[must_use = "the model's own weights come back as soon as the guard is dropped"]
    #[track_caller]
    pub fn swap_in<'m, M: Module<F> + ?Sized>(&self, model: &'m mut M) -> SwappedIn<'m, M, F> {
        for (name, param) in model.params() {
            match self.entries.get(&name) {
                None => panic!("`swap_in`: there is no average of `{name}`"),
                Some(entry) => assert!(
                    entry.average.shape() == param.shape(),
                    "`swap_in`: `{name}` has shape {:?}, but its average {:?}",
                    param.shape(),
                    entry.average.shape()
                ),
            }
        }
        let mut own = Vec::new();
        model.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
            if let LeafMut::Param(param) = leaf {
                own.push(std::mem::replace(param.value_mut(), self.value(&self.entries[name])));
            }
        });
        SwappedIn { model, own }
    }
}

/// A model that holds averaged weights for as long as this lives; see [`WeightEma::swap_in`].
pub struct SwappedIn<'m, M: Module<F> + ?Sized, F: Real = f32> {
    model: &'m mut M,
    /// In the order of the visit.
    own: Vec<Tensor<F>>,
}

impl<M: Module<F> + ?Sized, F: Real> Deref for SwappedIn<'_, M, F> {
    type Target = M;

    fn deref(&self) -> &M {
        self.model
    }
}

impl<M: Module<F> + ?Sized, F: Real> Drop for SwappedIn<'_, M, F> {
    fn drop(&mut self) {
        let mut own = self.own.drain(..);
        self.model.visit_mut(&mut ModulePath::default(), &mut |_, leaf| {
            if let LeafMut::Param(param) = leaf
                && let Some(value) = own.next()
            {
                *param.value_mut() = value;
            }
        });
    }
}

impl<M: Module<F> + ?Sized, F: Real> fmt::Debug for SwappedIn<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwappedIn").field("parameters", &self.own.len()).finish_non_exhaustive()
    }
}
