//! A whole run from a file that does not fit as it is: what is refused, with which words, and that nothing has changed.

use std::path::PathBuf;

use wengert_autodiff::{Module, Param, Real, Tape, module};
use wengert_optim::checkpoint::{self, Checkpoint, Element, Loaded, Weights};
use wengert_optim::{Optimizer, RmsProp};

struct Two<F: Real = f32> {
    body: Param<F>,
    head: Param<F>,
}

module!(Two<F> { body, head });

/// As PyTorch's wrappers name it: `module.body`.
struct Wrapped {
    module: Two,
}

module!(Wrapped { module });

const RULE: RmsProp = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::torch() };
const HEAD: RmsProp = RmsProp { lr: 0.02, ..RULE };

fn two<F: Real>() -> Two<F> {
    let param = |x: [f64; 2]| Param::new(x.map(F::from_f64));
    Two { body: param([1.0, -2.0]), head: param([3.0, 0.5]) }
}

fn train<F: Real>(model: &mut dyn Module<F>, opt: &mut Optimizer<RmsProp, F>) {
    let tape = Tape::new();
    let params = model.params();
    let grads =
        params.values().map(|param| tape.param(param).square().sum()).sum::<wengert_autodiff::Var<F>>();
    let grads = grads.backward();
    drop(params);
    opt.step(model, &grads);
}

fn grouped<F: Real>(pattern: &str) -> Optimizer<RmsProp, F> {
    Optimizer::new(RULE).with_group(pattern, HEAD)
}

/// A run of two steps of a wrapped model in f32.
fn file() -> (tempfile::TempDir, PathBuf) {
    let (mut model, mut opt) = (Wrapped { module: two() }, grouped("module.head"));
    train(&mut model, &mut opt);
    train(&mut model, &mut opt);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.wgt");
    checkpoint::save(&path, &model, &opt, &()).unwrap();
    (directory, path)
}

/// What is said, and that a model and an optimizer that have run are as they were.
fn refusal<F: Element>(weights: &Weights<'_>, path: &PathBuf, mut opt: Optimizer<RmsProp, F>) -> String {
    let mut model = two::<F>();
    train(&mut model, &mut opt);
    let before = (model.state_dict(), format!("{opt:?}"));
    let error = weights.load_run::<(), _, F>(path, &mut model, &mut opt).unwrap_err().to_string();
    assert!(before == (model.state_dict(), format!("{opt:?}")), "changed in spite of {error}");
    error
}

#[test]
fn a_group_is_found_by_its_pattern_or_by_what_becomes_of_it() {
    let (_directory, path) = file();
    // By hand: v after two steps of x ← x - η g/√v with g = 2x, as RMSProp says.
    let by_hand = |mut x: f64, lr: f64| {
        let mut v = 0.0;
        for _ in 0..2 {
            let g = 2.0 * x;
            v = 0.9 * v + 0.1 * g * g;
            x -= lr * g / (v.sqrt() + 1e-8);
        }
        (x, v)
    };
    let (mut model, mut opt) = (two::<f64>(), grouped("head"));
    let weights = Weights::new().strip_prefix("module.").cast();
    let Loaded { extra: (), report } = weights.load_run(&path, &mut model, &mut opt).unwrap();
    assert_eq!(report.to_string(), "all 8 tensors matched"); // 2 of the model, v and two counts of each
    for (name, param, starts, lr) in
        [("body", &model.body, [1.0, -2.0], 0.01), ("head", &model.head, [3.0, 0.5], 0.02)]
    {
        for (i, start) in starts.into_iter().enumerate() {
            let (x, v) = by_hand(start, lr);
            assert!((param.value()[i] - x).abs() < 1e-6 && (opt.state(name).unwrap().v[i] - v).abs() < 1e-6);
        }
    }
    // A pattern that fits both ways needs no other name.
    let mut file = Checkpoint::read(&path).unwrap();
    file.optimizer.as_mut().unwrap().rules[1].pattern = Some("*head".to_owned());
    file.write(&path).unwrap();
    let Loaded { extra: (), .. } = weights.load_run(&path, &mut two::<f64>(), &mut grouped("*head")).unwrap();
}

#[test]
fn a_wrong_choice_is_refused_by_name_and_changes_nothing() {
    let (_directory, path) = file();
    let strip = || Weights::new().strip_prefix("module.");
    let as_it_is = refusal::<f64>(&Weights::new(), &path, grouped("module.head"));
    for expected in [
        "missing from the file: body",
        "only in the file: module.head",
        "only in the file: module.head/v",
        "hint: 2 more names fit with `Weights::new().strip_prefix(\"module.\")`",
    ] {
        assert!(as_it_is.contains(expected), "{expected}: {as_it_is}");
    }
    let narrow = refusal::<f64>(&strip(), &path, grouped("head"));
    for expected in [
        "body: expected F64 [2], found F32 [2]",
        "head/v: expected F64 [2], found F32 [2]",
        "hint: `Weights::new().cast()` converts between F32 and F64",
    ] {
        assert!(narrow.contains(expected), "{expected}: {narrow}");
    }
    let swapped = Weights::new().rename(|name| name.replace("module.head", "body").replace("module.", ""));
    let twice = refusal::<f32>(&swapped, &path, grouped("head"));
    assert!(twice.contains("expected every name once, found `body` twice, as they were renamed"), "{twice}");
    let other_group = refusal::<f32>(&strip(), &path, grouped("body"));
    for expected in ["missing from the file: group `body`", "only in the file: group `head`"] {
        assert!(other_group.contains(expected), "{expected}: {other_group}");
    }

    // The state of a parameter that the model lacks may get the name of another's.
    let mut file = Checkpoint::read(&path).unwrap();
    let state = &mut file.optimizer.as_mut().unwrap().state;
    let v = state["module.head/v"].clone();
    state.insert("head/v".to_owned(), v);
    file.write(&path).unwrap();
    let twice = refusal::<f32>(&strip(), &path, grouped("head"));
    assert!(twice.contains("found `head/v` twice, as they were renamed"), "{twice}");
}

#[test]
fn what_the_narrower_precision_cannot_hold_is_refused_also_in_the_state() {
    let (directory, _) = file();
    let path = directory.path().join("wide.wgt");
    let (mut model, mut opt) = (two::<f64>(), grouped("head"));
    train(&mut model, &mut opt);
    opt.state_mut("head").unwrap().v[1] = 1e300;
    checkpoint::save(&path, &model, &opt, &()).unwrap();
    let error = refusal::<f32>(&Weights::new().cast(), &path, grouped("head"));
    assert!(
        error.contains("head/v: expected F32 [2], found F64 [2] with 1e300, which F32 cannot hold"),
        "{error}"
    );

    // In part: everything but the state of `head`, which starts anew.
    let (mut narrow, mut narrow_opt) = (two::<f32>(), grouped("head"));
    let report = Weights::new().cast().load_run_partial(&path, &mut narrow, &mut narrow_opt).unwrap();
    assert_eq!(report.mismatched.len(), 1, "{report}");
    assert_eq!((narrow_opt.steps(), narrow_opt.state("head").is_none()), (1, true));
    assert_eq!(narrow_opt.state("body").unwrap().v[1], opt.state("body").unwrap().v[1] as f32);
    assert_eq!(narrow.head.value()[0], model.head.value()[0] as f32);
}
