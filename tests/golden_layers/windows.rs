//! The recorded layers with windows.

use rand::rngs::StdRng;
use serde_json::Value;
use wengert_autodiff::{ConvOptions, Padding};
use wengert_layers::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, InstanceNorm, Layer};

use crate::golden::integers;

pub(crate) fn layer(name: &str, config: &Value, rng: &mut StdRng) -> Box<dyn Layer<f64>> {
    let size = |key: &str| config[key].as_u64().unwrap_or_else(|| panic!("{key} of {config}")) as usize;
    if name == "InstanceNorm" {
        let (channels, affine) = (size("num_features"), config["affine"] == true);
        return Box::new(if affine { InstanceNorm::affine(channels) } else { InstanceNorm::new(channels) });
    }
    let (inputs, outputs, with_bias) = (size("in_channels"), size("out_channels"), config["bias"] == true);
    match name {
        "Conv1d" => {
            let [kernel] = array(config, "kernel_size");
            let mut layer = Conv1d::with_options(inputs, outputs, kernel, options(config), rng);
            layer.bias = layer.bias.filter(|_| with_bias);
            Box::new(layer)
        }
        "Conv2d" => {
            let kernel = array(config, "kernel_size");
            let mut layer = Conv2d::with_options(inputs, outputs, kernel, options(config), rng);
            layer.bias = layer.bias.filter(|_| with_bias);
            Box::new(layer)
        }
        "ConvTranspose1d" => {
            let [kernel] = array(config, "kernel_size");
            let mut layer = ConvTranspose1d::with_options(inputs, outputs, kernel, options(config), rng);
            layer.bias = layer.bias.filter(|_| with_bias);
            layer.output_padding = array(config, "output_padding");
            Box::new(layer)
        }
        "ConvTranspose2d" => {
            let kernel = array(config, "kernel_size");
            let mut layer = ConvTranspose2d::with_options(inputs, outputs, kernel, options(config), rng);
            layer.bias = layer.bias.filter(|_| with_bias);
            layer.output_padding = array(config, "output_padding");
            Box::new(layer)
        }
        other => panic!("an unknown layer {other}"),
    }
}

fn options<const D: usize>(config: &Value) -> ConvOptions<D> {
    let same = config["padding"] == "same";
    ConvOptions {
        stride: array(config, "stride"),
        padding: if same { Padding::Same } else { Padding::Zeros(array(config, "padding")) },
        dilation: array(config, "dilation"),
        groups: config["groups"].as_u64().expect("groups") as usize,
    }
}

fn array<const D: usize>(config: &Value, key: &str) -> [usize; D] {
    integers(&config[key]).try_into().unwrap_or_else(|list| panic!("{key}: {list:?}"))
}
