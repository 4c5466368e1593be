//! What a checkpoint refuses, with which words, and that nothing has changed then.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wengert_autodiff::{Module, Param, Real, Tape, Tensor, module};
use wengert_optim::checkpoint::{self, Checkpoint, CheckpointError, Loaded};
use wengert_optim::{Epsilon, Optimizer, RmsProp, Rule, Sgd};

struct Two<F: Real = f32> {
    first: Param<F>,
    second: Param<F>,
}

module!(Two<F> { first, second });

fn two<F: Real>(first: &[usize], second: &[usize]) -> Two<F> {
    let param = |shape: &[usize]| Param::new(Tensor::from_elem(shape, F::ONE));
    Two { first: param(first), second: param(second) }
}

fn train<R: Rule<F>, F: Real>(model: &mut Two<F>, opt: &mut Optimizer<R, F>) {
    let tape = Tape::new();
    let loss = tape.param(&model.first).square().sum() + tape.param(&model.second).square().sum();
    let grads = loss.backward();
    opt.step(model, &grads);
}

const RULE: RmsProp = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::torch() };

fn optimizer() -> Optimizer<RmsProp> {
    Optimizer::new(RULE).with_group("second", RmsProp { lr: 0.02, ..RULE })
}

/// A run of two steps, saved.
struct Fixture {
    directory: tempfile::TempDir,
    model: Two,
    opt: Optimizer<RmsProp>,
}

impl Fixture {
    fn new() -> Self {
        let (mut model, mut opt) = (two(&[2, 3], &[]), optimizer());
        train(&mut model, &mut opt);
        train(&mut model, &mut opt);
        let fixture = Self { directory: tempfile::tempdir().unwrap(), model, opt };
        checkpoint::save(fixture.path(), &fixture.model, &fixture.opt, &()).unwrap();
        fixture
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("run.wgt")
    }

    /// Loads into `model` and `opt`, both of which have run, expects a refusal, and returns its lines.
    fn refusal<R, F>(&self, mut model: Two<F>, mut opt: Optimizer<R, F>) -> Vec<String>
    where
        R: Rule<F> + Serialize + serde::de::DeserializeOwned,
        F: checkpoint::Element,
    {
        train(&mut model, &mut opt);
        let before = (model.state_dict(), format!("{opt:?}"));
        let error = checkpoint::load::<(), R, F>(self.path(), &mut model, &mut opt).unwrap_err();
        assert!(before == (model.state_dict(), format!("{opt:?}")), "changed in spite of {error}");
        let CheckpointError::Mismatch { report, .. } = &error else { panic!("{error}") };
        assert!(error.to_string().contains("run.wgt: does not fit, and nothing was loaded"), "{error}");
        report.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }
}

#[test]
fn a_new_optimizer_continues_and_one_that_has_run_is_replaced() {
    let mut fixture = Fixture::new();
    let new = (two(&[2, 3], &[]), optimizer());
    let (mut other_model, mut other_opt) = (two(&[2, 3], &[]), optimizer());
    for _ in 0..5 {
        train(&mut other_model, &mut other_opt);
    }
    train(&mut fixture.model, &mut fixture.opt);
    for (mut model, mut opt) in [new, (other_model, other_opt)] {
        let Loaded { extra: (), report } = checkpoint::load(fixture.path(), &mut model, &mut opt).unwrap();
        assert_eq!(report.to_string(), "all 8 tensors matched"); // 2 of the model, v and two counts of each
        assert_eq!((opt.steps(), opt.state("first").unwrap().steps), (2, 2));
        let explanation = opt.explain("first").unwrap(); // when the last gradient came is not in the file
        assert_eq!((explanation.idle, explanation.update_ratio), (None, None));
        assert!(explanation.to_string().contains("after 2 gradients, none since its state was taken over"));
        train(&mut model, &mut opt);
        assert_eq!(model.state_dict(), fixture.model.state_dict());
        assert!(opt.states().eq(fixture.opt.states()));
    }
}

#[test]
fn a_schedules_rate_is_restored_and_is_not_a_mismatch() {
    let mut fixture = Fixture::new();
    fixture.opt.rule_mut().lr = 0.003;
    checkpoint::save(fixture.path(), &fixture.model, &fixture.opt, &()).unwrap();
    let (mut model, mut opt) = (two(&[2, 3], &[]), optimizer());
    checkpoint::load::<(), _, _>(fixture.path(), &mut model, &mut opt).unwrap();
    assert_eq!((opt.rule().lr, opt.rule_for("second").lr), (0.003, 0.02));
    // The next file still says what was given at the start.
    checkpoint::save(fixture.path(), &model, &opt, &()).unwrap();
    checkpoint::load::<(), _, _>(fixture.path(), &mut two(&[2, 3], &[]), &mut optimizer()).unwrap();
}

