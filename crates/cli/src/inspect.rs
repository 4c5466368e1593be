use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use wengert_optim::checkpoint::{Checkpoint, Dtype, RawTensor, SavedRule};

use crate::json::{Json, json};

/// What `wengert inspect` prints.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    file: String,
    /// Of the tensors alone; the file is a little larger.
    bytes: usize,
    not_finite: usize,
    model: Vec<TensorRow<'a>>,
    optimizer: Option<OptimizerPart<'a>>,
    extra: Json,
    metadata: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct OptimizerPart<'a> {
    kind: &'a str,
    steps: u64,
    rules: Vec<RuleRow<'a>>,
    state: Vec<TensorRow<'a>>,
}

#[derive(Serialize)]
struct RuleRow<'a> {
    /// `null` for the default.
    pattern: Option<&'a str>,
    given: Json,
    now: Json,
}

#[derive(Serialize)]
struct TensorRow<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: &'a [usize],
    bytes: usize,
    /// Of the finite elements, as are the others; `null` if there are none.
    min: Option<f64>,
    max: Option<f64>,
    /// The root mean square.
    rms: Option<f64>,
    not_finite: usize,
}

impl<'a> Summary<'a> {
    /// Fails on hyper-parameters that are not JSON; no file that Wengert wrote has them.
    pub(crate) fn new(path: &Path, file: &'a Checkpoint) -> Result<Self, String> {
        let failed = |error| format!("{}: {error}", path.display());
        let model: Vec<_> = file.model.iter().map(TensorRow::new).collect();
        let optimizer = file.optimizer.as_ref().map(|optimizer| {
            let rules = optimizer.rules.iter().map(RuleRow::new).collect::<Result<_, _>>()?;
            let state = optimizer.state.iter().map(TensorRow::new).collect();
            Ok(OptimizerPart { kind: &optimizer.kind, steps: optimizer.steps, rules, state })
        });
        let optimizer = optimizer.transpose().map_err(failed)?;
        let all = || model.iter().chain(optimizer.iter().flat_map(|optimizer| &optimizer.state));
        Ok(Self {
            file: path.display().to_string(),
            bytes: all().map(|tensor| tensor.bytes).sum(),
            not_finite: all().map(|tensor| tensor.not_finite).sum(),
            extra: json("the extra", &file.extra).map_err(failed)?,
            metadata: &file.metadata,
            model,
            optimizer,
        })
    }
}

impl<'a> RuleRow<'a> {
    fn new(rule: &'a SavedRule) -> Result<Self, String> {
        let hypers = |text| json("the hyper-parameters", text);
        Ok(Self { pattern: rule.pattern.as_deref(), given: hypers(&rule.given)?, now: hypers(&rule.now)? })
    }
}

impl<'a> TensorRow<'a> {
    fn new((name, tensor): (&'a String, &'a RawTensor)) -> Self {
        let finite = || tensor.values().filter(|x| x.is_finite());
        let count = finite().count();
        let squares: f64 = finite().map(|x| x * x).sum();
        Self {
            name,
            dtype: tensor.dtype(),
            shape: tensor.shape(),
            bytes: tensor.bytes().len(),
            min: finite().reduce(f64::min),
            max: finite().reduce(f64::max),
            rms: (count > 0).then(|| (squares / count as f64).sqrt()),
            not_finite: tensor.values().count() - count,
        }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} bytes of tensors", self.file, self.bytes)?;
        match self.not_finite {
            0 => writeln!(f, "all finite")?,
            count => writeln!(f, "{count} NOT FINITE")?,
        }
        writeln!(f, "\nmodel")?;
        table(f, &self.model)?;
        if let Some(optimizer) = &self.optimizer {
            writeln!(f, "\noptimizer {}, {} steps", optimizer.kind.escape_debug(), optimizer.steps)?;
            for rule in &optimizer.rules {
                let pattern = rule.pattern.unwrap_or("(default)");
                writeln!(f, "  {}: {}", pattern.escape_debug(), rule.given.get())?;
                if rule.now.get() != rule.given.get() {
                    writeln!(f, "    now: {}", rule.now.get())?;
                }
            }
            table(f, &optimizer.state)?;
        }
        if self.extra.get() != "null" {
            writeln!(f, "\nextra {}", self.extra.get())?;
        }
        for (key, value) in self.metadata {
            writeln!(f, "\nmetadata {}: {}", key.escape_debug(), value.escape_debug())?;
        }
        Ok(())
    }
}

/// In characters. What is wider stands out of its column; a hostile name would make every row as long as itself.
const WIDEST: usize = 80;

fn table(f: &mut fmt::Formatter<'_>, tensors: &[TensorRow<'_>]) -> fmt::Result {
    let mut widths = [0; 3];
    for cells in tensors.iter().map(TensorRow::cells) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().min(WIDEST).max(*width);
        }
    }
    let [name_width, shape_width, size_width] = widths;
    for [name, shape, size, range] in tensors.iter().map(TensorRow::cells) {
        writeln!(f, "  {name:name_width$}  {shape:shape_width$}  {size:>size_width$}  {range}")?;
    }
    Ok(())
}

impl TensorRow<'_> {
    /// Name, shape, size and range. A name with a line end must not be able to pass for several rows.
    fn cells(&self) -> [String; 4] {
        let mut range = match (self.min, self.max, self.rms) {
            (Some(min), Some(max), Some(rms)) if min < max => {
                format!("{min:.3e} to {max:.3e}, rms {rms:.3e}")
            }
            (Some(min), ..) => format!("{min}"),
            _ => String::new(),
        };
        if self.not_finite > 0 {
            range += &format!("  {} NOT FINITE", self.not_finite);
        }
        let (name, shape) =
            (self.name.escape_debug().to_string(), format!("{} {:?}", self.dtype, self.shape));
        [name, shape, format!("{} B", self.bytes), range]
    }
}
