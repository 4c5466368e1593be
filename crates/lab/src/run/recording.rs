use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Gradients, Module, ModulePath, Param, Real, Tensor, Visitor, VisitorMut};
use wengert_files::harmless;
use wengert_optim::{Optimizer, Rule};

const FORMAT: &str = "wengert gradients 1";

/// Writes the gradients of a run, step by step, as JSON lines; [`Recording`] reads them.
///
/// The first line holds the format, the precision and the parameters at the start, each further line one step: the
/// gradients by dotted name. A parameter without a gradient is left out, which is not the same as a gradient of zeros.
#[derive(Debug)]
pub struct Recorder<W: Write> {
    sink: W,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording with the parameters as they are now.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    pub fn new<F: Real>(mut sink: W, model: &dyn Module<F>) -> io::Result<Self> {
        let start =
            model.params().into_iter().map(|(name, param)| (name, Packed::new(param.value()))).collect();
        line(&mut sink, &Header { format: FORMAT.to_owned(), precision: F::NAME.to_owned(), start })?;
        Ok(Self { sink })
    }

    /// Adds the gradients of a step.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    pub fn step<F: Real>(&mut self, model: &dyn Module<F>, grads: &Gradients<F>) -> io::Result<()> {
        let named: BTreeMap<_, _> =
            grads.named(model).into_iter().map(|(name, grad)| (name, Packed::new(grad))).collect();
        line(&mut self.sink, &named)
    }

    /// Ends the recording: flushes the sink and returns it.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.flush()?;
        Ok(self.sink)
    }
}

fn line(sink: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, value)?;
    sink.write_all(b"\n")
}

/// A run without its model: the parameters it began with, and the gradients of every step by name.
#[derive(Clone, Debug)]
pub struct Recording<F: Real = f32> {
    /// The parameters before the first step.
    pub start: BTreeMap<String, Tensor<F>>,
    /// The gradients of each step.
    pub steps: Vec<BTreeMap<String, Tensor<F>>>,
}

impl<F: Real> Recording<F> {
    /// Reads the file that a [`Recorder`] wrote.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not a recording of this precision, or has a damaged line.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = file.as_ref();
        let cannot = |problem: io::Error| RecordingError::new(path, 1, problem.to_string());
        Self::parse(BufReader::new(File::open(path).map_err(cannot)?), path)
    }

    fn parse(source: impl BufRead, path: &Path) -> Result<Self, RecordingError> {
        let mut lines = (1..).zip(source.lines()).map(|(number, line)| {
            let at = |problem: String| RecordingError::new(path, number, problem);
            line.map(|line| (number, line)).map_err(|error| at(error.to_string()))
        });
        let Some(first) = lines.next() else {
            return Err(RecordingError::new(path, 1, "the file is empty".to_owned()));
        };
        let start = header(&first?.1).map_err(|problem| RecordingError::new(path, 1, problem))?;
        let mut recording = Self { start, steps: Vec::new() };
        for line in lines {
            let (number, line) = line?;
            let step = recording.gradients(&line);
            recording.steps.push(step.map_err(|problem| RecordingError::new(path, number, problem))?);
        }
        Ok(recording)
    }

    /// One line of gradients, each in the shape of its parameter.
    fn gradients(&self, line: &str) -> Result<BTreeMap<String, Tensor<F>>, String> {
        let step: BTreeMap<String, Packed> = json(line, "the gradients of a step by name")?;
        let step = unpacked(step)?;
        for (name, grad) in &step {
            let param = self.start.get(name).ok_or(format!("the first line has no parameter `{name}`"))?;
            if param.shape() != grad.shape() {
                return Err(format!(
                    "the gradient of `{name}` has shape {:?}, the parameter {:?}",
                    grad.shape(),
                    param.shape()
                ));
            }
        }
        Ok(step)
    }

    /// Runs the gradients through an optimizer, and returns where the parameters end. What the optimizer remembers of
    /// them stays under their names.
    pub fn replay<R: Rule<F>>(&self, optimizer: &mut Optimizer<R, F>) -> BTreeMap<String, Tensor<F>> {
        let params =
            self.start.iter().map(|(name, value)| (name.clone(), Param::new(value.clone()))).collect();
        let mut model = StandIn { params };
        for step in &self.steps {
            let mut grads = Gradients::default();
            for (name, grad) in step {
                if let Some(param) = model.params.get(name) {
                    grads.set(param, grad.clone());
                }
            }
            optimizer.step(&mut model, &grads);
        }
        model.params.into_iter().map(|(name, param)| (name, param.value().clone())).collect()
    }
}

