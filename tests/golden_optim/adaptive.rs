//! The options of the adaptive rules beside RMSProp in our words, and the names of their state. `None` is a case that
//! is not offered.

use wengert_autodiff::{Real, Tensor};
use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, Field, Lion, NAdam, RAdam, Rprop, Rule, State, WeightDecay,
};

use crate::mapping::{decoupled, l2};
use crate::recording::{Case, Options};
use crate::replay::Replayed;

/// Reads what all frameworks have under names of their own.
struct Reader<'c> {
    case: &'c Case,
    options: Options,
}

impl<'c> Reader<'c> {
    fn new(case: &'c Case) -> Self {
        Self { case, options: Options::new(&case.options) }
    }

    fn is(&self, framework: &str) -> bool {
        self.case.framework == framework
    }

    /// Keras counts the optimizer's steps, also while a tensor has no gradient; we count each tensor's gradients.
    fn counts_otherwise(&self) -> bool {
        self.is("keras") && self.case.problem == "missing"
    }

    fn lr(&mut self) -> f64 {
        self.options.number(if self.is("torch") { "lr" } else { "learning_rate" })
    }

    fn betas(&mut self) -> [f64; 2] {
        match self.case.framework.as_str() {
            "torch" => self.pair("betas"),
            "keras" => ["beta_1", "beta_2"].map(|name| self.options.number(name)),
            _ => ["b1", "b2"].map(|name| self.options.number(name)),
        }
    }

    fn pair(&mut self, name: &str) -> [f64; 2] {
        serde_json::from_value(self.options.take(name)).expect("a pair of numbers")
    }

    fn eps(&mut self) -> f64 {
        self.options.number(if self.is("keras") { "epsilon" } else { "eps" })
    }

    /// optax's second ε, inside the root, beside the one outside.
    fn has_two_eps(&mut self) -> bool {
        self.is("optax") && self.options.number("eps_root") > 0.0
    }

    fn torch_flag(&mut self, name: &str) -> bool {
        self.is("torch") && self.options.flag(name)
    }

    /// Keras decouples always, PyTorch if `flag` says so, optax in the rules whose names say so.
    fn decay(&mut self, flag: Option<&str>) -> WeightDecay {
        let lambda = match self.case.rule.as_str() {
            "adagrad" | "adam" | "adamax" | "amsgrad" | "radam" if self.is("optax") => {
                return WeightDecay::None;
            }
            _ => self.options.optional("weight_decay"),
        };
        let is_decoupled = match flag {
            Some(flag) if self.is("torch") => self.options.flag(flag),
            _ => self.is("keras") || ["adamaxw", "adamw", "lion"].contains(&self.case.rule.as_str()),
        };
        if is_decoupled { decoupled(lambda) } else { l2(lambda.unwrap_or(0.0)) }
    }

    fn finish<R>(self, rule: R) -> Option<R> {
        self.options.finish();
        Some(rule)
    }
}

pub(crate) fn adagrad(case: &Case) -> Option<AdaGrad> {
    let mut o = Reader::new(case);
    let eps = o.eps();
    let rule = AdaGrad {
        lr: o.lr(),
        lr_decay: if o.is("torch") { o.options.number("lr_decay") } else { 0.0 },
        eps: if o.is("torch") { Epsilon::Outside(eps) } else { Epsilon::Inside(eps) },
        r0: o.options.number("initial_accumulator_value"),
        weight_decay: o.decay(None),
        maximize: o.torch_flag("maximize"),
    };
    o.finish(rule)
}

pub(crate) fn adadelta(case: &Case) -> Option<Adadelta> {
    let mut o = Reader::new(case);
    let rule = Adadelta {
        lr: o.lr(),
        rho: o.options.number("rho"),
        eps: Epsilon::Inside(o.eps()),
        weight_decay: o.decay(None),
        maximize: o.torch_flag("maximize"),
    };
    o.finish(rule)
}

pub(crate) fn adam(case: &Case) -> Option<Adam> {
    let mut o = Reader::new(case);
    // optax's AMSGrad takes the maximum after the correction.
    let unlike = o.counts_otherwise() || case.rule == "amsgrad" || o.has_two_eps();
    if unlike || o.is("optax") && o.options.flag("nesterov") {
        return None;
    }
    let ([beta1, beta2], eps) = (o.betas(), o.eps());
    let rule = Adam {
        lr: o.lr(),
        beta1,
        beta2,
        eps: if o.is("keras") { Epsilon::Uncorrected(eps) } else { Epsilon::Outside(eps) },
        amsgrad: !o.is("optax") && o.options.flag("amsgrad"),
        weight_decay: o.decay(Some("decoupled_weight_decay")),
        maximize: o.torch_flag("maximize"),
    };
    o.finish(rule)
}

