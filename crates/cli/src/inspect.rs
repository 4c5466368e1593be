use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use wengert_optim::checkpoint::{Checkpoint, RawTensor, SavedRule};

/// What `wengert inspect` prints.
#[derive(Serialize)]
pub(crate) struct Summary {
    file: String,
    /// Of the tensors alone; the file is a little larger.
    bytes: usize,
    not_finite: usize,
    model: Vec<TensorRow>,
    optimizer: Option<OptimizerPart>,
    extra: Value,
}

#[derive(Serialize)]
struct OptimizerPart {
    kind: String,
    steps: u64,
    rules: Vec<RuleRow>,
    state: Vec<TensorRow>,
}

#[derive(Serialize)]
struct RuleRow {
    /// `null` for the default.
    pattern: Option<String>,
    given: Value,
    now: Value,
}

#[derive(Serialize)]
struct TensorRow {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    bytes: usize,
    /// Of the finite elements, as are the others; `null` if there are none.
    min: Option<f64>,
    max: Option<f64>,
    /// The root mean square.
    rms: Option<f64>,
    not_finite: usize,
}

impl Summary {
    /// Fails on hyper-parameters that are not JSON; no file that Wengert wrote has them.
    pub(crate) fn new(path: &Path, file: &Checkpoint) -> Result<Self, String> {
        let model: Vec<_> = file.model.iter().map(TensorRow::new).collect();
        let optimizer = file.optimizer.as_ref().map(|optimizer| {
            let rules = optimizer.rules.iter().map(RuleRow::new).collect::<Result<_, _>>()?;
            let state = optimizer.state.iter().map(TensorRow::new).collect();
            Ok(OptimizerPart { kind: optimizer.kind.clone(), steps: optimizer.steps, rules, state })
        });
        let optimizer: Option<OptimizerPart> = optimizer
            .transpose()
            .map_err(|error: serde_json::Error| format!("{}: {error}", path.display()))?;
        let extra = file.extra().map_err(|error| format!("{}: the extra: {error}", path.display()))?;
        let all = || model.iter().chain(optimizer.iter().flat_map(|optimizer| &optimizer.state));
        Ok(Self {
            file: path.display().to_string(),
            bytes: all().map(|tensor| tensor.bytes).sum(),
            not_finite: all().map(|tensor| tensor.not_finite).sum(),
            model,
            optimizer,
            extra,
        })
    }
}

impl RuleRow {
    fn new(rule: &SavedRule) -> Result<Self, serde_json::Error> {
        let pattern = rule.pattern.clone();
        Ok(Self { pattern, given: serde_json::from_str(&rule.given)?, now: serde_json::from_str(&rule.now)? })
    }
}

impl TensorRow {
    fn new((name, tensor): (&String, &RawTensor)) -> Self {
        let finite = || tensor.values().filter(|x| x.is_finite());
        let count = finite().count();
        let squares: f64 = finite().map(|x| x * x).sum();
        Self {
            name: name.clone(),
            dtype: tensor.dtype().to_string(),
            shape: tensor.shape().to_vec(),
            bytes: tensor.bytes().len(),
            min: finite().reduce(f64::min),
            max: finite().reduce(f64::max),
            rms: (count > 0).then(|| (squares / count as f64).sqrt()),
            not_finite: tensor.values().count() - count,
        }
    }
}

impl fmt::Display for Summary {
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
                let pattern = rule.pattern.as_deref().unwrap_or("(default)");
                writeln!(f, "  {}: {}", pattern.escape_debug(), rule.given)?;
                if rule.now != rule.given {
                    writeln!(f, "    now: {}", rule.now)?;
                }
            }
            table(f, &optimizer.state)?;
        }
        if !self.extra.is_null() {
            writeln!(f, "\nextra {}", self.extra)?;
        }
        Ok(())
    }
}

fn table(f: &mut fmt::Formatter<'_>, tensors: &[TensorRow]) -> fmt::Result {
    let rows: Vec<_> = tensors.iter().map(TensorRow::cells).collect();
    let width = |column: usize| rows.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let (name_width, shape_width, size_width) = (width(0), width(1), width(2));
    for [name, shape, size, range] in &rows {
        writeln!(f, "  {name:name_width$}  {shape:shape_width$}  {size:>size_width$}  {range}")?;
    }
    Ok(())
}

impl TensorRow {
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