#[test]
fn another_model_is_refused() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.refusal(two(&[3, 2], &[1]), optimizer()),
        [
            "first: expected F32 [3, 2], found F32 [2, 3]",
            "second: expected F32 [1], found F32 []", // a scalar is not a list of one
            "first/v: expected F32 [3, 2], found F32 [2, 3]",
            "second/v: expected F32 [1], found F32 []",
        ]
    );
    let wide = Optimizer::new(RULE).with_group("second", RmsProp { lr: 0.02, ..RULE });
    assert_eq!(
        fixture.refusal::<_, f64>(two(&[2, 3], &[]), wide),
        [
            "first: expected F64 [2, 3], found F32 [2, 3]",
            "second: expected F64 [], found F32 []",
            "first/v: expected F64 [2, 3], found F32 [2, 3]",
            "second/v: expected F64 [], found F32 []",
            "hint: `Weights::new().cast()` converts between F32 and F64",
        ]
    );

    struct Other {
        first: Param,
        third: Param,
    }
    module!(Other { first, third });
    let Two { first, second } = two(&[2, 3], &[]);
    let error = checkpoint::load_weights(fixture.path(), &mut Other { first, third: second }).unwrap_err();
    let CheckpointError::Mismatch { report, .. } = error else { panic!("{error}") };
    assert_eq!(
        report.to_string(),
        "1 tensors matched\n  missing from the file: third\n  only in the file: second\n  \
         hint: `Weights::new().rename(…)` gives the file's names as the model has them\n  \
         hint: `Weights::new().load_partial` takes what fits and leaves the rest"
    );
}

#[test]
fn another_optimizer_is_refused() {
    let fixture = Fixture::new();
    let sgd: Optimizer<Sgd> = Optimizer::new(Sgd::default());
    assert_eq!(fixture.refusal(two(&[2, 3], &[]), sgd), ["optimizer: expected Sgd, found RmsProp"]);
}

#[test]
fn other_hyper_parameters_are_refused_each_by_its_name() {
    let fixture = Fixture::new();
    let model = || two(&[2, 3], &[]);
    let rule = RmsProp { lr: 0.1, eps: Epsilon::Inside(1e-8), ..RULE };
    let opt = Optimizer::new(rule).with_group("second", RmsProp { rho: 0.99, lr: 0.02, ..RULE });
    assert_eq!(
        fixture.refusal(model(), opt),
        [
            r#"optimizer: eps: expected {"Inside":1e-8}, found {"Outside":1e-8}"#,
            "optimizer: lr: expected 0.1, found 0.01",
            "group `second`: rho: expected 0.99, found 0.9",
        ]
    );
    let opt = Optimizer::new(RULE).with_group("first", RmsProp { lr: 0.02, ..RULE });
    assert_eq!(
        fixture.refusal(model(), opt),
        ["missing from the file: group `first`", "only in the file: group `second`"]
    );

    let groups = |first, second| Optimizer::new(RULE).with_group(first, RULE).with_group(second, RULE);
    checkpoint::save(fixture.path(), &fixture.model, &groups("a*", "b*"), &()).unwrap();
    assert_eq!(
        fixture.refusal(model(), groups("b*", "a*")),
        [
            r#"order of the groups: expected [None, Some("b*"), Some("a*")], found [None, Some("a*"), Some("b*")]"#
        ]
    );
}

#[test]
fn weights_alone_are_not_enough_to_go_on() {
    let fixture = Fixture::new();
    checkpoint::save_weights(fixture.path(), &fixture.model).unwrap();
    assert_eq!(fixture.refusal(two(&[2, 3], &[]), optimizer()), ["missing from the file: optimizer"]);
}

#[test]
fn a_state_that_lacks_a_field_or_has_one_too_many_is_refused() {
    let fixture = Fixture::new();
    let mut file = Checkpoint::read(fixture.path()).unwrap();
    let state = &mut file.optimizer.as_mut().unwrap().state;
    let v = state.remove("first/v").unwrap();
    state.insert("first/w".to_owned(), v.clone());
    state.insert("third/v".to_owned(), v.clone());
    state.insert("second/steps".to_owned(), v.clone());
    state.insert("second/m".to_owned(), v);
    file.write(fixture.path()).unwrap();
    assert_eq!(
        fixture.refusal(two(&[2, 3], &[]), optimizer()),
        [
            "missing from the file: first/v",
            "only in the file: first/w",
            "only in the file: third/v",
            "second/m: expected F32 [], found F32 [2, 3]",
            "second/steps: expected a count, I64 [], found F32 [2, 3]",
        ]
    );
}

