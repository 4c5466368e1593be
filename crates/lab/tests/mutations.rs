//! The grader finds every wrong rule of a catalogue, names what is wrong, and finds nothing wrong with right ones.

use wengert_autodiff::Tensor;
use wengert_lab::wrong::{catalogue, right};
use wengert_lab::{Grade, Paper, grade, grade_as, grade_port};
use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, InvalidHyperparameter, Lion, NAdam, RAdam, RmsProp, Rprop,
    Rule, Sgd, WeightDecay, for_every_rule,
};

#[test]
fn every_wrong_rule_is_caught_and_its_mistake_named() {
    let (mut caught, mut missed, mut unnamed) = (0, Vec::new(), Vec::new());
    let all = catalogue();
    let count = all.len();
    for wrong in all {
        let grade = (wrong.grade)();
        let named = grade.to_string().contains(wrong.expected) && !grade.passed();
        let named = named && (grade.failed().contains(&wrong.expected) || grade_says(&grade, wrong.expected));
        println!("{:55} {:60} {}", wrong.name, grade.mistakes.join(" and "), grade.failed().join(", "));
        if grade.passed() {
            missed.push(wrong.name);
        } else {
            caught += 1;
            if !named {
                unnamed.push(wrong.name);
            }
        }
    }
    println!("{caught} of {count} caught, missed {missed:?}");
    assert!(count >= 70, "only {count} wrong rules");
    assert_eq!(missed, [""; 0], "missed");
    assert_eq!(unnamed, [""; 0], "caught, but not by what is wrong with them");
}

/// The mistake, or what a broken law says of its case.
fn grade_says(grade: &Grade, part: &str) -> bool {
    let cases = grade.findings.iter().filter_map(|finding| finding.failure.as_deref());
    cases.chain(grade.mistakes.iter().copied()).any(|text| text.contains(part))
}

/// The library's rules, with many hyper-parameters each.
#[test]
fn no_right_rule_is_accused() {
    fn check<M: Paper>(all: &[M]) -> usize {
        for &meant in all {
            let grade = grade_port(|meant| meant, meant);
            assert!(grade.passed(), "{meant:?}\n{grade}");
            assert_eq!(grade.mistakes, [""; 0]);
        }
        all.len()
    }
    let count = check(&rmsprops()) + check(&sgds()) + check(&adagrads()) + check(&adams()) + check(&lions());
    let count = count
        + check(&adadeltas())
        + check(&adamaxes())
        + check(&nadams())
        + check(&radams())
        + check(&rprops());
    println!("no false alarm on {count} right rules");
}

/// Each of the library's rules passes as itself, and as none of the others.
#[test]
fn no_rule_passes_as_another() {
    fn check<M: Paper + Default>() {
        macro_rules! passing {
            ($($rule:ty),*) => {
                [$((<$rule as Rule<f64>>::NAME, grade_as(<$rule>::default(), M::default()).passed())),*]
            };
        }
        for (name, passed) in for_every_rule!(passing!) {
            assert_eq!(passed, name == M::NAME, "{name}, meant to be {}", M::NAME);
        }
    }
    for_every_rule!(check);
}

/// Neither are rules that somebody else wrote, who rounds elsewhere.
#[test]
fn no_right_rule_in_other_words_is_accused() {
    for rule in right() {
        let grade = (rule.grade)();
        assert!(grade.passed(), "{}\n{grade}", rule.name);
    }
}

fn decays() -> [WeightDecay; 4] {
    let corrected = WeightDecay::Corrected { lambda: 0.1, max_lr: 0.1 };
    [WeightDecay::None, WeightDecay::L2(0.01), WeightDecay::Decoupled(0.1), corrected]
}

