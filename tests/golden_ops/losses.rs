//! The losses, by their names in the file, with every reduction; and logits that overflow where a formula is naive.

use serde_json::Value;
use wengert_autodiff::{Real, Tape, Var};

use crate::Ops;
use crate::args::Args;
use crate::golden::{integers, number};

#[rustfmt::skip]
pub(crate) fn ops<F: Real>() -> Ops<F> {
    vec![
        ("cross_entropy", |x, a| reduced("cross_entropy", x, a)),
        // What weighs has no other form than the mean.
        ("cross_entropy_ignoring", |x, a| mean("cross_entropy_ignoring", a.0, x)),
        ("cross_entropy_weighted", |x, a| mean("cross_entropy_weighted", a.0, x)),
        ("cross_entropy_soft", |x, a| reduced("cross_entropy_soft", x, a)),
        ("nll", |x, a| reduced("nll", x, a)),
        ("mse", |x, a| reduced("mse", x, a)),
        ("mae", |x, a| reduced("mae", x, a)),
        ("huber", |x, a| reduced("huber", x, a)),
        ("bce_with_logits", |x, a| reduced("bce_with_logits", x, a)),
        ("kl_div", |x, a| reduced("kl_div", x, a)),
    ]
}

fn reduced<'t, F: Real>(op: &str, inputs: &[Var<'t, F>], args: Args<'_>) -> Var<'t, F> {
    let each = each(op, args.0, inputs);
    match args.0["reduction"].as_str().expect("a reduction") {
        "none" => each,
        "sum" => each.sum(),
        "batchmean" => each.sum() / F::from_f64(inputs[0].shape()[0] as f64),
        "mean" => {
            let mean = mean(op, args.0, inputs);
            assert_eq!(mean.item(), each.mean().item(), "{op}: the short form");
            mean
        }
        other => panic!("an unknown reduction {other}"),
    }
}

/// The loss as users call it.
fn mean<'t, F: Real>(op: &str, args: &Value, inputs: &[Var<'t, F>]) -> Var<'t, F> {
    match (op, inputs) {
        ("cross_entropy", &[x]) if number(&args["label_smoothing"]) == 0.0 => {
            x.cross_entropy(&integers(&args["labels"]))
        }
        ("cross_entropy", &[x]) => {
            x.cross_entropy_smooth(&integers(&args["labels"]), number(&args["label_smoothing"]))
        }
        ("cross_entropy_ignoring", &[x]) => {
            x.cross_entropy_ignoring(&integers(&args["labels"]), number(&args["ignored"]) as usize)
        }
        ("cross_entropy_weighted", &[x]) => {
            let weights: Vec<_> = args["weights"].as_array().expect("weights").iter().map(number).collect();
            x.cross_entropy_weighted(&integers(&args["labels"]), &weights)
        }
        ("cross_entropy_soft", &[x, t]) => x.cross_entropy_soft(smooth(t, args)),
        ("nll", &[x]) => x.nll(&integers(&args["labels"])),
        ("mse", &[x, t]) => x.mse(t),
        ("mae", &[x, t]) => x.mae(t),
        ("huber", &[x, t]) => x.huber(t, number(&args["delta"])),
        ("bce_with_logits", &[x, t]) => x.bce_with_logits(t),
        ("kl_div", &[x, t]) => x.kl_div(t),
        _ => panic!("no loss `{op}` of {} inputs", inputs.len()),
    }
}