#[test]
fn hyper_parameters_that_would_panic_later_are_refused() {
    let fixture = Fixture::new();
    let mut file = Checkpoint::read(fixture.path()).unwrap();
    let rule = &mut file.optimizer.as_mut().unwrap().rules[0];
    rule.now = rule.now.replace("0.9", "1.5");
    file.write(fixture.path()).unwrap();
    assert_eq!(
        fixture.refusal(two(&[2, 3], &[]), optimizer()),
        [
            "optimizer: expected sound hyper-parameters, found RmsProp: rho is 1.5, but must be at least 0 and below 1"
        ]
    );
}

#[test]
fn counts_that_would_overflow_later_are_refused() {
    let fixture = Fixture::new();
    let mut file = Checkpoint::read(fixture.path()).unwrap();
    file.optimizer.as_mut().unwrap().steps = u64::MAX;
    file.write(fixture.path()).unwrap();
    let expected = "optimizer: steps: expected a count below 2⁶³, found 18446744073709551615";
    assert_eq!(fixture.refusal(two(&[2, 3], &[]), optimizer()), [expected]);
}

#[test]
fn partial_loading_takes_what_fits_and_says_what_it_left() {
    let fixture = Fixture::new();
    let (mut model, mut opt) = (two(&[2, 3], &[4]), Optimizer::new(RmsProp { lr: 0.5, ..RULE }));
    let report = checkpoint::load_partial(fixture.path(), &mut model, &mut opt).unwrap();
    assert_eq!(report.matched[..2], ["first", "first/v"]);
    assert_eq!(report.mismatched.len(), 3, "{report}"); // second, second/v, the rate
    assert_eq!(report.unexpected, ["group `second`"]);
    assert_eq!(model.first.value(), fixture.model.first.value());
    assert_eq!(model.second.value(), two::<f32>(&[], &[4]).second.value());
    assert_eq!(opt.state("first"), fixture.opt.state("first"));
    assert_eq!((opt.state("second"), opt.steps(), opt.rule().lr), (None, 2, 0.5));

    // Another kind of optimizer is left as it is.
    let mut sgd: Optimizer<Sgd> = Optimizer::new(Sgd::default());
    checkpoint::load_partial(fixture.path(), &mut model, &mut sgd).unwrap();
    assert_eq!(sgd.steps(), 0);

    let error = checkpoint::load_partial(fixture.path(), &mut two(&[1], &[1]), &mut sgd).unwrap_err();
    assert!(error.to_string().contains("nothing was loaded: 0 tensors matched"), "{error}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    epoch: u32,
    best: f64,
}

#[test]
fn the_extra_comes_back_to_the_last_bit_or_is_refused_when_it_is_saved() {
    let fixture = Fixture::new();
    let (path, Fixture { mut model, mut opt, .. }) = (fixture.path(), Fixture::new());
    for best in [0.1 + 0.2, f64::MIN_POSITIVE / 3.0, -1.797_693_134_862_315_7e308, 5e-324, 1.0 / 3.0] {
        let position = Position { epoch: 3, best };
        checkpoint::save(&path, &model, &opt, &position).unwrap();
        let loaded: Loaded<Position> = checkpoint::load(&path, &mut model, &mut opt).unwrap();
        assert_eq!(loaded.extra, position);
    }
    let before = fs::read(&path).unwrap();
    let error =
        checkpoint::save(&path, &model, &opt, &Position { epoch: 4, best: f64::INFINITY }).unwrap_err();
    assert!(error.to_string().contains("run.wgt: cannot save `extra`"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);

    let error = checkpoint::load::<String, _, _>(&path, &mut model, &mut opt).unwrap_err();
    assert!(error.to_string().contains("expected `extra` as alloc::string::String"), "{error}");
}

#[test]
fn not_a_number_and_minus_zero_keep_their_bits() {
    let directory = tempfile::tempdir().unwrap();
    let bits = [f32::NAN.to_bits() | 5, (-0.0f32).to_bits(), f32::INFINITY.to_bits(), 1, 0x0080_0001];
    let model: Param = ndarray::arr1(&bits.map(f32::from_bits)).into();
    for path in ["a.wgt", "a.safetensors"].map(|name| directory.path().join(name)) {
        match path.extension().unwrap() == "wgt" {
            true => Checkpoint::from_model(&model).write(&path).unwrap(),
            false => checkpoint::save_weights(&path, &model).unwrap(),
        }
        let mut loaded: Param = ndarray::Array1::zeros(5).into();
        checkpoint::load_weights(&path, &mut loaded).unwrap();
        assert_eq!(loaded.value().mapv(f32::to_bits).as_slice().unwrap(), bits);
    }
}

#[test]
fn the_memory_layout_of_a_parameter_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("weights");
    let columns = ndarray::arr2(&[[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]).reversed_axes();
    let mut model: Param = columns.clone().into();
    checkpoint::save_weights(&path, &model).unwrap();
    let strides = model.value().strides().to_vec();
    checkpoint::load_weights(&path, &mut model).unwrap();
    assert_eq!(model.value().strides(), strides);
    assert_eq!(model.value(), columns.into_dyn());
}
