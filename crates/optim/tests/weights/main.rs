//! Weights of any origin: every type, other names, in part. The files of `pytorch/` are PyTorch's.

mod frame;
mod run;
mod types;

use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert_autodiff::{Module, ModulePath, Param, Real, Tape, Tensor, Visitor, VisitorMut, module};
use wengert_layers::{BatchNorm, Dense, Layer};
use wengert_optim::checkpoint::{Element, LoadReport, Weights, load_weights};

struct Network<F: Real = f32> {
    fc1: Dense<F>,
    bn: BatchNorm<F>,
    fc2: Dense<F>,
}

module!(Network<F> { fc1, bn, fc2 });

impl<F: Real> Network<F> {
    fn new() -> Self {
        let rng = &mut StdRng::seed_from_u64(1);
        Self { fc1: Dense::new(3, 4, rng), bn: BatchNorm::new(4), fc2: Dense::new(4, 2, rng) }
    }

    fn evaluate(&self) -> Vec<f64> {
        let tape = Tape::inference();
        let x = ndarray::arr2(&[[1.0, 2.0, 3.0], [-1.0, 0.5, 0.25]]).mapv(F::from_f64);
        let x = tape.constant(Tensor::from(x.into_dyn()));
        let y = self.fc2.forward(self.bn.forward(self.fc1.forward(x)).relu());
        y.value().iter().map(|y| y.as_f64()).collect()
    }
}

/// What `pytorch/reference.py` prints.
const F32: [f64; 4] = [-0.3066594850687298, -0.01571955431339682, -0.07990112541814474, 0.08256531844273018];
const F16: [f64; 4] = [-0.306583739780839, -0.01571818673820148, -0.07989251551624015, 0.08253961795910669];
const BF16: [f64; 4] = [-0.306531645122712, -0.015525313975779068, -0.0794753607350306, 0.08295843857627727];

fn case(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/weights/pytorch");
    folder.join(format!("{name}.safetensors"))
}

fn assert_outputs<F: Real>(name: &str, model: &Network<F>, expected: [f64; 4], tolerance: f64) {
    for (y, expected) in model.evaluate().into_iter().zip(expected) {
        assert!((y - expected).abs() <= tolerance, "{name}: {y}, expected {expected}");
    }
}

/// The complaint about a file that does not fit, after which the model is as it was.
fn refusal<F: Element>(weights: &Weights<'_>, name: &str) -> String {
    let mut model = Network::<F>::new();
    let error = weights.load(case(name), &mut model).unwrap_err().to_string();
    assert_eq!(model.state_dict(), Network::<F>::new().state_dict(), "changed in spite of {error}");
    assert!(error.contains(&format!("{name}.safetensors: does not fit, and nothing was loaded")), "{error}");
    error
}

#[test]
fn what_fits_as_it_is_or_widened_loads_with_pytorchs_outputs() {
    for (name, expected) in [("plain", F32), ("int_tracked_shape1", F32), ("f16", F16), ("bf16", BF16)] {
        let mut model = Network::<f32>::new();
        let report = load_weights(case(name), &mut model).unwrap();
        assert_eq!(report.to_string(), "all 9 tensors matched", "{name}");
        assert_outputs(name, &model, expected, 1e-6);
        assert_eq!(model.bn.num_batches_tracked.value(), &ndarray::arr0(3.0).into_dyn());
    }
    for (name, expected) in [("f64", F32), ("f16", F16), ("bf16", BF16)] {
        let mut model = Network::<f64>::new();
        load_weights(case(name), &mut model).unwrap();
        assert_outputs(name, &model, expected, 1e-14);
    }
}

#[test]
fn the_other_precision_is_a_choice_that_the_complaint_names() {
    let error = refusal::<f32>(&Weights::new(), "f64");
    assert!(error.contains("fc1.weight: expected F32 [4, 3], found F64 [4, 3]\n"), "{error}");
    assert!(error.contains("hint: `Weights::new().cast()` converts between F32 and F64"), "{error}");
    let error = refusal::<f64>(&Weights::new(), "plain");
    assert!(error.contains("fc1.weight: expected F64 [4, 3], found F32 [4, 3]\n"), "{error}");
    assert!(error.contains("Weights::new().cast()"), "{error}");

    let mut narrow = Network::<f32>::new();
    Weights::new().cast().load(case("f64"), &mut narrow).unwrap();
    assert_outputs("f64", &narrow, F32, 1e-6);
    let mut wide = Network::<f64>::new();
    Weights::new().cast().load(case("plain"), &mut wide).unwrap();
    assert_outputs("plain", &wide, F32, 1e-14);
    load_weights(case("plain"), &mut narrow).unwrap();
    assert_eq!(wide.fc1.weight.value(), narrow.fc1.weight.value().mapv(f64::from));
}

#[test]
fn tensors_of_any_type_that_the_model_lacks_are_only_in_the_file() {
    let extra = [
        ("extra_bool", "attn.bias"),
        ("extra_u8", "attn.mask"),
        ("extra_i32", "ids"),
        ("i64_param", "position_ids"),
    ];
    for (name, extra) in extra {
        let error = refusal::<f32>(&Weights::new(), name);
        assert!(error.contains(&format!("9 tensors matched\n  only in the file: {extra}\n")), "{error}");
        assert!(error.ends_with("hint: `Weights::new().load_partial` takes what fits and leaves the rest"));
        let mut model = Network::<f32>::new();
        let report = Weights::new().load_partial(case(name), &mut model).unwrap();
        assert_eq!((report.matched.len(), &report.unexpected[..]), (9, &[extra.to_owned()][..]));
        assert_outputs(name, &model, F32, 1e-6);
    }
}

