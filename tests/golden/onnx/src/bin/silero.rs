//! The voice detector of the package `silero-vad`: its weights by name, its outputs beside onnxruntime's. See
//! ../../../README.md.
//!
//! ```text
//! cargo run --bin silero -- DIRECTORY      with what silero.py wrote there
//! ```
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert_autodiff::{ConvOptions, Padding, Tape, Tensor, Var, module};
use wengert_layers::{Conv1d, Layer, LstmCell};
use wengert_optim::checkpoint::{self, Checkpoint};

/// As far as the two may be apart.
const TOLERANCE: f32 = 1e-4;
const FREQUENCIES: usize = 129;

/// Fields are named as in the file.
struct VoiceDetector {
    stft_conv: Conv1d,
    conv1: Conv1d,
    conv2: Conv1d,
    conv3: Conv1d,
    conv4: Conv1d,
    lstm_cell: LstmCell,
    final_conv: Conv1d,
}

module!(VoiceDetector { stft_conv, conv1, conv2, conv3, conv4, lstm_cell, final_conv });

impl VoiceDetector {
    fn new(rng: &mut StdRng) -> Self {
        let mut conv = |inputs, outputs, kernel, stride, zeros| {
            let padding = Padding::Zeros([zeros]);
            let options = ConvOptions { stride: [stride], padding, ..ConvOptions::default() };
            Conv1d::with_options(inputs, outputs, kernel, options, rng)
        };
        let stft_conv = Conv1d { bias: None, ..conv(1, 2 * FREQUENCIES, 256, 128, 0) };
        let (conv1, conv2) = (conv(FREQUENCIES, 128, 3, 1, 1), conv(128, 64, 3, 2, 1));
        let (conv3, conv4) = (conv(64, 64, 3, 2, 1), conv(64, 128, 3, 1, 1));
        let final_conv = conv(128, 1, 1, 1, 0);
        Self { stft_conv, conv1, conv2, conv3, conv4, lstm_cell: LstmCell::new(128, 128, rng), final_conv }
    }

    /// The probability of speech in a frame `[1, 576]`, and the next state.
    fn forward<'t>(
        &self,
        frame: Var<'t>,
        state: Option<(Var<'t>, Var<'t>)>,
    ) -> (Var<'t>, (Var<'t>, Var<'t>)) {
        // 64 samples more behind, mirrored at the last one.
        let length = frame.shape()[1];
        let mirrored = frame.slice(1, length - 65..length - 1).flip(&[1]);
        let x = Var::concat(&[frame, mirrored], 1).reshape(&[1, 1, length + 64]);
        let spectrum = self.stft_conv.forward(x);
        let (re, im) = (spectrum.slice(1, 0..FREQUENCIES), spectrum.slice(1, FREQUENCIES..2 * FREQUENCIES));
        let mut x = (re.square() + im.square()).sqrt();
        for conv in [&self.conv1, &self.conv2, &self.conv3, &self.conv4] {
            x = conv.forward(x).relu();
        }
        let (h, c) = self.lstm_cell.forward(x.reshape(&[1, 128]), state);
        (self.final_conv.forward(h.relu().reshape(&[1, 128, 1])).sigmoid(), (h, c))
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.as_slice() {
        [directory] => ["graph", "safetensors"].iter().try_for_each(|which| {
            println!("the weights of the {which}");
            compare(&Path::new(directory).join(which))
        }),
        _ => Err("usage: silero DIRECTORY".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn compare(directory: &Path) -> Result<(), String> {
    let mut model = VoiceDetector::new(&mut StdRng::seed_from_u64(0));
    let loaded = checkpoint::load_weights(directory.join("weights.safetensors"), &mut model);
    println!("weights: {}", loaded.map_err(|error| error.to_string())?);
    let run = Checkpoint::read(directory.join("run.safetensors")).map_err(|error| error.to_string())?;
    let [frames, probabilities, last] = ["frames", "probabilities", "state"].map(|name| tensor(&run, name));

    let mut tape = Tape::inference();
    let mut state: Option<[Tensor; 2]> = None;
    let (mut largest, mut speech) = (0.0_f32, 0);
    for (frame, &expected) in frames.outer_iter().zip(&probabilities) {
        let before = state.take().map(|[h, c]| (tape.constant(h), tape.constant(c)));
        let frame = tape.constant(frame.to_owned()).reshape(&[1, frame.len()]);
        let (probability, (h, c)) = model.forward(frame, before);
        largest = largest.max((probability.item() - expected).abs());
        speech += usize::from(expected > 0.5);
        state = Some([h.value(), c.value()]);
        tape.reset();
    }
    let [h, c] = state.ok_or("no frames")?;
    let state_difference = h.iter().chain(&c).zip(&last).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{} frames, {speech} with speech: largest difference {largest:e}", probabilities.len());
    println!("the last state: largest difference {state_difference:e}");
    let close = largest <= TOLERANCE && state_difference <= TOLERANCE; // NaN is not
    close.then_some(()).ok_or_else(|| format!("more than {TOLERANCE:e} apart from onnxruntime"))
}

fn tensor(file: &Checkpoint, name: &str) -> Tensor {
    let raw = &file.model[name];
    let values = raw.values().map(|x| x as f32).collect();
    Tensor::from_shape_vec(raw.shape(), values).expect("as many numbers as the shape says")
}
