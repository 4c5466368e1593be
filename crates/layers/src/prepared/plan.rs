//! From layers to steps.

use std::error::Error;
use std::fmt;

use ndarray::{Array2, Axis, Ix2};
use wengert_autodiff::compute::PackedMatrix;

use super::{Prepared, Scale, Step};
use crate::sequential::downcast;
use crate::{Activation, BatchNorm, Dense, Dropout, Flatten, Layer, Residual, Sequential};

/// Why a model cannot be [`Prepared`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrepareError(String);

impl fmt::Display for PrepareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot prepare the model: {}", self.0)
    }
}

impl Error for PrepareError {}

type Checked = Result<(), PrepareError>;

/// The steps so far.
#[derive(Default)]
pub(super) struct Plan {
    steps: Vec<Step>,
    /// A dense layer that a batch norm may still become part of.
    dense: Option<Linear>,
    /// What a row of the input has, once a layer has told.
    inputs: Option<usize>,
    /// What a row has by now.
    width: Option<usize>,
    products: usize,
}

/// `y = x Wᵀ + b`.
struct Linear {
    weight: Array2<f32>,
    bias: Vec<f32>,
}

impl Plan {
    pub(super) fn of(model: &Sequential) -> Result<Prepared, PrepareError> {
        let mut plan = Self::default();
        plan.layers(model, "")?;
        plan.pack();
        let Self { steps, inputs, width, products, .. } = plan;
        let (Some(inputs), Some(outputs)) = (inputs, width) else {
            return Err(PrepareError("no layer tells how many inputs there are".to_owned()));
        };
        Ok(Prepared { steps, inputs, outputs, products })
    }

    fn layers(&mut self, layers: &Sequential, prefix: &str) -> Checked {
        layers
            .iter()
            .enumerate()
            .try_for_each(|(index, layer)| self.layer(layer, &format!("{prefix}{index}")))
    }

    fn layer(&mut self, layer: &dyn Layer, name: &str) -> Checked {
        if let Some(layers) = downcast::<Sequential, f32>(layer) {
            self.layers(layers, &format!("{name}."))
        } else if let Some(dense) = downcast::<Dense, f32>(layer) {
            self.dense(dense, name)
        } else if let Some(norm) = downcast::<BatchNorm, f32>(layer) {
            self.batch_norm(norm, name)
        } else if let Some(&activation) = downcast::<Activation, f32>(layer) {
            self.push(Step::Activation(activation));
            Ok(())
        } else if let Some(Residual(f)) = downcast::<Residual<Sequential>, f32>(layer) {
            self.residual(f, name)
        } else if let Some(Residual(f)) = downcast::<Residual<Box<dyn Layer>>, f32>(layer) {
            self.residual(&**f, name)
        } else if let Some(Residual(f)) = downcast::<Residual<Dense>, f32>(layer) {
            self.residual(f, name)
        } else if downcast::<Dropout, f32>(layer).is_some() || downcast::<Flatten, f32>(layer).is_some() {
            Ok(())
        } else {
            let debug = format!("{layer:?}");
            let kind = debug.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            Err(PrepareError(format!("layer {name} (`{kind}`) is of a kind that is not supported")))
        }
    }

    fn dense(&mut self, dense: &Dense, name: &str) -> Checked {
        let shape = dense.weight.shape();
        let misfit = |what: &str, shape: &[usize]| {
            PrepareError(format!("layer {name} (`Dense`) has a {what} of shape {shape:?}"))
        };
        let weight = dense.weight.value().view().into_dimensionality::<Ix2>();
        let weight = weight.map_err(|_| misfit("weight", shape))?.to_owned();
        let bias = match &dense.bias {
            Some(bias) if bias.shape() != [weight.nrows()] => return Err(misfit("bias", bias.shape())),
            Some(bias) => bias.value().iter().copied().collect(),
            None => vec![0.0; weight.nrows()],
        };
        self.takes(weight.ncols(), name, "Dense")?;
        self.pack();
        self.width = Some(weight.nrows());
        self.products += weight.len();
        self.dense = Some(Linear { weight, bias });
        Ok(())
    }

