//! The tools for experimenters: lock-step, recordings, sweeps, cycles, two precisions.

use std::collections::BTreeSet;
use std::sync::Mutex;

use ndarray::{arr0, arr1};
use wengert_autodiff::{Gradients, IntoTensor, Param, module};
use wengert_lab::{
    Recorder, Recording, Runner, compare_precisions, first_divergence, grid, limit_cycle, sweep,
};
use wengert_optim::{Adam, Epsilon, Optimizer, RmsProp, WeightDecay};

#[test]
fn rmsprop_with_bias_correction_is_adam_without_momentum() {
    let rms = RmsProp { rho: 0.999, bias_correction: true, lr: 1e-3, ..RmsProp::default() };
    let adam = Adam { beta1: 0.0, ..Adam::default() };
    let start = [1.0, -1.0];
    let mut both = [Runner::at("RMSProp", rms, start), Runner::at("Adam", adam, start)];
    let gradients = (0..50).map(|t| [f64::from(t).sin(), 0.1]);
    assert_eq!(first_divergence(&mut both, gradients, 1e-12), None);
}

#[test]
fn the_place_of_epsilon_shows_where_the_gradient_is_small() {
    let rule = |eps| RmsProp { eps, ..RmsProp::default() };
    let start = [0.0, 0.0];
    let mut three = [
        Runner::at("outside", rule(Epsilon::Outside(1e-8)), start),
        Runner::at("again", rule(Epsilon::Outside(1e-8)), start),
        Runner::at("inside", rule(Epsilon::Inside(1e-8)), start),
    ];
    // Inside the root 1e-8 is half of a percent of (1 - ρ) · 0.1², and most of (1 - ρ) · (1e-4)².
    let gradients = [[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]];
    assert_eq!(first_divergence(&mut three, gradients, 1e-3), None);
    let mut two = [
        Runner::at("outside", rule(Epsilon::Outside(1e-8)), start),
        Runner::at("inside", rule(Epsilon::Inside(1e-8)), start),
    ];
    let gradients = [[0.1, 0.0], [0.1, 1e-4]];
    let divergence = first_divergence(&mut two, gradients, 1e-3).expect("they part");
    assert_eq!((divergence.step, &divergence.coordinate[..]), (2, &[1][..]));
    assert!(divergence.to_string().contains("after step 2 coordinate [1]"), "{divergence}");
}

#[test]
fn nan_is_a_difference() {
    let mut two = ["a", "b"].map(|name| Runner::<f64>::new(name, RmsProp::default(), [0.0]));
    two[1].step(&[f64::NAN].into_tensor());
    assert_eq!(first_divergence(&mut two, [[1.0]], 1e-3).map(|divergence| divergence.step), Some(1));
}

struct Line {
    slope: Param,
    offset: Param,
}

module!(Line { slope, offset });

fn line() -> Line {
    Line { slope: arr1(&[1.0, -2.0]).into(), offset: arr0(0.5).into() }
}

/// Ten steps, some without a gradient for the offset, written and taken.
fn recorded(optimizer: &mut Optimizer<RmsProp>) -> (Vec<u8>, Line) {
    let mut model = line();
    let mut recorder = Recorder::new(Vec::new(), &model).unwrap();
    for t in 0..10u8 {
        let mut grads = Gradients::default();
        grads.set(&model.slope, arr1(&[0.1 * f32::from(t), 1e-30]));
        if t % 3 == 0 {
            grads.set(&model.offset, arr0(1.0 / 3.0));
        }
        recorder.step(&model, &grads).unwrap();
        optimizer.step(&mut model, &grads);
    }
    (recorder.finish().unwrap(), model)
}

fn read(content: &[u8]) -> Result<Recording, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    Recording::read(file.path()).map_err(|error| {
        assert_eq!(error.file, file.path());
        error.to_string()
    })
}

#[test]
fn a_replay_ends_on_the_same_bits() {
    let rule = RmsProp { weight_decay: WeightDecay::Decoupled(0.1), momentum: 0.5, ..RmsProp::default() };
    let mut live = Optimizer::new(rule);
    let (content, model) = recorded(&mut live);
    let mut replayed = Optimizer::new(rule);
    let end = read(&content).unwrap().replay(&mut replayed);
    assert_eq!(&end["slope"], model.slope.value());
    assert_eq!(&end["offset"], model.offset.value());
    assert_eq!(live.states().collect::<Vec<_>>(), replayed.states().collect::<Vec<_>>());
    assert_eq!(replayed.state("offset").unwrap().steps, 4, "no gradient is not a gradient of zero");
}

/// As that of a frozen model.
#[test]
fn a_step_without_gradients_is_replayed_as_one() {
    let model = line();
    let mut recorder = Recorder::new(Vec::new(), &model).unwrap();
    recorder.step(&model, &Gradients::default()).unwrap();
    let recording = read(&recorder.finish().unwrap()).unwrap();
    let mut optimizer = Optimizer::new(RmsProp::default());
    assert_eq!(recording.replay(&mut optimizer), recording.start);
    assert_eq!(optimizer.steps(), 1);
}