fn rmsprops() -> Vec<RmsProp> {
    let plain = RmsProp::default();
    let mut all = vec![
        RmsProp::keras(),
        RmsProp::tf1(),
        RmsProp::optax(),
        RmsProp::burn(),
        RmsProp::dfdx(),
        RmsProp::hinton(),
        RmsProp { lr: 1e-4, rho: 0.5, ..plain },
        RmsProp { rho: 0.0, ..plain },
        RmsProp { momentum: 0.9, nesterov: true, ..plain },
        RmsProp { momentum: 0.9, lr_in_momentum: true, ..plain },
        RmsProp { centered: true, ..plain },
        RmsProp { centered: true, momentum: 0.5, eps: Epsilon::Inside(1e-4), ..plain },
        RmsProp { centered: true, bias_correction: true, ..plain },
        RmsProp { bias_correction: true, ..plain },
        RmsProp { bias_correction: true, eps: Epsilon::Uncorrected(1e-3), ..plain },
        RmsProp { maximize: true, ..plain },
    ];
    all.extend(decays().map(|weight_decay| RmsProp { weight_decay, ..plain }));
    all
}

fn sgds() -> Vec<Sgd> {
    let plain = Sgd::default();
    let momentum = Sgd { lr: 0.1, momentum: 0.9, ..plain };
    let mut all = vec![
        plain,
        momentum,
        Sgd { nesterov: true, ..momentum },
        Sgd { dampening: 0.5, ..momentum },
        Sgd { maximize: true, ..momentum },
    ];
    all.extend(decays().map(|weight_decay| Sgd { weight_decay, ..momentum }));
    all
}

fn adagrads() -> Vec<AdaGrad> {
    let plain = AdaGrad::default();
    let mut all = vec![
        AdaGrad { lr: 0.5, lr_decay: 0.1, ..plain },
        AdaGrad { r0: 0.1, eps: Epsilon::Inside(1e-7), ..plain },
        AdaGrad { maximize: true, ..plain },
    ];
    all.extend(decays().map(|weight_decay| AdaGrad { weight_decay, ..plain }));
    all
}

fn adams() -> Vec<Adam> {
    let plain = Adam::default();
    let mut all = vec![
        Adam::w(),
        Adam { amsgrad: true, ..plain },
        Adam { beta1: 0.0, ..plain },
        Adam { lr: 0.1, beta1: 0.5, beta2: 0.9, eps: Epsilon::Inside(1e-6), ..plain },
        Adam { eps: Epsilon::Uncorrected(1e-7), ..plain },
        Adam { maximize: true, ..plain },
    ];
    all.extend(decays().map(|weight_decay| Adam { weight_decay, ..plain }));
    all
}

fn lions() -> Vec<Lion> {
    let plain = Lion::default();
    let mut all = vec![Lion { lr: 1e-2, beta1: 0.95, beta2: 0.98, ..plain }];
    all.extend(decays().map(|weight_decay| Lion { weight_decay, ..plain }));
    all
}

fn adadeltas() -> Vec<Adadelta> {
    let plain = Adadelta::default();
    let mut all = vec![
        Adadelta { rho: 0.95, eps: Epsilon::Outside(1e-4), ..plain },
        Adadelta { maximize: true, ..plain },
    ];
    all.extend(decays().map(|weight_decay| Adadelta { weight_decay, ..plain }));
    all
}

fn adamaxes() -> Vec<Adamax> {
    let plain = Adamax::default();
    let mut all = vec![Adamax { lr: 0.1, beta1: 0.5, beta2: 0.9, eps: Epsilon::Outside(1e-7), ..plain }];
    all.extend(decays().map(|weight_decay| Adamax { weight_decay, ..plain }));
    all
}

fn nadams() -> Vec<NAdam> {
    let plain = NAdam::default();
    let mut all = vec![NAdam { momentum_decay: 1.0, eps: Epsilon::Inside(1e-7), ..plain }];
    all.extend(decays().map(|weight_decay| NAdam { weight_decay, ..plain }));
    all
}

fn radams() -> Vec<RAdam> {
    let plain = RAdam::default();
    let mut all =
        vec![RAdam { beta2: 0.5, ..plain }, RAdam { eps: Epsilon::Outside(1e-8), beta2: 0.9, ..plain }];
    all.extend(decays().map(|weight_decay| RAdam { weight_decay, ..plain }));
    all
}

