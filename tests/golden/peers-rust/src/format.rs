//! The recording format: problems in, cases out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The part of a recording that is read back: its problems by name.
#[derive(Deserialize)]
pub struct Recording {
    pub problems: BTreeMap<String, Problem>,
}

/// A start and either a gradient stream or the curvature of `½ h p²`.
#[derive(Deserialize, Serialize)]
pub struct Problem {
    pub params: Params<Array>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grads: Option<Vec<Params<Option<Array>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curvature: Option<Params<Array>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
}

/// One value for each of the two parameters.
#[derive(Deserialize, Serialize)]
pub struct Params<T> {
    pub a: T,
    pub b: T,
}

/// A tensor as it stands in the file.
#[derive(Deserialize, Serialize)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Problem {
    /// Number of steps to take.
    pub fn len(&self) -> usize {
        self.grads.as_ref().map_or_else(|| self.steps.expect("curvature needs steps"), Vec::len)
    }

    /// The gradient of step `t` (from 0) at `params`; `None` where there is none.
    pub fn gradient(&self, t: usize, params: &Params<Vec<f64>>) -> Params<Option<Vec<f64>>> {
        if let Some(grads) = &self.grads {
            let copy = |g: &Option<Array>| g.as_ref().map(|g| g.data.clone());
            return Params { a: copy(&grads[t].a), b: copy(&grads[t].b) };
        }
        let h = self.curvature.as_ref().expect("a problem has grads or a curvature");
        let times = |h: &Array, p: &[f64]| Some(h.data.iter().zip(p).map(|(h, p)| h * p).collect());
        Params { a: times(&h.a, &params.a), b: times(&h.b, &params.b) }
    }
}

/// The options, problem and rate change of one case.
pub struct Spec {
    pub problem: &'static str,
    pub options: Map<String, Value>,
    /// From this step (counted from 1) on, the rate is the second number.
    pub lr_change: Option<(usize, f64)>,
}

impl Spec {
    /// The rate at step `t` (from 0).
    pub fn rate(&self, t: usize) -> f64 {
        match self.lr_change {
            Some((from, lr)) if t + 1 >= from => lr,
            _ => self.options["lr"].as_f64().expect("every case states lr"),
        }
    }

    /// The case with what was recorded for it.
    pub fn case(&self, framework: &str, params_after: &[Params<Vec<f64>>], state: Option<Value>) -> Value {
        let mut case = json!({
            "rule": "rmsprop", "framework": framework, "options": self.options, "problem": self.problem,
        });
        if let Some((from, lr)) = self.lr_change {
            case["lr_changes"] = json!({(from.to_string()): lr});
        }
        case["params_after"] = json!(params_after);
        if let Some(state) = state {
            case["state_after"] = state;
        }
        case
    }
}

/// The file's text: one problem and one case per line; no problems, no such key.
pub fn write(origin: &Value, problems: &BTreeMap<String, Problem>, cases: &[Value]) -> String {
    let used = |name: &str| cases.iter().any(|case| case["problem"] == name);
    let problems: Vec<String> = problems
        .iter()
        .filter(|(name, _)| used(name))
        .map(|(name, problem)| format!("{}:{}", json!(name), json!(problem)))
        .collect();
    let cases: Vec<String> = cases.iter().map(Value::to_string).collect();
    let mut text = format!("{{\"origin\":{origin},\n");
    if !problems.is_empty() {
        text += &format!("\"problems\":{{\n{}\n}},\n", problems.join(",\n"));
    }
    text + &format!("\"cases\":[\n{}\n]}}\n", cases.join(",\n"))
}
