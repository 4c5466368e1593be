//! Every recorded schedule of PyTorch and optax, step by step, to 1e-12 relative in f64.

#[expect(dead_code, reason = "schedules are lists of numbers, without tensors")]
mod golden;

use golden::{integers, number};
use serde_json::Value;
use wengert_optim::{Curve, Goal, Interpolation, Margin, ReduceOnPlateau, Schedule};

const RELATIVE: f64 = 1e-12;

fn num(options: &Value, name: &str) -> f64 {
    number(&options[name])
}

fn count(options: &Value, name: &str) -> u64 {
    options[name].as_u64().unwrap_or_else(|| panic!("`{name}` of {options} is not a count"))
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(number).collect()
}

fn milestones(options: &Value) -> Vec<u64> {
    integers(&options["milestones"]).into_iter().map(|step| step as u64).collect()
}

fn assert_follows(what: &str, schedule: impl Fn(u64) -> f64, recorded: &[f64]) {
    for (t, &recorded) in recorded.iter().enumerate() {
        let found = schedule(t as u64);
        let close = (found - recorded).abs() <= RELATIVE * recorded.abs() + 1e-17;
        assert!(close, "{what} at step {t}: {found:e}, recorded {recorded:e}");
    }
}

/// The torch scheduler of this name; `None` for those that are no `Schedule`.
fn torch(name: &str, base: f64, options: &Value) -> Option<Schedule> {
    Some(match name {
        "ConstantLR" => Schedule::constant(base * num(options, "factor"))
            .then(count(options, "total_iters"), Schedule::constant(base)),
        "LinearLR" => {
            let (from, to) = (num(options, "start_factor"), num(options, "end_factor"));
            Schedule::linear(base * from, base * to, count(options, "total_iters"))
        }
        "StepLR" => {
            Curve::Step { from: base, every: count(options, "step_size"), gamma: num(options, "gamma") }
                .into()
        }
        "MultiStepLR" => {
            let gamma = num(options, "gamma");
            Curve::MultiStep { from: base, milestones: milestones(options), gamma }.into()
        }
        "ExponentialLR" => Curve::Exponential { from: base, gamma: num(options, "gamma") }.into(),
        "PolynomialLR" => {
            let (steps, power) = (count(options, "total_iters"), num(options, "power"));
            Curve::Polynomial { from: base, to: 0.0, steps, power }.into()
        }
        "CosineAnnealingLR" => rising_again(base, num(options, "eta_min"), count(options, "T_max")),
        "CosineAnnealingWarmRestarts" => {
            let (to, period) = (num(options, "eta_min"), count(options, "T_0"));
            Curve::CosineRestarts { from: base, to, period, stretch: count(options, "T_mult") }.into()
        }
        "OneCycleLR" => one_cycle(options),
        "CyclicLR" => cyclic(options),
        "SequentialLR" => {
            let parts = options["schedulers"].as_array().expect("a list").iter();
            let mut parts = parts.map(|part| torch(part[0].as_str()?, base, &part[1]));
            let first = parts.next()??;
            let starts = milestones(options);
            starts
                .into_iter()
                .zip(parts)
                .try_fold(first, |all, (start, part)| Some(all.then(start, part?)))?
        }
        _ => return None,
    })
}

/// torch's cosine goes on after its end, so that it is a zigzag of half waves.
fn rising_again(from: f64, to: f64, steps: u64) -> Schedule {
    let turn = |turn: u64| ((turn * steps) as f64, if turn.is_multiple_of(2) { from } else { to });
    Curve::Interpolate { points: (0..8).map(turn).collect(), ease: Interpolation::Cosine }.into()
}

fn one_cycle(options: &Value) -> Schedule {
    let (max, steps, rise) =
        (num(options, "max_lr"), count(options, "total_steps"), num(options, "pct_start"));
    let from = max / num(options, "div_factor");
    let to = from / num(options, "final_div_factor");
    let ease =
        if options["anneal_strategy"] == "cos" { Interpolation::Cosine } else { Interpolation::Linear };
    if options["three_phase"] == false {
        return Schedule::one_cycle(from, max, to, steps, rise, ease);
    }
    let top = rise * steps as f64 - 1.0;
    let points = vec![(0.0, from), (top, max), (2.0 * top, from), (steps as f64 - 1.0, to)];
    Curve::Interpolate { points, ease }.into()
}