#[test]
fn other_names_are_a_choice_that_the_complaint_names() {
    for (name, prefix) in [("module_prefix", "module."), ("orig_mod_prefix", "_orig_mod.")] {
        let error = refusal::<f32>(&Weights::new(), name);
        let hint = format!("hint: 9 more names fit with `Weights::new().strip_prefix({prefix:?})`");
        assert!(error.contains(&hint), "{error}");
        let mut model = Network::<f32>::new();
        let report = Weights::new().strip_prefix(prefix).load(case(name), &mut model).unwrap();
        assert_eq!(report.to_string(), "all 9 tensors matched");
        assert_outputs(name, &model, F32, 1e-6);
    }
}

#[test]
fn weights_load_in_part_and_without_an_optimizer() {
    let error = refusal::<f32>(&Weights::new(), "no_tracked");
    assert!(
        error
            .contains("missing from the file: bn.num_batches_tracked\n  hint: `Weights::new().load_partial`")
    );
    let mut model = Network::<f32>::new();
    let report = Weights::new().load_partial(case("no_tracked"), &mut model).unwrap();
    assert_eq!(report.missing, ["bn.num_batches_tracked"]);
    assert_outputs("no_tracked", &model, F32, 1e-6);

    struct Tied {
        emb: Weight,
    }
    struct Weight {
        weight: Param,
    }
    module!(Tied { emb });
    module!(Weight { weight });
    let mut model = Tied { emb: Weight { weight: Param::new(Tensor::zeros(&[5, 3][..])) } };
    let report = Weights::new().load_partial(case("tied"), &mut model).unwrap();
    assert_eq!(report.to_string(), "1 tensors matched\n  only in the file: out.weight");
    assert_eq!(model.emb.weight.value()[[4, 2]], 1.344_070_3);

    let mut other = Network::<f32>::new();
    let error = Weights::new().load_partial(case("tied"), &mut other).unwrap_err().to_string();
    assert!(error.contains("nothing was loaded: 0 tensors matched"), "{error}");
}

/// A file of these tensors: name, type, shape, and the bytes of the elements.
fn file(tensors: &[(&str, &str, &str, &[u8])]) -> tempfile::NamedTempFile {
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let offsets = [data.len(), data.len() + bytes.len()];
        header.push(format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets:?}}}"#));
        data.extend_from_slice(bytes);
    }
    let header = format!("{{{}}}", header.join(","));
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    file
}

struct One<F: Real = f32> {
    weight: Param<F>,
}

module!(One<F> { weight });

fn one<F: Real>(shape: &[usize]) -> One<F> {
    One { weight: Param::new(Tensor::zeros(shape)) }
}

struct Wrapped<T> {
    model: T,
}

impl<F: Real, T: Module<F>> Module<F> for Wrapped<T> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        path.enter("model", |path| self.model.visit(path, visitor));
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        path.enter("model", |path| self.model.visit_mut(path, visitor));
    }
}

/// The names of the file, those of the model, and the call that the hint names.
#[test]
fn the_hint_is_the_call_that_helps() {
    let hint = |weights: &Weights<'_>, names: &[&str]| -> (usize, String) {
        let tensors: Vec<_> = names.iter().map(|&name| (name, "F32", "[1]", &[0u8; 4][..])).collect();
        let file = file(&tensors);
        let mut model = Wrapped { model: one::<f32>(&[1]) };
        match weights.load(file.path(), &mut model) {
            Ok(LoadReport { matched, .. }) => (matched.len(), String::new()),
            Err(error) => (0, error.to_string().lines().last().unwrap().trim().to_owned()),
        }
    };
    let new = Weights::new;
    let fits = |call: &str| (0, format!("hint: 1 more names fit with `Weights::new().{call}`"));
    assert_eq!(hint(&new(), &["ddp.model.weight"]), fits(r#"strip_prefix("ddp.")"#));
    assert_eq!(hint(&new().strip_prefix("ddp."), &["ddp.model.weight"]), (1, String::new()));
    assert_eq!(
        hint(&new(), &["_orig_mod.module.model.weight"]),
        fits(r#"strip_prefix("_orig_mod.module.")"#)
    );
    let inside = r#"rename(|name| name.replace("_orig_mod.", ""))"#;
    assert_eq!(hint(&new(), &["model._orig_mod.weight"]), fits(inside));
    let replaced = new().rename(|name| name.replace("_orig_mod.", ""));
    assert_eq!(hint(&replaced, &["model._orig_mod.weight"]), (1, String::new()));
    assert_eq!(hint(&new(), &["weight"]), fits(r#"rename(|name| format!("model.{name}"))"#));
    assert_eq!(hint(&new().rename(|name| format!("model.{name}")), &["weight"]), (1, String::new()));
    let unlike = "hint: `Weights::new().rename(…)` gives the file's names as the model has them";
    assert_eq!(hint(&new(), &["kernel"]), (0, unlike.to_owned()));
    let (_, twice) = hint(&new().rename(|_| "model.weight".to_owned()), &["a", "b"]);
    assert!(
        twice.ends_with("expected every name once, found `model.weight` twice, as they were renamed"),
        "{twice}"
    );
}

/// Errors are printed by programs that know nothing of files.
#[test]
fn no_name_of_a_file_steers_the_terminal_from_within_a_complaint() {
    let name = r"\u001b[2J\u009b1m\u202e\nhint: run this.weight";
    let file = file(&[(name, "F32", "[1]", &[0; 4]), (&format!("ddp{name}"), "F64", "[1]", &[0; 8])]);
    let error = load_weights(file.path(), &mut one::<f32>(&[1])).unwrap_err().to_string();
    assert!(error.contains(&format!("only in the file: {}\n", name.replace(r"\n", r"\u000a"))), "{error}");
    assert!(!error.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{error:?}");
}