#[test]
fn nan_and_infinity_survive_a_recording() {
    let model = line();
    let mut recorder = Recorder::new(Vec::new(), &model).unwrap();
    let mut grads = Gradients::default();
    grads.set(&model.slope, arr1(&[f32::NAN, f32::NEG_INFINITY]));
    recorder.step(&model, &grads).unwrap();
    let recording = read(&recorder.finish().unwrap()).unwrap();
    let slope = &recording.steps[0]["slope"];
    assert!(slope[0].is_nan() && slope[1] == f32::NEG_INFINITY);
}

#[test]
fn a_bad_recording_says_what_is_wrong_with_it() {
    let good = String::from_utf8(recorded(&mut Optimizer::new(RmsProp::default())).0).unwrap();
    let damages: [(String, &str); 8] = [
        (String::new(), "line 1: the file is empty"),
        ("hello".to_owned(), "line 1: expected the first line of a `wengert gradients 1` recording"),
        (good.replacen("gradients 1", "gradients 9", 1), "the format is `wengert gradients 9`"),
        (good.replacen("f32", "f64", 1), "the recording is in f64, expected f32"),
        (good.replacen("[2]", "[3]", 1), "`slope`: 2 numbers do not fill the shape [3]"),
        (good.replacen("[2]", "[18446744073709551615]", 1), "do not fill the shape"),
        (
            format!("{good}{{\"other\":{{\"shape\":[],\"data\":[1.0]}}}}"),
            "line 12: the first line has no parameter `other`",
        ),
        (good[..good.len() - 5].to_owned(), "line 11: expected the gradients of a step by name"),
    ];
    for (content, expected) in damages {
        let error = read(content.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{error}\nshould say: {expected}");
    }
    let hostile = read(good.replacen("gradients 1", "\\u001b[2J\\u202e", 1).as_bytes()).unwrap_err();
    assert!(
        hostile.ends_with(r"the format is `wengert \u001b[2J\u202e`, expected `wengert gradients 1`"),
        "{hostile}"
    );
    let missing = Recording::<f32>::read("no/such/file").unwrap_err().to_string();
    assert!(missing.starts_with("no/such/file, line 1: "), "{missing}");
}

#[test]
fn a_sweep_keeps_the_order_of_its_grid_and_tells_its_progress() {
    let grid = grid(&[1, 2, 3], &[10, 20]);
    assert_eq!(grid, [(1, 10), (1, 20), (2, 10), (2, 20), (3, 10), (3, 20)]);
    let seen = Mutex::new(BTreeSet::new());
    let sums = sweep(&grid, |done| _ = seen.lock().unwrap().insert(done), |&(a, b)| a + b);
    assert_eq!(sums, [11, 21, 12, 22, 13, 23]);
    assert!(seen.into_inner().unwrap().into_iter().eq(1..=6));
}

#[test]
fn cycles_are_told_from_what_converges_drifts_or_fails() {
    let series = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { (0..300).map(|t| f(f64::from(t))).collect() };
    let cycle = |f: &dyn Fn(f64) -> f64| limit_cycle(&series(f), 20, 1e-3);
    assert_eq!(cycle(&|_| 1.0), None);
    assert_eq!(cycle(&|t| 0.9f64.powf(t)), None);
    assert_eq!(cycle(&|t| 0.01 * t), None);
    assert_eq!(cycle(&|t| (-1.1f64).powi(t as i32)), None);
    assert_eq!(cycle(&|t| if t < 290.0 { t % 2.0 } else { f64::NAN }), None);
    let three = cycle(&|t| if t < 100.0 { 10.0 - 0.01 * t } else { t % 3.0 }).expect("a cycle");
    assert_eq!((three.period, three.amplitude, three.from), (3, 1.0, 100));
    assert_eq!(limit_cycle(&[1.0, 2.0, 1.0, 2.0], 20, 1e-3), None, "two periods do not prove a cycle");
}

#[test]
fn two_precisions_differ_by_no_more_than_rounding() {
    let start = [1.0, 2.0];
    let gradients = (0..100u8).map(|t| [f32::from(t).cos(), 1.0]);
    let distances = compare_precisions(RmsProp::default(), start, gradients);
    assert_eq!(distances.len(), 100);
    // A hundred steps, each rounded to 2⁻²⁴ of a parameter below 4.
    assert!(distances.iter().all(|&distance| distance < 100.0 * 4.0 * 2f64.powi(-24)), "{distances:?}");
    assert!(distances[99] > 0.0, "f32 does round");
    let nan = compare_precisions(RmsProp::default(), start, [[f32::NAN, 1.0]]);
    assert!(nan[0].is_nan());
}
