use std::fmt;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;
use wengert_autodiff::{NamePattern, Real, Tensor};

use crate::optimizer::{Entry, Optimizer};
use crate::rule::Rule;
use crate::state::{State, put, tensors, tensors_mut};

/// Changes to the state of the tensors whose names match a pattern; made by [`Optimizer::edit`].
#[must_use = "nothing changes until a change is chosen, such as `zero`"]
#[derive(Debug)]
pub struct Edit<'a, R: Rule<F>, F: Real = f32> {
    optimizer: &'a mut Optimizer<R, F>,
    pattern: NamePattern,
    field: Option<String>,
}

/// What an edit did. Its [`Display`](fmt::Display) form is for people and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Edited {
    /// The parameters whose state was changed.
    pub changed: Vec<String>,
    /// The parameters whose state is still as it was, and why.
    #[doc(alias = "left")]
    pub skipped: Vec<(String, SkipReason)>,
}

/// Why an edit left a state as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum SkipReason {
    /// The optimizer to transplant from has no state of this parameter.
    NoStateInDonor,
    /// One of the optimizers to average with has no state of this parameter.
    NoStateInAnother,
    /// There is no state that a single field could be put in.
    NoState,
    /// The state has no tensor of this name; without a name, none at all.
    NoTensor(Option<String>),
    /// The donor's state has no tensor of this name.
    NoTensorInDonor(String),
    /// The shapes differ.
    Shape {
        /// The shape here.
        here: Vec<usize>,
        /// The shape in the other optimizer.
        there: Vec<usize>,
    },
    /// The states are of different age. A rule that does not count its steps has 0.
    Steps {
        /// The gradients seen here.
        here: u64,
        /// The gradients seen in the other optimizer.
        there: u64,
    },
    /// An option is on in one optimizer and off in the other.
    OtherTensors,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStateInDonor => f.write_str("the donor has no state of it"),
            Self::NoStateInAnother => f.write_str("another has no state of it"),
            Self::NoState => f.write_str("there is no state to put the field in"),
            Self::NoTensor(None) => f.write_str("its state has no tensors"),
            Self::NoTensor(Some(field)) => write!(f, "its state has no tensor `{field}`"),
            Self::NoTensorInDonor(field) => write!(f, "the donor's state has no tensor `{field}`"),
            Self::Shape { here, there } => write!(f, "shape {here:?} here, {there:?} there"),
            Self::Steps { here, there } => write!(f, "{here} gradients seen here, {there} there"),
            Self::OtherTensors => f.write_str("not the same tensors in both states"),
        }
    }
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// Opens the state of the parameters whose names match a [pattern](Optimizer) for a change: a name for one, `"*"`
    /// for all. For a change of single elements take [`state_mut`](Optimizer::state_mut).
    ///
    /// ```
    /// # use wengert_autodiff::{Gradients, Param};
    /// # use wengert_optim::{Optimizer, RmsProp};
    /// # let mut weights: Param = ndarray::arr1(&[1.0]).into();
    /// # let mut grads = Gradients::default();
    /// # grads.set(&weights, ndarray::arr1(&[2.0]));
    /// # let mut opt = Optimizer::new(RmsProp { rho: 0.5, ..RmsProp::default() });
    /// # opt.step(&mut weights, &grads);
    /// # let name = "";
    /// assert_eq!(opt.state(name).unwrap().v[0], 2.0);
    /// opt.edit("*").field("v").scale(0.5);
    /// assert_eq!(opt.state(name).unwrap().v[0], 1.0);
    /// println!("{}", opt.edit(name).zero()); // every tensor of the state
    /// assert_eq!(opt.state(name).unwrap().v[0], 0.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If the pattern is not well-formed. Each change panics if it finds no state that matches, and those that need no
    /// other optimizer also if none of them has the field.
    #[doc(alias("set_to_zero", "tree_map_params"))]
    #[track_caller]
    pub fn edit(&mut self, pattern: &str) -> Edit<'_, R, F> {
        match NamePattern::new(pattern) {
            Ok(pattern) => Edit { optimizer: self, pattern, field: None },
            Err(error) => panic!("`edit`: `{pattern}` is not a pattern: {error}"),
        }
    }
}

