use std::fmt;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use wengert_autodiff::{Real, Tensor};

use crate::optimizer::Entry;
use crate::optimizer::pattern::Pattern;
use crate::state::{put, steps, tensors, tensors_mut};
use crate::{Optimizer, Rule, State};

/// Changes to the state of the tensors whose names match a pattern; made by [`Optimizer::edit`].
#[derive(Debug)]
pub struct Edit<'a, R: Rule<F>, F: Real = f32> {
    optimizer: &'a mut Optimizer<R, F>,
    pattern: Pattern,
    field: Option<String>,
}

/// What an edit did. Its [`Display`](fmt::Display) form is for people and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The parameters whose state was changed.
    pub changed: Vec<String>,
    /// The parameters whose state was left as it was, and why.
    pub left: Vec<(String, String)>,
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// Opens the state of the parameters whose names match `pattern` for a change, with the wildcards of
    /// [`with_group`](Optimizer::with_group): a name for one, `"*"` for all. For a change of single elements take
    /// [`state_mut`](Optimizer::state_mut).
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
    /// If the pattern is not well-formed. Each change panics if it finds no state that matches, and those that need no other
    /// optimizer also if none of them has the field.
    #[track_caller]
    pub fn edit(&mut self, pattern: &str) -> Edit<'_, R, F> {
        let pattern = Pattern::new(pattern)
            .unwrap_or_else(|error| panic!("`edit`: `{pattern}` is no pattern: {error}"));
        Edit { optimizer: self, pattern, field: None }
    }
}

impl<R: Rule<F>, F: Real> Edit<'_, R, F> {
    /// Changes this tensor of the state alone, and leaves the others and all counts.
    #[must_use]
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

    /// Multiplies the tensors. For gradients that become `c` times as large scale `v` by `c²` and the averages and sums of
    /// gradients by `c`.
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
        Edited { changed, left: Vec::new() }
    }

    /// Takes the states, counts included, from an optimizer with the same rule, which may have another model of which some
    /// names and shapes agree. A parameter without state here gets the donor's; its shape is checked by the next step.
    /// With a [`field`](Edit::field) only this tensor is taken, where there is a state on both sides.
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
                Err(why) => report.left.push((name, why)),
            }
        }
        report
    }

    /// Sets the tensors to the mean of their own values and those of all the others, which must agree in shapes, in the number of
    /// gradients seen, and in which tensors there are: averages of different age would not mean the same. Counts stay.
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
                .ok_or("another has no state of it".to_owned())
                .and_then(|others| mean(entry, &others, self.field.as_deref()))
            {
                Ok(means) => {
                    set(&mut entry.state, &means);
                    report.changed.push(name);
                }
                Err(why) => report.left.push((name, why)),
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
                report.left.push((name, lacking("its", self.field.as_deref())));
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

/// The entry with what the donor gives, or why it gives nothing.
fn graft<S: State<F>, F: Real>(
    own: Option<&Entry<S>>,
    donor: Option<&Entry<S>>,
    field: Option<&str>,
) -> Result<Entry<S>, String> {
    let donor = donor.ok_or("the donor has no state of it")?;
    if let Some(own) = own {
        same_shape(own, donor)?;
    }
    let Some(field) = field else {
        return Ok(Entry {
            last_step: own.map_or(0, |own| own.last_step),
            ..Entry::new(&donor.shape, donor.state.clone())
        });
    };
    let mut own = own.cloned().ok_or("there is no state to put the field in")?;
    let given: Tensors<F> = tensors(&donor.state).filter(|&(name, _)| name == field).collect();
    if given.is_empty() {
        return Err(lacking("the donor's", Some(field)));
    }
    set(&mut own.state, &given);
    Ok(own)
}

/// Of all tensors, or of the one of the field.
fn mean<S: State<F>, F: Real>(
    own: &Entry<S>,
    others: &[&Entry<S>],
    field: Option<&str>,
) -> Result<Tensors<F>, String> {
    let mut sums: Tensors<F> = tensors(&own.state).collect();
    for other in others {
        same_shape(own, other)?;
        let (here, there) = (steps(&own.state), steps(&other.state));
        if here != there {
            return Err(format!("{} gradients seen here, {} there", here.unwrap_or(0), there.unwrap_or(0)));
        }
        let given: Tensors<F> = tensors(&other.state).collect();
        if !sums.iter().map(|&(name, _)| name).eq(given.iter().map(|&(name, _)| name)) {
            return Err("not the same tensors in both states".to_owned());
        }
        for ((_, sum), (_, tensor)) in sums.iter_mut().zip(&given) {
            *sum += tensor;
        }
    }
    let share = F::from_f64((others.len() as f64 + 1.0).recip());
    sums.iter_mut().for_each(|(_, sum)| sum.mapv_inplace(|x| share * x));
    sums.retain(|&(name, _)| field.is_none_or(|field| field == name));
    if sums.is_empty() { Err(lacking("its", field)) } else { Ok(sums) }
}

fn same_shape<S>(own: &Entry<S>, other: &Entry<S>) -> Result<(), String> {
    if own.shape == other.shape {
        return Ok(());
    }
    Err(format!("shape {:?} here, {:?} there", own.shape, other.shape))
}

fn lacking(whose: &str, field: Option<&str>) -> String {
    field.map_or_else(
        || format!("{whose} state has no tensors"),
        |field| format!("{whose} state has no tensor `{field}`"),
    )
}

/// Replaces the tensors by those given under the same name.
fn set<S: State<F>, F: Real>(state: &mut S, given: &[(&'static str, Tensor<F>)]) {
    for (name, slot) in state.fields_mut() {
        let Some((_, tensor)) = given.iter().find(|(given, _)| *given == name) else { continue };
        put(slot, tensor.clone());
    }
}

impl fmt::Display for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} changed", self.changed.len())?;
        if !self.changed.is_empty() {
            write!(f, ": {}", self.changed.join(", "))?;
        }
        for (name, why) in &self.left {
            write!(f, "\n{name} left as it was: {why}")?;
        }
        Ok(())
    }
}