fn rprops() -> Vec<Rprop> {
    let plain = Rprop::default();
    vec![plain, Rprop { lr: 0.1, eta_plus: 1.5, eta_minus: 0.3, step_max: 0.2, ..plain }]
}

/// The laws that no option and no hyper-parameter may break, for every rule of the library.
#[test]
fn every_rule_keeps_the_laws_of_all_rules() {
    fn broken<R: Rule<f64>>(rule: R) -> Vec<&'static str> {
        // The scale of the gradient matters to plain descent, and to Adadelta as long as its ε does.
        grade(rule).failed().into_iter().filter(|&law| law != "scale-free").collect()
    }
    // Each of them is a paper, too, that a port can be compared with.
    fn broken_by_default<R: Paper + Default>() -> Vec<&'static str> {
        broken(R::default())
    }
    let by_default = for_every_rule!(broken_by_default);
    assert!(by_default.iter().all(Vec::is_empty), "{by_default:?}");
    let with_options = [
        broken(Sgd { momentum: 0.9, ..Sgd::default() }),
        broken(RmsProp { centered: true, momentum: 0.9, nesterov: true, ..RmsProp::default() }),
    ];
    assert!(with_options.iter().all(Vec::is_empty), "{with_options:?}");
}

/// The report shows the smallest case, the first step of the simplest run, what is wrong, and what was not tried.
#[test]
fn the_report_shows_the_case() {
    let meant = RmsProp::default();
    let grade = grade_as(RmsProp { v0: 1.0, ..meant }, meant);
    let finding = grade.findings.iter().find(|finding| finding.law == "first-step").unwrap();
    let case = finding.failure.as_deref().unwrap();
    // η / √(0.99 + 0.01) in place of η / √0.01, but for ε
    assert!(case.starts_with("under g = 1: step 1 is 9.9999999"), "{case}");
    assert!(case.contains("expected 9.99999900000"), "{case}");
    assert_eq!(grade.mistakes, ["v starts from 1"]);
    let text = grade.to_string();
    assert!(text.contains(case), "{text}");
    assert!(text.contains("The steps are exactly those that come out if v starts from 1."), "{text}");
    assert!(text.contains("not tested:\n    f32, in which"), "{text}");
}

/// Two mistakes at once are both named.
#[test]
fn two_mistakes_are_named() {
    let meant = RmsProp { bias_correction: true, ..RmsProp::default() };
    let grade = grade_as(RmsProp { eps: Epsilon::Inside(1e-8), bias_correction: false, ..meant }, meant);
    assert_eq!(grade.mistakes, ["the bias correction is missing", "ε is inside the root"], "{grade}");
    let meant = Adam { weight_decay: WeightDecay::Decoupled(0.1), ..Adam::default() };
    let swapped = Adam { beta1: meant.beta2, beta2: meant.beta1, weight_decay: WeightDecay::None, ..meant };
    let mistakes = grade_as(swapped, meant).mistakes;
    assert_eq!(mistakes, ["the weight decay is missing", "β₁ and β₂ have changed places"]);
}

/// A rule that takes vectors only is graded to the end, and told so.
#[test]
fn a_panic_is_a_finding() {
    #[derive(Clone, Debug)]
    struct OfVectors(Sgd);

    impl Rule<f64> for OfVectors {
        const NAME: &'static str = "OfVectors";
        type State = ();

        fn validate(&self) -> Result<(), InvalidHyperparameter> {
            Ok(())
        }

        fn init(&self, _param: &Tensor<f64>) {}

        fn update(&self, param: &mut Tensor<f64>, grad: &Tensor<f64>, (): &mut ()) {
            assert_eq!(param.ndim(), 1, "a vector is needed");
            param.scaled_add(-self.0.lr, grad);
        }
    }

    let grade = grade_port(OfVectors, Sgd::default());
    assert_eq!(grade.failed(), ["any-shape", "trajectory"], "{grade}");
    let text = grade.to_string();
    assert!(text.contains("it panics: ") && text.contains("a vector is needed"), "{text}");
}