    fn batch_norm(&mut self, norm: &BatchNorm, name: &str) -> Checked {
        let channels = norm.running_mean.value().len();
        let parameter = |param: &Option<wengert_autodiff::Param>, missing: f32| match param {
            Some(param) => param.value().iter().copied().collect(),
            None => vec![missing; channels],
        };
        let (weight, bias) = (parameter(&norm.weight, 1.0), parameter(&norm.bias, 0.0));
        let (mean, var) = (norm.running_mean.value(), norm.running_var.value());
        if [weight.len(), bias.len(), var.len()].iter().any(|&len| len != channels) {
            return Err(PrepareError(format!(
                "layer {name} (`BatchNorm`) has parameters of several lengths"
            )));
        }
        self.takes(channels, name, "BatchNorm")?;
        self.width = Some(channels);
        let folded = self.dense.as_ref().and_then(|dense| {
            let factors = weight.iter().zip(var);
            let factors = factors.map(|(&w, &var)| f64::from(w) / (f64::from(var) + norm.eps).sqrt());
            dense.folded(&factors.collect::<Vec<_>>(), mean.iter(), &bias)
        });
        if let Some(folded) = folded {
            self.dense = Some(folded);
            return Ok(());
        }
        let eps = norm.eps as f32;
        let scale = |(((&mean, &var), &w), &shift): (((&f32, &f32), &f32), &f32)| Scale {
            mean,
            factor: w * (var + eps).sqrt().recip(),
            shift,
        };
        let scales = mean.iter().zip(var).zip(&weight).zip(&bias).map(scale).collect();
        self.push(Step::Scale(scales));
        Ok(())
    }

    fn residual(&mut self, f: &dyn Layer, name: &str) -> Checked {
        let mut inner = Self { width: self.width, ..Self::default() };
        inner.layer(f, name)?;
        inner.pack();
        let before = self.width.or(inner.inputs);
        if let (Some(before), Some(after)) = (before, inner.width)
            && before != after
        {
            let message =
                format!("layer {name} (`Residual`) takes {before} numbers and adds {after} to them");
            return Err(PrepareError(message));
        }
        self.inputs = self.inputs.or(inner.inputs);
        self.products += inner.products;
        self.push(Step::Residual(inner.steps));
        self.width = inner.width;
        Ok(())
    }

    /// Whether a layer that takes rows of `width` numbers fits behind the last.
    fn takes(&mut self, width: usize, name: &str, kind: &str) -> Checked {
        match self.width {
            Some(before) if before != width => {
                let message = format!("layer {name} (`{kind}`) takes {width} numbers, and gets {before}");
                Err(PrepareError(message))
            }
            Some(_) => Ok(()),
            None => {
                self.inputs = Some(width);
                Ok(())
            }
        }
    }

    fn push(&mut self, step: Step) {
        self.pack();
        self.steps.push(step);
    }

    fn pack(&mut self) {
        if let Some(Linear { weight, bias }) = self.dense.take() {
            self.steps.push(Step::Dense { weight: PackedMatrix::new(weight.t()), bias });
        }
    }
}

impl Linear {
    /// The layer with a batch norm behind it, if that is as good: not if a weight or a bias left the range of numbers
    /// on the way, because infinite inputs would show it.
    fn folded<'m>(
        &self,
        factors: &[f64],
        means: impl Iterator<Item = &'m f32>,
        shifts: &[f32],
    ) -> Option<Self> {
        let mut weight = self.weight.clone();
        for (mut row, factor) in weight.axis_iter_mut(Axis(0)).zip(factors) {
            row.mapv_inplace(|w| (f64::from(w) * factor) as f32);
        }
        let bias = self.bias.iter().zip(means).zip(factors).zip(shifts);
        let bias: Vec<f32> = bias
            .map(|(((&b, &mean), factor), &shift)| {
                ((f64::from(b) - f64::from(mean)) * factor + f64::from(shift)) as f32
            })
            .collect();
        let finite = weight.iter().chain(&bias).all(|x| x.is_finite());
        let vanished = weight.iter().zip(&self.weight).any(|(&new, &old)| new == 0.0 && old != 0.0);
        (finite && !vanished).then_some(Self { weight, bias })
    }
}