impl<R: Rule<F>, F: Real> Edit<'_, R, F> {
    /// Changes this tensor of the state alone, and leaves the others and all counts.
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Sets the tensors to 0 and keeps the counts. A bias correction still counts the gradients that are now forgotten;
    /// [`forget`](Edit::forget) forgets them too.
    #[track_caller]
    pub fn zero(self) -> Edited {
        self.map("zero", |_| F::ZERO)
    }

    /// Multiplies the tensors. For gradients that become `c` times as large scale `v` by `c²`, and the averages and
    /// sums of gradients by `c`.
    ///
    /// # Panics
    ///
    /// If the factor is not finite and at least 0: a negative `v` has no root.
    #[track_caller]
    pub fn scale(self, factor: f64) -> Edited {
        assert!(factor.is_finite() && factor >= 0.0, "`scale` by {factor}, which must be at least 0");
        self.map("scale", |x| F::from_f64(factor) * x)
    }

    /// Multiplies every element by `e^(σ z)` with `z` standard normal: no sign changes, and 0 stays 0.
    ///
    /// # Panics
    ///
    /// If σ is not finite and at least 0.
    #[track_caller]
    pub fn perturb(self, sigma: f64, rng: &mut (impl Rng + ?Sized)) -> Edited {
        assert!(sigma.is_finite() && sigma >= 0.0, "`perturb` by σ = {sigma}, which must be at least 0");
        self.map("perturb", |x| {
            let z: f64 = StandardNormal.sample(rng);
            x * F::from_f64((sigma * z).exp())
        })
    }

    /// Removes the states: the next gradient of the tensor is its first. For a layer that was initialised anew.
    ///
    /// # Panics
    ///
    /// If a [`field`](Edit::field) was chosen.
    #[track_caller]
    pub fn forget(self) -> Edited {
        assert!(self.field.is_none(), "`forget` removes whole states: call it without `field`");
        let changed = self.names("forget");
        for name in &changed {
            self.optimizer.entries.remove(name);
        }
        Edited { changed, skipped: Vec::new() }
    }

    /// Takes the states, counts included, from an optimizer with the same rule. It may have another model, of which
    /// some names and shapes agree. A parameter without state here gets the donor's; its shape is checked by the next
    /// step. With a [`field`](Edit::field) only this tensor is taken, where there is a state on both sides.
    ///
    /// # Panics
    ///
    /// If neither optimizer has a state that matches.
    #[track_caller]
    pub fn transplant(self, donor: &Optimizer<R, F>) -> Edited {
        let mut names: Vec<_> = self.optimizer.entries.keys().chain(donor.entries.keys()).cloned().collect();
        names.retain(|name| self.pattern.matches(name));
        names.sort();
        names.dedup();
        self.require_any("transplant", &names);
        let mut report = Edited::default();
        for name in names {
            let own = self.optimizer.entries.get(&name);
            match graft(own, donor.entries.get(&name), self.field.as_deref()) {
                Ok(entry) => {
                    self.optimizer.entries.insert(name.clone(), entry);
                    report.changed.push(name);
                }
                Err(why) => report.skipped.push((name, why)),
            }
        }
        report
    }

    /// Sets the tensors to the mean of their own values and those of all the others. These must agree in shapes, in the
    /// number of gradients seen, and in which tensors there are: averages of different age would not mean the same.
    /// Counts stay.
    ///
    /// # Panics
    ///
    /// If no state matches.
    #[track_caller]
    pub fn average(self, others: &[&Optimizer<R, F>]) -> Edited {
        let mut report = Edited::default();
        for name in self.names("average") {
            let entry = self.optimizer.entries.get_mut(&name).expect("a name of its own");
            let others: Option<Vec<_>> = others.iter().map(|other| other.entries.get(&name)).collect();
            match others
                .ok_or(SkipReason::NoStateInAnother)
                .and_then(|others| mean(entry, &others, self.field.as_deref()))
            {
                Ok(means) => {
                    set(&mut entry.state, &means);
                    report.changed.push(name);
                }
                Err(why) => report.skipped.push((name, why)),
            }
        }
        report
    }

    #[track_caller]
    fn map(self, what: &str, mut change: impl FnMut(F) -> F) -> Edited {
        let mut report = Edited::default();
        for name in self.names(what) {
            let entry = self.optimizer.entries.get_mut(&name).expect("a name of its own");
            let mut found = false;
            for (field, tensor) in tensors_mut(&mut entry.state) {
                if self.field.as_deref().is_none_or(|wanted| wanted == field) {
                    found = true;
                    tensor.mapv_inplace(&mut change);
                }
            }
            if found {
                report.changed.push(name);
            } else {
                report.skipped.push((name, SkipReason::NoTensor(self.field.clone())));
            }
        }
        if let (Some(field), true) = (&self.field, report.changed.is_empty()) {
            panic!("`{what}`: no state that matches `{}` has a tensor `{field}`", self.pattern.as_str());
        }
        report
    }

    #[track_caller]
    fn names(&self, what: &str) -> Vec<String> {
        let names = self.optimizer.entries.keys().filter(|name| self.pattern.matches(name));
        let names: Vec<_> = names.cloned().collect();
        self.require_any(what, &names);
        names
    }

    #[track_caller]
    fn require_any(&self, what: &str, names: &[String]) {
        assert!(!names.is_empty(), "`{what}`: no parameter with a state matches `{}`", self.pattern.as_str());
    }
}