fn cyclic(options: &Value) -> Schedule {
    let (base, max) = (num(options, "base_lr"), num(options, "max_lr"));
    let up = num(options, "step_size_up");
    let down = options["step_size_down"].as_f64().unwrap_or(up);
    let halving = options["mode"] == "triangular2";
    let cycle = |cycle: i32| {
        let (start, height) =
            (f64::from(cycle) * (up + down), if halving { 0.5f64.powi(cycle) } else { 1.0 });
        [(start, base), (start + up, base + (max - base) * height)]
    };
    Curve::Interpolate { points: (0..8).flat_map(cycle).collect(), ease: Interpolation::Linear }.into()
}

#[test]
fn torch_schedules() {
    let file = golden::read("optim/schedules_torch.json");
    let mut followed = 0;
    for case in file["cases"].as_array().expect("cases") {
        let (name, options) = (case["schedule"].as_str().expect("a name"), &case["options"]);
        let (base, rates) = (num(case, "base_lr"), numbers(&case["rates"]));
        let what = format!("{name} {options}");
        match torch(name, base, options) {
            Some(schedule) => assert_follows(&what, |t| schedule.at(t), &rates),
            None if name == "ReduceLROnPlateau" => plateau(&what, base, case, &rates),
            None => {
                // A product: the values are plain numbers.
                assert_eq!(name, "ChainedScheduler");
                let parts = options["schedulers"].as_array().expect("a list").iter();
                let parts = parts.map(|part| torch(part[0].as_str().expect("a name"), 1.0, &part[1]));
                let parts: Vec<_> = parts.map(|part| part.expect("a schedule")).collect();
                assert_follows(
                    &what,
                    |t| parts.iter().map(|part| part.at(t)).product::<f64>() * base,
                    &rates,
                );
            }
        }
        followed += 1;
    }
    assert_eq!(followed, 28);
}

fn plateau(what: &str, base: f64, case: &Value, rates: &[f64]) {
    let options = &case["options"];
    let threshold = num(options, "threshold");
    let mut plateau = ReduceOnPlateau {
        goal: if options["mode"] == "min" { Goal::Min } else { Goal::Max },
        factor: num(options, "factor"),
        patience: count(options, "patience"),
        margin: if options["threshold_mode"] == "rel" {
            Margin::Relative(threshold)
        } else {
            Margin::Absolute(threshold)
        },
        cooldown: count(options, "cooldown"),
        min: num(options, "min_lr"),
        least_change: num(options, "eps"),
        ..ReduceOnPlateau::default()
    };
    let mut rate = base;
    let found = numbers(&case["metrics"]).into_iter().map(|metric| {
        let used = rate;
        rate = plateau.next(rate, metric);
        used
    });
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), rates.len());
    assert_follows(what, |t| found[t as usize], rates);
}

/// The momentum that torch's cyclic schedules move the other way.
#[test]
fn torch_momenta() {
    let file = golden::read("optim/schedules_torch.json");
    let mut followed = 0;
    for case in file["cases"].as_array().expect("cases") {
        let (name, options) = (case["schedule"].as_str().expect("a name"), &case["options"]);
        let is_simple = name == "OneCycleLR" && options["three_phase"] == false;
        if !is_simple {
            continue;
        }
        let ease =
            if options["anneal_strategy"] == "cos" { Interpolation::Cosine } else { Interpolation::Linear };
        let (high, low) = (num(options, "max_momentum"), num(options, "base_momentum"));
        let (steps, rise) = (count(options, "total_steps"), num(options, "pct_start"));
        let schedule = Schedule::one_cycle(high, low, high, steps, rise, ease);
        assert_follows(&format!("momentum of {options}"), |t| schedule.at(t), &numbers(&case["momenta"]));
        followed += 1;
    }
    assert_eq!(followed, 2);
}

