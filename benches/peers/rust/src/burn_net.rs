//! The network in burn, on its CPU backend `flex`.

use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, activation::relu};

use crate::{CLASSES, HIDDEN, INPUT, Net};

struct Burn {
    device: Device,
    hidden: Vec<(Linear, BatchNorm)>,
    out: Linear,
}

pub fn network() -> impl Net {
    let device = Device::flex();
    let mut hidden = Vec::new();
    let mut width = INPUT;
    for units in HIDDEN {
        hidden
            .push((LinearConfig::new(width, units).init(&device), BatchNormConfig::new(units).init(&device)));
        width = units;
    }
    Burn { out: LinearConfig::new(width, CLASSES).init(&device), hidden, device }
}

impl Net for Burn {
    fn logits(&self, rows: &[f32]) -> Vec<f32> {
        let rows = TensorData::new(rows.to_vec(), [rows.len() / INPUT, INPUT]);
        let mut h = Tensor::<2>::from_data(rows, &self.device);
        for (dense, norm) in &self.hidden {
            h = relu(norm.forward(dense.forward(h)));
        }
        self.out.forward(h).into_data().try_to_vec().expect("f32")
    }
}
