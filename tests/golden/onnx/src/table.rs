//! The count.

use std::collections::BTreeMap;
use std::fmt;

use crate::case::Case;
use crate::graph::How;
use crate::verdict::Verdict;

/// How many tests came to what, of the ops themselves and of their definitions.
pub struct Table {
    onnx: String,
    ops: Column,
    expanded: Column,
    wrong: Vec<String>,
}

#[derive(Default)]
struct Column {
    /// By how, and by whether whole numbers were carried by floats.
    passed: BTreeMap<(How, bool), usize>,
    different: BTreeMap<String, usize>,
    /// By reason, then by op.
    missing: BTreeMap<String, BTreeMap<String, usize>>,
    wrong: usize,
}

impl Table {
    pub fn new(onnx: String) -> Self {
        Self { onnx, ops: Column::default(), expanded: Column::default(), wrong: Vec::new() }
    }

    pub fn add(&mut self, case: &Case, verdict: Verdict) {
        let column = if case.is_expanded() { &mut self.expanded } else { &mut self.ops };
        match verdict {
            Verdict::Passed { how, carried } => *column.passed.entry((how, carried)).or_default() += 1,
            Verdict::Different(why) => *column.different.entry(why.into()).or_default() += 1,
            Verdict::Missing(why) => {
                let op = if case.is_expanded() { "definitions" } else { &case.nodes[0].op };
                *column.missing.entry(why).or_default().entry(op.into()).or_default() += 1;
            }
            Verdict::Wrong(what) => {
                column.wrong += 1;
                self.wrong.push(format!("{}: {what}", case.name));
            }
        }
    }

    /// Whether everything that runs is right.
    pub fn is_as_expected(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl Column {
    fn rows(&self) -> [(&'static str, usize); 7] {
        let passed = |how, carried| self.passed.get(&(how, carried)).copied().unwrap_or_default();
        [
            ("passed, direct: one op or layer", passed(How::Direct, false)),
            ("passed, composed of several", passed(How::Composed, false)),
            ("passed, direct, whole numbers in f64", passed(How::Direct, true)),
            ("passed, composed, whole numbers in f64", passed(How::Composed, true)),
            ("different by choice", self.different.values().sum()),
            ("missing", self.missing.values().flat_map(BTreeMap::values).sum()),
            ("wrong", self.wrong),
        ]
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:40} {:>6} {:>12}", format!("onnx {}", self.onnx), "ops", "definitions")?;
        let (ops, expanded) = (self.ops.rows(), self.expanded.rows());
        for ((name, count), (_, of_definitions)) in ops.iter().zip(&expanded) {
            writeln!(f, "{name:40} {count:6} {of_definitions:12}")?;
        }
        for (name, rows) in [("passed", 4), ("all", 7)] {
            let sum = |rows: &[(&str, usize)]| rows.iter().map(|row| row.1).sum::<usize>();
            writeln!(f, "{name:40} {:6} {:12}", sum(&ops[..rows]), sum(&expanded[..rows]))?;
        }
        for (title, column) in [("ops", &self.ops), ("definitions", &self.expanded)] {
            for (why, count) in &column.different {
                writeln!(f, "{title}, different: {count:4}  {why}")?;
            }
            let mut reasons: Vec<_> =
                column.missing.iter().map(|(why, ops)| (ops.values().sum(), why, ops)).collect();
            reasons.sort_by_key(|&(count, ..): &(usize, _, _)| std::cmp::Reverse(count));
            for (count, why, ops) in reasons {
                let ops: Vec<_> = ops.iter().map(|(op, count)| format!("{op} {count}")).collect();
                writeln!(f, "{title}, missing: {count:4}  {why} ({})", ops.join(", "))?;
            }
        }
        for wrong in &self.wrong {
            writeln!(f, "WRONG {wrong}")?;
        }
        Ok(())
    }
}