pub(crate) fn adamax(case: &Case) -> Option<Adamax> {
    let mut o = Reader::new(case);
    if o.counts_otherwise() {
        return None;
    }
    let ([beta1, beta2], eps) = (o.betas(), o.eps());
    let rule = Adamax {
        lr: o.lr(),
        beta1,
        beta2,
        eps: if o.is("keras") { Epsilon::Outside(eps) } else { Epsilon::Inside(eps) },
        weight_decay: o.decay(None),
        maximize: o.torch_flag("maximize"),
    };
    o.finish(rule)
}

pub(crate) fn nadam(case: &Case) -> Option<NAdam> {
    let mut o = Reader::new(case);
    if o.counts_otherwise() {
        return None;
    }
    let [beta1, beta2] = o.betas();
    let rule = NAdam {
        lr: o.lr(),
        beta1,
        beta2,
        eps: Epsilon::Outside(o.eps()),
        momentum_decay: if o.is("torch") { o.options.number("momentum_decay") } else { 1.0 },
        weight_decay: o.decay(Some("decoupled_weight_decay")),
        maximize: o.torch_flag("maximize"),
    };
    o.finish(rule)
}

pub(crate) fn radam(case: &Case) -> Option<RAdam> {
    let mut o = Reader::new(case);
    let unlike = o.has_two_eps() || o.is("optax") && o.options.number("threshold") != 5.0;
    if unlike || o.is("optax") && o.options.flag("nesterov") {
        return None;
    }
    let ([beta1, beta2], eps) = (o.betas(), o.eps());
    let rule = RAdam {
        lr: o.lr(),
        beta1,
        beta2,
        eps: if o.is("optax") { Epsilon::Outside(eps) } else { Epsilon::Uncorrected(eps) },
        weight_decay: o.decay(Some("decoupled_weight_decay")),
        maximize: o.torch_flag("maximize"),
    };
    o.finish(rule)
}

pub(crate) fn lion(case: &Case) -> Option<Lion> {
    let mut o = Reader::new(case);
    let [beta1, beta2] = o.betas();
    let rule = Lion { lr: o.lr(), beta1, beta2, weight_decay: o.decay(None) };
    o.finish(rule)
}

pub(crate) fn rprop(case: &Case) -> Option<Rprop> {
    let mut o = Reader::new(case);
    // optax applies each step one call late.
    if o.is("optax") {
        return None;
    }
    let ([eta_minus, eta_plus], [step_min, step_max]) = (o.pair("etas"), o.pair("step_sizes"));
    let rule =
        Rprop { lr: o.lr(), eta_minus, eta_plus, step_min, step_max, maximize: o.torch_flag("maximize") };
    o.finish(rule)
}

/// The field of this name.
fn field<'s, F: Real>(state: &'s impl State<F>, name: &str) -> Field<'s, F> {
    let field = state.fields().into_iter().find(|(field, _)| *field == name);
    field.unwrap_or_else(|| panic!("no field `{name}` in {state:?}")).1
}

fn tensor<'s>(state: &'s impl State<f64>, name: &str) -> &'s Tensor<f64> {
    match field(state, name) {
        Field::Tensor(tensor) => tensor,
        other => panic!("`{name}` is {other:?}"),
    }
}

/// Our name of a framework's slot.
fn name(framework: &str, rule: &str, slot: &str) -> &'static str {
    match slot {
        "sum" | "accumulator" | "sum_of_squares" => "r",
        "acc_delta" | "accumulated_delta_var" | "e_x" => "x",
        "exp_avg" | "momentum" | "mu" => "m",
        "exp_inf" | "norm" => "u",
        "nu" if rule == "Adamax" => "u",
        "square_avg" | "accumulated_grad" | "e_g" | "exp_avg_sq" | "velocity" | "nu" => "v",
        "max_exp_avg_sq" | "velocity_hat" => "v_max",
        "prev" => "prev",
        "step_size" => "step_size",
        other => panic!("an unknown slot `{other}` of {framework}"),
    }
}

macro_rules! replayed {
    ($($rule:ty),*) => {
        $(impl Replayed for $rule {
            fn set_lr(&mut self, lr: f64) {
                self.lr = lr;
            }

            fn slot<'s>(
                &self,
                framework: &str,
                slot: &str,
                state: &'s Self::State,
            ) -> Option<(&'s Tensor<f64>, f64)> {
                Some((tensor(state, name(framework, <Self as Rule<f64>>::NAME, slot)), 1.0))
            }

            fn number(state: &Self::State, slot: &str) -> f64 {
                match field(state, slot) {
                    Field::Number(number) => number,
                    other => panic!("`{slot}` is {other:?}"),
                }
            }

            fn steps(state: &Self::State) -> u64 {
                state.steps
            }
        })*
    };
}

replayed!(AdaGrad, Adadelta, Adam, Adamax, NAdam, RAdam, Lion, Rprop);
