//! A run with all in it that could depend on the number of ranks: batch norm, dropout, a ragged last batch that is too
//! small for all shards, RMSProp with every option on.

use ndarray::{Array2, Axis};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert::data::{Batches, Rows};
use wengert::optim::{Epsilon, Field, State, WeightDecay};
use wengert::prelude::*;
use wengert_mpi::Shards;

/// The last batch has five rows, enough for two shards.
const ROWS: usize = 101;
const BATCH: usize = 32;

pub type Data = (Array2<f32>, Vec<usize>);

/// Everything that a run leaves, as bits.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    model: Vec<(String, Vec<u32>)>,
    state: Vec<(String, Vec<u64>)>,
    losses: Vec<u32>,
}

impl Outcome {
    pub fn new(model: &Sequential, opt: &Optimizer<RmsProp>, losses: Vec<u32>) -> Self {
        let bits = |tensor: &Tensor| tensor.iter().map(|x| x.to_bits()).collect();
        let model = model.state_dict().into_iter().map(|(name, tensor)| (name, bits(&tensor))).collect();
        let mut state = Vec::new();
        for (name, fields) in opt.states() {
            for (field, value) in fields.fields() {
                let bits = match value {
                    Field::Tensor(tensor) => tensor.iter().map(|x| u64::from(x.to_bits())).collect(),
                    Field::Steps(count) | Field::Count(count) => vec![count],
                    other => panic!("{other:?}"),
                };
                state.push((format!("{name}/{field}"), bits));
            }
        }
        Self { model, state, losses }
    }
}

/// Data, and the numbers of its rows.
pub fn data() -> (Data, Vec<usize>) {
    let rng = &mut StdRng::seed_from_u64(5);
    let x = Array2::from_shape_fn((ROWS, 6), |_| rng.random_range(-1.0..1.0));
    let y =
        x.axis_iter(Axis(0)).map(|row| usize::from(row.sum() > 0.0) + usize::from(row[0] > 0.0)).collect();
    ((x, y), (0..ROWS).collect())
}

pub fn start() -> (Sequential, Optimizer<RmsProp>) {
    let rng = &mut StdRng::seed_from_u64(3);
    let model = Sequential::new()
        .with(Dense::new(6, 16, rng))
        .with(BatchNorm::new(16))
        .with(Activation::Relu)
        .with(Dropout::new(0.3))
        .with(Dense::new(16, 3, rng));
    let rule = RmsProp {
        lr: 1e-3,
        eps: Epsilon::Inside(1e-2),
        centered: true,
        momentum: 0.9,
        nesterov: true,
        lr_in_momentum: true,
        bias_correction: true,
        v0: 0.5,
        weight_decay: WeightDecay::Decoupled(1e-2),
        maximize: false,
        ..RmsProp::default()
    };
    (model, Optimizer::new(rule))
}

/// The rows of each batch, epoch after epoch, each in an order of its own.
pub fn batches(index: &Vec<usize>, steps: u64) -> impl Iterator<Item = Vec<usize>> {
    let epoch = |epoch| Batches::new(index, BATCH).shuffle(&mut StdRng::seed_from_u64(epoch));
    (0..).flat_map(epoch).take(steps as usize)
}

pub fn train(shards: &Shards, steps: u64) -> Outcome {
    let (train, index) = data();
    let (mut model, mut opt) = start();
    let mut tape = Tape::with_seed(7);
    let mut losses = Vec::new();
    for rows in batches(&index, steps) {
        let step = shards.step(&mut tape, &model, &rows, |tape, rows| {
            let (x, labels) = train.gather(rows);
            model.forward(tape.constant(x)).cross_entropy(&labels)
        });
        let (loss, grads) = step.unwrap();
        losses.push(loss.to_bits());
        opt.step(&mut model, &grads);
    }
    Outcome::new(&model, &opt, losses)
}