fn header<F: Real>(line: &str) -> Result<BTreeMap<String, Tensor<F>>, String> {
    let header: Header = json(line, &format!("the first line of a `{FORMAT}` recording"))?;
    if header.format != FORMAT {
        return Err(format!("the format is `{}`, expected `{FORMAT}`", header.format));
    }
    if header.precision != F::NAME {
        return Err(format!("the recording is in {}, expected {}", header.precision, F::NAME));
    }
    unpacked(header.start)
}

fn json<'de, T: Deserialize<'de>>(line: &'de str, expected: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("expected {expected}: {error}"))
}

fn unpacked<F: Real>(packed: BTreeMap<String, Packed>) -> Result<BTreeMap<String, Tensor<F>>, String> {
    let unpack = |(name, packed): (String, Packed)| match packed.unpack() {
        Ok(tensor) => Ok((name, tensor)),
        Err(problem) => Err(format!("`{name}`: {problem}")),
    };
    packed.into_iter().map(unpack).collect()
}

/// The parameters without the layers around them, under the same names.
struct StandIn<F: Real> {
    params: BTreeMap<String, Param<F>>,
}

impl<F: Real> Module<F> for StandIn<F> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        for (name, param) in &self.params {
            path.enter(name, |path| param.visit(path, visitor));
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        for (name, param) in &mut self.params {
            path.enter(name, |path| param.visit_mut(path, visitor));
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    precision: String,
    start: BTreeMap<String, Packed>,
}

#[derive(Serialize, Deserialize)]
struct Packed {
    shape: Vec<usize>,
    data: Vec<Number>,
}

/// JSON has no number for NaN and the infinities, which a recording of a failed run is full of.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Other(String),
}

impl Packed {
    fn new<F: Real>(tensor: &Tensor<F>) -> Self {
        let number = |x: &F| match x.as_f64() {
            x if x.is_finite() => Number::Finite(x),
            x => Number::Other(x.to_string()),
        };
        Self { shape: tensor.shape().to_vec(), data: tensor.iter().map(number).collect() }
    }

    fn unpack<F: Real>(self) -> Result<Tensor<F>, String> {
        let numbers = self.data.into_iter().map(|number| match number {
            Number::Finite(x) => Ok(F::from_f64(x)),
            Number::Other(text) => match text.as_str() {
                "NaN" => Ok(F::nan()),
                "inf" => Ok(F::infinity()),
                "-inf" => Ok(F::neg_infinity()),
                _ => Err(format!("expected a number, \"NaN\", \"inf\" or \"-inf\", not \"{text}\"")),
            },
        });
        let numbers: Vec<F> = numbers.collect::<Result<_, _>>()?;
        let (count, shape) = (numbers.len(), self.shape);
        ArrayD::from_shape_vec(IxDyn(&shape), numbers)
            .map(Into::into)
            .map_err(|_| format!("{count} numbers do not fill the shape {shape:?}"))
    }
}

/// A file that is not a recording, or a damaged one.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}: {}", harmless(&file.to_string_lossy()), harmless(problem))]
pub struct RecordingError {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: u64,
    problem: String,
}

impl RecordingError {
    fn new(file: &Path, line: u64, problem: String) -> Self {
        Self { file: file.to_owned(), line, problem }
    }
}
