//! The flags of the example.

use std::path::PathBuf;
use std::thread;

use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};
use wengert::{layers, optim};

const AFTER_HELP: &str = "\
Ctrl-C or SIGTERM: the run finishes its step, writes the checkpoint and ends; a second one ends it at once.

Exit codes: 0 when all is done; 2 for flags, data or files that cannot be used; 3 when the training diverges (the
checkpoint stays as it was last written); 130 after Ctrl-C and 143 after SIGTERM.";

/// Trains a multi-layer perceptron on handwritten digits.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER_HELP)]
pub struct Args {
    /// `synthetic`, or a directory with the four MNIST files [default: datasets/mnist if it is there, else synthetic]
    #[arg(long, value_name = "synthetic|DIR")]
    pub data: Option<PathBuf>,
    /// Score on the test images in this directory instead: how do generated digits prepare for real ones?
    #[arg(long, value_name = "DIR")]
    pub test: Option<PathBuf>,
    /// Download MNIST into datasets/mnist first
    #[arg(long, conflicts_with = "data")]
    pub download: bool,
    /// Passes over the training images
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Images per step
    #[arg(long, default_value_t = 128, value_parser = positive)]
    pub batch_size: usize,
    /// Widths of the hidden layers
    #[arg(long, default_value = "256,128", value_delimiter = ',', value_parser = positive)]
    pub hidden: Vec<usize>,
    /// Normalization before each activation
    #[arg(long, value_enum, default_value_t = Norm::Batch)]
    pub norm: Norm,
    /// Share of the activations that dropout sets to zero
    #[arg(long, default_value_t = 0.2, value_parser = probability)]
    pub dropout: f64,
    /// Activation of the hidden layers
    #[arg(long, value_enum, default_value_t = Activation::Relu)]
    pub activation: Activation,
    /// How gradients become steps
    #[arg(long, value_enum, default_value_t = OptimizerName::Rmsprop)]
    pub optimizer: OptimizerName,
    /// Learning rate [default: PyTorch's default for the optimizer, but rmsprop 0.001 and sgd 0.1]
    #[arg(long, value_parser = learning_rate)]
    pub lr: Option<f64>,
    /// How the learning rate changes over the run
    #[arg(long, value_enum, default_value_t = Schedule::Cosine)]
    pub schedule: Schedule,
    /// Seed of everything random: initial weights, order of the images, dropout
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Threads for the matrix products, at most 8 per core or 64 [default: one per core]; the result is the same
    #[arg(long, value_parser = threads)]
    pub threads: Option<usize>,
    /// Write one JSON object per epoch to this file, or to a pipe that somebody reads
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Write the trained model to this file (safetensors, PyTorch's names)
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// After each epoch and when interrupted, write all that is needed to go on to this file
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Go on from the checkpoint, as if there had been no interruption
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
    /// End after this many of the planned epochs, as an interruption would
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub stop_after: Option<u32>,
    /// Draw curves and a sheet of misread digits into this directory
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// Print nothing but the last line
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    Batch,
    Layer,
    Rms,
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    Relu,
    LeakyRelu,
    Elu,
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OptimizerName {
    /// ρ 0.99
    Rmsprop,
    /// Momentum 0.9
    Sgd,
    Adagrad,
    Adadelta,
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
    Adamax,
    Nadam,
    Radam,
    Lion,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum, Serialize, Deserialize)]
pub enum Schedule {
    /// Half a cosine from the learning rate down to zero
    Cosine,
    Constant,
}

impl Activation {
    pub fn layer(self) -> layers::Activation {
        match self {
            Self::Relu => layers::Activation::Relu,
            Self::LeakyRelu => layers::Activation::LeakyRelu(0.01),
            Self::Elu => layers::Activation::Elu(1.0),
            Self::Gelu => layers::Activation::Gelu,
            Self::Silu => layers::Activation::Silu,
            Self::Tanh => layers::Activation::Tanh,
            Self::Sigmoid => layers::Activation::Sigmoid,
        }
    }
}

impl Schedule {
    pub fn over(self, lr: f64, steps: u64) -> optim::Schedule {
        match self {
            Self::Constant => optim::Schedule::constant(lr),
            Self::Cosine => optim::Schedule::cosine(lr, 0.0, steps),
        }
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(n) => Ok(n),
        Err(error) => Err(format!("{error}")),
    }
}

/// More than there are cores are not used; so many more are a slip.
fn threads(text: &str) -> Result<usize, String> {
    let most = 8 * thread::available_parallelism().map_or(8, |cores| cores.get().max(8));
    match positive(text)? {
        n if n > most => Err(format!("at most {most} are allowed on this machine")),
        n => Ok(n),
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(p) if (0.0..1.0).contains(&p) => Ok(p),
        Ok(_) => Err("a number from 0 up to, but not including, 1 is needed".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}

fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(lr) if 0.0 < lr && lr < f64::INFINITY => Ok(lr),
        Ok(_) => Err("a finite number above 0 is needed".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}