/// The optax schedule of this name; `None` for those that need an exponent on the cosine, which ours lacks.
fn optax(name: &str, options: &Value) -> Option<Schedule> {
    let exponent = options["exponent"].as_f64().unwrap_or(1.0);
    Some(match name {
        "constant_schedule" => Schedule::constant(num(options, "value")),
        "linear_schedule" | "polynomial_schedule" => {
            let (from, to) = (num(options, "init_value"), num(options, "end_value"));
            let (steps, power) =
                (count(options, "transition_steps"), options["power"].as_f64().unwrap_or(1.0));
            let fall = Curve::Polynomial { from, to, steps, power };
            Schedule::constant(from).then(count(options, "transition_begin"), fall.into())
        }
        "piecewise_constant_schedule" => {
            let mut value = num(options, "init_value");
            let scales = options["boundaries_and_scales"].as_object().expect("an object").iter();
            let mut scales: Vec<(u64, f64)> =
                scales.map(|(step, scale)| (step.parse().expect("a step"), number(scale))).collect();
            scales.sort_by_key(|&(step, _)| step);
            scales.into_iter().fold(Schedule::constant(value), |schedule, (step, scale)| {
                value *= scale;
                schedule.then(step, Schedule::constant(value))
            })
        }
        "exponential_decay" => exponential(num(options, "init_value"), options),
        "cosine_decay_schedule" if exponent == 1.0 => {
            let from = num(options, "init_value");
            Schedule::cosine(from, num(options, "alpha") * from, count(options, "decay_steps"))
        }
        "warmup_constant_schedule" => Schedule::linear(
            num(options, "init_value"),
            num(options, "peak_value"),
            count(options, "warmup_steps"),
        ),
        "warmup_cosine_decay_schedule" if exponent == 1.0 => {
            let (peak, warmup) = (num(options, "peak_value"), count(options, "warmup_steps"));
            let fall =
                Schedule::cosine(peak, num(options, "end_value"), count(options, "decay_steps") - warmup);
            Schedule::linear(num(options, "init_value"), peak, warmup).then(warmup, fall)
        }
        "warmup_exponential_decay_schedule" => {
            let (peak, warmup) = (num(options, "peak_value"), count(options, "warmup_steps"));
            Schedule::linear(num(options, "init_value"), peak, warmup)
                .then(warmup, exponential(peak, options))
        }
        "cosine_onecycle_schedule" | "linear_onecycle_schedule" => onecycle(name, options),
        _ => return None,
    })
}

fn exponential(from: f64, options: &Value) -> Schedule {
    let (rate, length) = (num(options, "decay_rate"), count(options, "transition_steps"));
    let fall = if options["staircase"] == true {
        Curve::Step { from, every: length, gamma: rate }
    } else {
        Curve::Exponential { from, gamma: rate.powf((length as f64).recip()) }
    };
    Schedule::constant(from).then(count(options, "transition_begin"), fall.into())
}

/// optax turns at whole steps: at `⌊pct_start · n⌋` and, where it is linear, once more at `⌊pct_final · n⌋`.
fn onecycle(name: &str, options: &Value) -> Schedule {
    let (n, peak) = (num(options, "transition_steps"), num(options, "peak_value"));
    let from = peak / num(options, "div_factor");
    let top = (num(options, "pct_start") * n).floor();
    let curve = if name.starts_with("cosine") {
        let to = peak / (num(options, "div_factor") * num(options, "final_div_factor"));
        Curve::Interpolate { points: vec![(0.0, from), (top, peak), (n, to)], ease: Interpolation::Cosine }
    } else {
        let (back, to) = ((num(options, "pct_final") * n).floor(), from / num(options, "final_div_factor"));
        Curve::Interpolate {
            points: vec![(0.0, from), (top, peak), (back, from), (n, to)],
            ease: Interpolation::Linear,
        }
    };
    curve.into()
}

#[test]
fn optax_schedules() {
    let file = golden::read("optim/schedules_optax.json");
    let (mut followed, mut lacking) = (0, Vec::new());
    for case in file["cases"].as_array().expect("cases") {
        let (name, options) = (case["schedule"].as_str().expect("a name"), &case["options"]);
        let Some(schedule) = optax(name, options) else {
            lacking.push(name);
            continue;
        };
        let floor = options["end_value"].as_f64().filter(|_| name == "exponential_decay").unwrap_or(0.0);
        assert_follows(&format!("{name} {options}"), |t| schedule.at(t).max(floor), &numbers(&case["rates"]));
        followed += 1;
    }
    // The exponent that optax can put on its cosine has no counterpart, nor has the one inside its SGDR.
    assert_eq!(lacking, ["cosine_decay_schedule", "warmup_cosine_decay_schedule", "sgdr_schedule"]);
    assert_eq!(followed, 12);
}
