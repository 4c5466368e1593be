//! Records RMSProp trajectories of burn 0.22.1 and dfdx 0.13.0 in f64, in the format of ../OPTIM.md.
//!
//! ```text
//! cargo run -- burn ../optim/torch_rmsprop.json 2026-01-31 > ../optim/burn_rmsprop.json
//! cargo run -- dfdx ../optim/torch_rmsprop.json 2026-01-31 > ../optim/dfdx_rmsprop.json
//! ```
//!
//! The second argument is any recording that holds the problems; the third is the date to state.
#![forbid(unsafe_code)]

mod burn_rules;
mod dfdx_rules;
mod format;

use std::{env, fs, process::ExitCode};

use format::Recording;
use serde_json::json;

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<String, String> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [framework, path, date] = args.as_slice() else {
        return Err("usage: golden-peers burn|dfdx RECORDING.json DATE".into());
    };
    let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let recording: Recording = serde_json::from_str(&text).map_err(|e| format!("{path}: {e}"))?;
    let (version, note, cases) = match framework.as_str() {
        "burn" => ("0.22.1", burn_rules::NOTE, burn_rules::cases(&recording.problems)),
        "dfdx" => ("0.13.0", dfdx_rules::NOTE, dfdx_rules::cases(&recording.problems)),
        other => return Err(format!("{other}: expected burn or dfdx")),
    };
    let origin = json!({
        "script": "tests/golden/peers-rust", "versions": {(framework): version}, "date": date, "dtype": "f64", "note": note,
    });
    Ok(format::write(&origin, &recording.problems, &cases))
}
