use std::fmt;

use serde::Serialize;
use wengert_autodiff::{NamePattern, Param, Real};

/// The default rule, and the rules of the groups in the order in which they were added.
#[derive(Clone, Debug)]
pub(crate) struct Groups<R> {
    pub(crate) default: R,
    initial_default: R,
    groups: Vec<Group<R>>,
}

#[derive(Clone, Debug)]
struct Group<R> {
    pattern: NamePattern,
    rule: R,
    initial: R,
}

/// A rule as it was given and as it is now, with its pattern, which the default lacks. A schedule changes a rule as it
/// is now; the initial one stays, so that a checkpoint can tell the progress of a run from a change of its
/// hyper-parameters.
pub(crate) struct Initial<'a, R> {
    pub(crate) pattern: Option<&'a str>,
    pub(crate) initial: &'a R,
    pub(crate) now: &'a R,
}

impl<R: Clone> Groups<R> {
    pub(crate) fn new(default: R) -> Self {
        Self { initial_default: default.clone(), default, groups: Vec::new() }
    }

    pub(crate) fn add(&mut self, pattern: &str, rule: R) -> Result<(), String> {
        if self.find_mut(pattern).is_some() {
            return Err(format!("there is a group `{pattern}` already"));
        }
        let pattern =
            NamePattern::new(pattern).map_err(|error| format!("`{pattern}` is not a pattern: {error}"))?;
        self.groups.push(Group { pattern, initial: rule.clone(), rule });
        Ok(())
    }
}

impl<R> Groups<R> {
    /// The default, then the groups in their order.
    pub(crate) fn initial(&self) -> impl Iterator<Item = Initial<'_, R>> {
        let default = Initial { pattern: None, initial: &self.initial_default, now: &self.default };
        let groups = self.groups.iter().map(|group| Initial {
            pattern: Some(group.pattern.as_str()),
            initial: &group.initial,
            now: &group.rule,
        });
        std::iter::once(default).chain(groups)
    }

    fn group_for(&self, name: &str) -> Option<&Group<R>> {
        self.groups.iter().rev().find(|group| group.pattern.matches(name))
    }

    pub(crate) fn rule_for(&self, name: &str) -> &R {
        self.group_for(name).map_or(&self.default, |group| &group.rule)
    }

    pub(crate) fn find_mut(&mut self, pattern: &str) -> Option<&mut R> {
        let group = self.groups.iter_mut().find(|group| group.pattern.as_str() == pattern);
        group.map(|group| &mut group.rule)
    }

    pub(crate) fn rules(&self) -> impl Iterator<Item = &R> {
        std::iter::once(&self.default).chain(self.groups.iter().map(|group| &group.rule))
    }

    pub(crate) fn rules_mut(&mut self) -> impl Iterator<Item = &mut R> {
        std::iter::once(&mut self.default).chain(self.groups.iter_mut().map(|group| &mut group.rule))
    }
}

impl<R: Clone> Groups<R> {
    pub(crate) fn table<'a, F: Real>(
        &self,
        params: impl Iterator<Item = (&'a str, &'a Param<F>)>,
    ) -> GroupTable<R> {
        let rows: Vec<_> = params
            .map(|(name, param)| GroupRow {
                name: name.to_owned(),
                shape: param.shape().to_vec(),
                frozen: param.is_frozen(),
                group: self.group_for(name).map(|group| group.pattern.as_str().to_owned()),
                rule: self.rule_for(name).clone(),
            })
            .collect();
        let mut table = GroupTable { rows, unmatched: Vec::new(), overridden: Vec::new() };
        for group in &self.groups {
            let pattern = group.pattern.as_str();
            if table.rows.iter().any(|row| row.group.as_deref() == Some(pattern)) {
                continue;
            }
            let matches = table.rows.iter().any(|row| group.pattern.matches(&row.name));
            let idle = if matches { &mut table.overridden } else { &mut table.unmatched };
            idle.push(pattern.to_owned());
        }
        table
    }
}

/// Which hyper-parameters each parameter has and why; see [`Optimizer::table`](crate::Optimizer::table). Its
/// [`Display`](fmt::Display) form is for people.
#[doc(alias = "Table")]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupTable<R> {
    /// The parameters in alphabetical order.
    pub rows: Vec<GroupRow<R>>,
    /// Patterns that match no parameter: most likely a mistake.
    pub unmatched: Vec<String>,
    /// Patterns all of whose parameters belong to a group that was added later.
    pub overridden: Vec<String>,
}

/// One parameter in a [`GroupTable`].
#[doc(alias = "Row")]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupRow<R> {
    /// The dotted name.
    pub name: String,
    /// The lengths of the axes.
    pub shape: Vec<usize>,
    /// The pattern that decides, or `None` for the default rule.
    pub group: Option<String>,
    /// Whether no step changes it.
    pub frozen: bool,
    /// The hyper-parameters.
    pub rule: R,
}

impl<R: fmt::Debug> fmt::Display for GroupTable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["parameter", "shape", "group", "hyper-parameters"].map(str::to_owned);
        let cells = self.rows.iter().map(|row| {
            let group = row.group.clone().unwrap_or_else(|| "(default)".to_owned());
            let rule = if row.frozen { "frozen".to_owned() } else { format!("{:?}", row.rule) };
            [row.name.clone(), format!("{:?}", row.shape), group, rule]
        });
        let lines: Vec<_> = std::iter::once(header).chain(cells).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let (name_width, shape_width, group_width) = (width(0), width(1), width(2));
        for [name, shape, group, rule] in &lines {
            writeln!(f, "{name:name_width$}  {shape:shape_width$}  {group:group_width$}  {rule}")?;
        }
        for pattern in &self.unmatched {
            writeln!(f, "group `{pattern}` matches no parameter")?;
        }
        for pattern in &self.overridden {
            writeln!(f, "group `{pattern}` applies to no parameter: later groups match all of its own")?;
        }
        Ok(())
    }
}
