//! JSON as a checkpoint holds it: hyper-parameters, schedules, what watches a run, layers. What is accepted can be used
//! and comes back from its own JSON.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_autodiff::{Buffer, Param, Tape, Tensor};
use wengert_fuzz::within_memory;
use wengert_layers::{Activation, BatchNorm, Dense, Dropout, Embedding, Layer, LayerNorm};
use wengert_optim::checkpoint::Checkpoint;
use wengert_optim::{EarlyStopping, ReduceOnPlateau, Rule, Schedule, WeightEma, for_every_rule};

fuzz_target!(|json: &str| {
    within_memory(json.len(), || {
        for_every_rule!(rule_of).iter().for_each(|check| check(json));
        training(json);
        layers(json);
    });
});

/// As the `extra` of a file.
fn read<T: Serialize + DeserializeOwned + Debug>(json: &str) -> Option<T> {
    let read = |extra: String| {
        let file = Checkpoint { model: [].into(), optimizer: None, extra, metadata: [].into() };
        file.extra::<T>()
    };
    let value = read(json.to_owned()).ok()?;
    let json = serde_json::to_string(&value).expect("JSON");
    match read(json.clone()) {
        Ok(again) => assert_eq!(serde_json::to_string(&again).expect("JSON"), json),
        // JSON has no infinity: an `f32` that was rounded to it is refused when it is saved.
        Err(error) => assert!(format!("{value:?}").contains("inf"), "{error}: {json}"),
    }
    Some(value)
}

fn rule_of<R>() -> fn(&str)
where
    R: Rule + Serialize + DeserializeOwned,
{
    |json| {
        let Some(rule) = read::<R>(json).filter(|rule| rule.validate().is_ok()) else { return };
        let mut param = Tensor::from_shape_vec(vec![2, 2], vec![1.0, -2.0, 0.0, 1e30]).expect("four");
        let mut state = rule.init(&param);
        for size in [1.0, 1e-30, 0.0, f32::INFINITY] {
            let grad = param.mapv(|p| size * p).into_shared();
            rule.update(&mut param, &grad, &mut state);
        }
    }
}

fn training(json: &str) {
    if let Some(schedule) = read::<Schedule>(json) {
        for step in [0, 1, 99, u64::MAX] {
            let _ = schedule.at(step);
        }
        let _ = schedule.clone().then(7, schedule).at(u64::MAX);
    }
    let metrics = [1.0, f64::NAN, -1.0, f64::INFINITY, 1.0];
    if let Some(mut plateau) = read::<ReduceOnPlateau>(json) {
        let _ = metrics.into_iter().fold(0.1, |rate, metric| plateau.next(rate, metric));
    }
    if let Some(mut stopping) = read::<EarlyStopping>(json) {
        assert!(stopping.should_stop(f64::NAN) || stopping.patience > 1);
    }
    if let Some(ema) = read::<WeightEma>(json) {
        ema.values().for_each(drop);
    }
}

fn layers(json: &str) {
    read::<Param>(json);
    read::<Buffer>(json);
    read::<Activation>(json);
    read::<BatchNorm>(json);
    read::<LayerNorm>(json);
    read::<Dense>(json);
    read::<Embedding>(json);
    if let Some(dropout) = read::<Dropout>(json) {
        let tape = Tape::<f32>::with_seed(1);
        let y = dropout.forward(tape.constant(ndarray::arr1(&[1.0, 2.0])));
        assert_eq!(y.value().shape(), [2]);
    }
}
