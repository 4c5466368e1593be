//! A network with batch norm passes between PyTorch and Wengert as safetensors, both ways. `tests/golden/roundtrip.py`
//! is PyTorch's half: it made the files loaded here, and it reads the files written here.

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert_autodiff::{Module, Tape, Tensor, Var, module};
use wengert_layers::{BatchNorm, Dense, Layer};
use wengert_optim::checkpoint::{self, Checkpoint, Dtype, RawTensor};
use wengert_optim::{Optimizer, RmsProp};

struct Mlp {
    hidden: Dense,
    norm: BatchNorm,
    out: Dense,
}

module!(Mlp { hidden, norm, out });

impl Mlp {
    fn new(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        Self { hidden: Dense::new(6, 8, rng), norm: BatchNorm::new(8), out: Dense::new(8, 3, rng) }
    }

    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        self.out.forward(self.norm.forward(self.hidden.forward(x)).tanh())
    }

    fn evaluate(&self, x: Tensor) -> Tensor {
        let tape = Tape::inference();
        self.forward(tape.constant(x)).value()
    }
}

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

fn written(file: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(file)
}

/// A tensor of a file, as a test needs it.
fn tensor(file: &Checkpoint, name: &str) -> Tensor {
    let raw = &file.model[name];
    let values = raw.values().map(|x| x as f32).collect();
    Tensor::from_shape_vec(raw.shape(), values).unwrap()
}

#[test]
fn pytorchs_weights_load_by_name_and_give_its_outputs() {
    let mut model = Mlp::new(1);
    let report = checkpoint::load_weights(golden("torch_mlp.safetensors"), &mut model).unwrap();
    assert_eq!(report.to_string(), "all 9 tensors matched");
    assert_eq!(model.norm.num_batches_tracked.value().sum(), 5.0);

    let io = Checkpoint::read(golden("torch_mlp_io.safetensors")).unwrap();
    let (y, recorded) = (model.evaluate(tensor(&io, "x")), tensor(&io, "y"));
    let difference = y.iter().zip(&recorded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("outputs: largest difference {difference:e}");
    assert!(difference <= 1e-6, "{difference:e}");
}

#[test]
fn our_weights_and_state_in_the_files_that_roundtrip_py_checks() {
    let mut model = Mlp::new(2);
    let mut opt = Optimizer::new(RmsProp { momentum: 0.9, centered: true, ..RmsProp::default() });
    let x: Tensor =
        ndarray::Array2::from_shape_fn((12, 6), |(i, j)| ((i * 7 + j * 3) % 11) as f32 / 5.0 - 1.0)
            .into_dyn()
            .into();
    let labels: Vec<_> = (0..12).map(|i| i % 3).collect();
    let mut tape = Tape::new();
    for _ in 0..4 {
        tape.reset();
        let loss = model.forward(tape.constant(x.clone())).cross_entropy(&labels);
        let grads = loss.backward();
        opt.step(&mut model, &grads);
    }

    let weights = written("wengert_mlp.safetensors");
    checkpoint::save_weights(&weights, &model).unwrap();
    let read = Checkpoint::read(&weights).unwrap();
    assert_eq!(read, Checkpoint::from_model(&model));
    assert_eq!(read.model["norm.num_batches_tracked"].dtype(), Dtype::I64);
    let mut other = Mlp::new(3);
    checkpoint::load_weights(&weights, &mut other).unwrap();
    assert_eq!(other.state_dict(), model.state_dict());

    let y = model.evaluate(x.clone());
    let tensors =
        [("x".to_owned(), RawTensor::from_tensor(&x)), ("y".to_owned(), RawTensor::from_tensor(&y))];
    let io = Checkpoint { model: tensors.into(), ..Checkpoint::from_model(&model) };
    io.write_safetensors(written("wengert_mlp_io.safetensors")).unwrap();

    let run = written("wengert_run.wgt");
    checkpoint::save(&run, &model, &opt, &("loop".to_owned(), 4)).unwrap();
    let content = Checkpoint::read(&run).unwrap();
    content.write_safetensors(written("wengert_run.safetensors")).unwrap();
    assert_eq!(Checkpoint::read(written("wengert_run.safetensors")).unwrap(), content);
}
