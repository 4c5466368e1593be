//! The network in candle.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{BatchNorm, Linear, Module, ModuleT, VarBuilder, VarMap, batch_norm, linear};

use crate::{CLASSES, HIDDEN, INPUT, Net};

struct Candle {
    hidden: Vec<(Linear, BatchNorm)>,
    out: Linear,
}

pub fn network() -> impl Net {
    let variables = VarMap::new();
    build(VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu)).expect("layers of these sizes")
}

fn build(vars: VarBuilder) -> Result<Candle> {
    let mut hidden = Vec::new();
    let mut width = INPUT;
    for (i, units) in HIDDEN.into_iter().enumerate() {
        let vars = vars.pp(i);
        hidden.push((linear(width, units, vars.pp("dense"))?, batch_norm(units, 1e-5, vars.pp("norm"))?));
        width = units;
    }
    Ok(Candle { hidden, out: linear(width, CLASSES, vars.pp("out"))? })
}

impl Candle {
    fn forward(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let mut h = Tensor::from_slice(rows, (rows.len() / INPUT, INPUT), &Device::Cpu)?;
        for (dense, norm) in &self.hidden {
            h = norm.forward_t(&dense.forward(&h)?, false)?.relu()?;
        }
        self.out.forward(&h)?.flatten_all()?.to_vec1()
    }
}

impl Net for Candle {
    fn logits(&self, rows: &[f32]) -> Vec<f32> {
        self.forward(rows).expect("rows of the right width")
    }
}