/// The loss before it is reduced.
fn each<'t, F: Real>(op: &str, args: &Value, inputs: &[Var<'t, F>]) -> Var<'t, F> {
    match (op, inputs) {
        ("cross_entropy", &[x]) if number(&args["label_smoothing"]) == 0.0 => {
            x.cross_entropy_each(&integers(&args["labels"]))
        }
        ("cross_entropy", &[x]) => {
            x.cross_entropy_smooth_each(&integers(&args["labels"]), number(&args["label_smoothing"]))
        }
        ("cross_entropy_soft", &[x, t]) => x.cross_entropy_soft_each(smooth(t, args)),
        ("nll", &[x]) => x.nll_each(&integers(&args["labels"])),
        ("mse", &[x, t]) => x.mse_each(t),
        ("mae", &[x, t]) => x.mae_each(t),
        ("huber", &[x, t]) => x.huber_each(t, number(&args["delta"])),
        ("bce_with_logits", &[x, t]) => x.bce_with_logits_each(t),
        ("kl_div", &[x, t]) => x.kl_div_each(t),
        _ => panic!("no loss `{op}` of {} inputs", inputs.len()),
    }
}

/// A soft target needs no option for smoothing: it is arithmetic on the target.
fn smooth<'t, F: Real>(target: Var<'t, F>, args: &Value) -> Var<'t, F> {
    let (epsilon, classes) = (number(&args["label_smoothing"]), target.shape()[1] as f64);
    target * F::from_f64(1.0 - epsilon) + F::from_f64(epsilon / classes)
}

#[test]
fn extreme_logits_stay_finite_in_f32() {
    extreme_logits::<f32>();
}

#[test]
fn extreme_logits_stay_finite_in_f64() {
    extreme_logits::<f64>();
}

/// Runs backward and gives the loss.
type Loss<F> = fn(Var<'_, F>, Var<'_, F>, &[usize]) -> f64;

fn extreme_logits<F: Real>() {
    let logits = [[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4], [1e4, 1e4, 1e4], [-1e4, 1e4, 1e4]];
    let target = [[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5], [0.0, 0.5, 0.5]];
    let of = |rows: [[f64; 3]; 4]| {
        wengert_autodiff::ndarray::arr2(&rows).mapv(F::from_f64).into_dyn().into_shared()
    };
    let labels = [1, 0, 2, 0];
    let losses: [(&str, Loss<F>); 8] = [
        ("cross_entropy", |x, _, labels| finite_gradient(x, None, x.cross_entropy(labels))),
        ("smooth", |x, _, labels| finite_gradient(x, None, x.cross_entropy_smooth(labels, 0.1))),
        ("soft", |x, t, _| finite_gradient(x, Some(t), x.cross_entropy_soft(t))),
        ("log_softmax", |x, _, labels| finite_gradient(x, None, x.log_softmax(1).nll(labels))),
        ("bce", |x, t, _| finite_gradient(x, Some(t), x.bce_with_logits(t))),
        ("mse", |x, t, _| finite_gradient(x, Some(t), x.mse(t))),
        ("softmax", |x, t, _| finite_gradient(x, Some(t), (x.softmax(1) * t).sum())),
        ("logsumexp", |x, _, _| finite_gradient(x, None, x.logsumexp_axes(&[1], false).mean())),
    ];
    let value = |name: &str| {
        let tape = Tape::new();
        let (_, loss) = losses.iter().find(|(found, _)| *found == name).unwrap();
        loss(tape.variable(of(logits)), tape.variable(of(target)), &labels)
    };
    for (name, _) in losses {
        assert!(value(name).is_finite(), "{name}: {}", value(name));
    }
    // Per row 20000, 20000, ln 3 and 20000 + ln 2.
    let expected = (60_000.0 + 3.0_f64.ln() + 2.0_f64.ln()) / 4.0;
    assert!((value("cross_entropy") - expected).abs() < 1e-2, "{}", value("cross_entropy"));
}

fn finite_gradient<F: Real>(x: Var<'_, F>, target: Option<Var<'_, F>>, loss: Var<'_, F>) -> f64 {
    let grads = loss.backward();
    for x in [Some(x), target].into_iter().flatten() {
        let grad = grads.wrt(x).expect("a gradient");
        assert!(grad.iter().all(|g| g.is_finite()), "{grad}");
    }
    loss.item().as_f64()
}