type Tensors<F> = Vec<(&'static str, Tensor<F>)>;

/// The entry with what the donor gives.
fn graft<S: State<F>, F: Real>(
    own: Option<&Entry<S>>,
    donor: Option<&Entry<S>>,
    field: Option<&str>,
) -> Result<Entry<S>, SkipReason> {
    let donor = donor.ok_or(SkipReason::NoStateInDonor)?;
    if let Some(own) = own {
        same_shape(own, donor)?;
    }
    let Some(field) = field else {
        return Ok(Entry {
            last_step: own.map_or(0, |own| own.last_step),
            ..Entry::new(&donor.shape, donor.state.clone())
        });
    };
    let mut own = own.cloned().ok_or(SkipReason::NoState)?;
    let given: Tensors<F> = tensors(&donor.state).filter(|&(name, _)| name == field).collect();
    if given.is_empty() {
        return Err(SkipReason::NoTensorInDonor(field.to_owned()));
    }
    set(&mut own.state, &given);
    Ok(own)
}

/// Of all tensors, or of the one of the field.
fn mean<S: State<F>, F: Real>(
    own: &Entry<S>,
    others: &[&Entry<S>],
    field: Option<&str>,
) -> Result<Tensors<F>, SkipReason> {
    let mut sums: Tensors<F> = tensors(&own.state).collect();
    for other in others {
        same_shape(own, other)?;
        let [here, there] = [own, other].map(|entry| entry.state.steps().unwrap_or(0));
        if here != there {
            return Err(SkipReason::Steps { here, there });
        }
        let given: Tensors<F> = tensors(&other.state).collect();
        if !sums.iter().map(|&(name, _)| name).eq(given.iter().map(|&(name, _)| name)) {
            return Err(SkipReason::OtherTensors);
        }
        for ((_, sum), (_, tensor)) in sums.iter_mut().zip(&given) {
            *sum += tensor;
        }
    }
    let share = F::from_f64((others.len() as f64 + 1.0).recip());
    sums.iter_mut().for_each(|(_, sum)| sum.mapv_inplace(|x| share * x));
    sums.retain(|&(name, _)| field.is_none_or(|field| field == name));
    if sums.is_empty() { Err(SkipReason::NoTensor(field.map(str::to_owned))) } else { Ok(sums) }
}

fn same_shape<S>(own: &Entry<S>, other: &Entry<S>) -> Result<(), SkipReason> {
    if own.shape == other.shape {
        return Ok(());
    }
    Err(SkipReason::Shape { here: own.shape.clone(), there: other.shape.clone() })
}

/// Replaces the tensors by those given under the same name.
fn set<S: State<F>, F: Real>(state: &mut S, given: &[(&'static str, Tensor<F>)]) {
    for (name, field) in state.fields_mut() {
        let Some((_, tensor)) = given.iter().find(|(given, _)| *given == name) else { continue };
        put(field, tensor.clone());
    }
}

impl fmt::Display for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} changed", self.changed.len())?;
        if !self.changed.is_empty() {
            write!(f, ": {}", self.changed.join(", "))?;
        }
        for (name, why) in &self.skipped {
            write!(f, "\n{name} left as it was: {why}")?;
        }
        Ok(())
    }
}
