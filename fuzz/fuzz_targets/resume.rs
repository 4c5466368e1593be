//! A file that is loaded into a model and an optimizer: all of it or nothing, and what was loaded is what is saved
//! next.
#![no_main]

use std::fmt::Debug;
use std::path::Path;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wengert_fuzz::run::{self, Model, content};
use wengert_fuzz::{assert_harmless, file, frame, path, within_memory};
use wengert_optim::checkpoint::{self, Checkpoint, CheckpointError, Loaded, Weights, load_weights};
use wengert_optim::{Rule, for_every_rule};

fuzz_target!(|bytes: &[u8]| {
    let path = file("a", bytes);
    within_memory(bytes.len(), || {
        let Ok(file) = Checkpoint::read(&path) else { return };
        weights(&path);
        let kind = file.optimizer.as_ref().map_or("", |optimizer| &optimizer.kind);
        macro_rules! resume_its_own {
            ($($rule:ty),*) => { $(
                if kind == <$rule as Rule>::NAME {
                    resume::<$rule>(&path);
                }
            )* };
        }
        for_every_rule!(resume_its_own!);
    });
});

fn resume<R>(path: &Path)
where
    R: Rule + Default + Serialize + DeserializeOwned,
{
    let (mut model, mut opt) = (Model::default(), run::optimizer::<R>());
    let before = content(&model, &opt);
    let loaded: Result<Loaded<Value>, _> = checkpoint::load(path, &mut model, &mut opt);
    match loaded {
        Ok(Loaded { extra, report }) => {
            assert!(report.is_complete());
            saves_as_loaded(&model, &opt, &extra);
        }
        Err(error) => {
            unchanged(&before, &content(&model, &opt), &error);
            match checkpoint::load_partial(path, &mut model, &mut opt) {
                Ok(report) => assert_harmless(&report.to_string()),
                Err(error) => unchanged(&before, &content(&model, &opt), &error),
            }
        }
    }
    let gradients = model.gradients();
    opt.step(&mut model, &gradients);
}

fn saves_as_loaded<R>(model: &Model, opt: &wengert_optim::Optimizer<R>, extra: &Value)
where
    R: Rule + Default + Serialize + DeserializeOwned,
{
    let path = path("again");
    checkpoint::save(&path, model, opt, extra).expect("what was loaded can be saved");
    let (mut again, mut opt_again) = (Model::default(), run::optimizer::<R>());
    let loaded: Loaded<Value> = checkpoint::load(&path, &mut again, &mut opt_again).expect("what was saved");
    assert_eq!((content(&again, &opt_again), &loaded.extra), (content(model, opt), extra));
}

/// Without the optimizer: as the file says, or cast, or in part.
fn weights(path: &Path) {
    let start = Model::default();
    let whole = Weights::new();
    let cast = Weights::new().strip_prefix("module.").cast();
    for weights in [whole, cast] {
        let mut model = Model::default();
        if let Err(error) = weights.load(path, &mut model) {
            unchanged(&Checkpoint::from_model(&start), &Checkpoint::from_model(&model), &error);
            if let Err(error) = weights.load_partial(path, &mut model) {
                unchanged(&Checkpoint::from_model(&start), &Checkpoint::from_model(&model), &error);
            }
        }
    }
    let mut model = Model::default();
    if load_weights(path, &mut model).is_ok() {
        let file = Checkpoint::read(path).expect("it was read before").model;
        let saved = Checkpoint::from_model(&model).model;
        // Counts too are kept as `f32`.
        let same =
            |(a, b): (f64, f64)| (a as f32).to_bits() == (b as f32).to_bits() || a.is_nan() && b.is_nan();
        assert!(saved.iter().all(|(name, tensor)| tensor.values().zip(file[name].values()).all(same)));
    }
}

fn unchanged<T: PartialEq + Debug>(before: &T, after: &T, error: &CheckpointError) {
    assert_harmless(&error.to_string());
    assert_eq!(before, after, "{error}");
}

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    frame::mutate_checkpoint(data, size, max, seed, fuzzer_mutate)
});
