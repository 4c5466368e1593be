//! Records, in f64 and in the format of ../OPTIM.md, the RMSProp of burn 0.22.1 and dfdx 0.13.0 and burn's clipping.
//!
//! ```text
//! cargo run -- burn ../optim/torch_rmsprop.json 2026-01-31 > burn_rmsprop.json
//! cargo run -- dfdx ../optim/torch_rmsprop.json 2026-01-31 > dfdx_rmsprop.json
//! cargo run -- burn-clipping ../optim/clipping_torch.json 2026-01-31 > clipping_burn.json
//! ```
//!
//! The second argument is a recording that holds the problems or the inputs to clip; the third is the date to state.
#![forbid(unsafe_code)]

mod burn_clipping;
mod burn_rules;
mod dfdx_rules;
mod format;

use std::collections::BTreeMap;
use std::{env, fs, process::ExitCode};

use format::Recording;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

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
    let [what, path, date] = args.as_slice() else {
        return Err("usage: golden-peers burn|dfdx|burn-clipping RECORDING.json DATE".into());
    };
    match what.as_str() {
        "burn" => {
            let Recording { problems } = read(path)?;
            let cases = burn_rules::cases(&problems);
            Ok(format::write(&origin(("burn", "0.22.1"), date, burn_rules::NOTE), &problems, &cases))
        }
        "dfdx" => {
            let Recording { problems } = read(path)?;
            let cases = dfdx_rules::cases(&problems);
            Ok(format::write(&origin(("dfdx", "0.13.0"), date, dfdx_rules::NOTE), &problems, &cases))
        }
        "burn-clipping" => {
            let cases = burn_clipping::cases(read(path)?);
            let origin = origin(("burn", "0.22.1"), date, burn_clipping::NOTE);
            Ok(format::write(&origin, &BTreeMap::new(), &cases))
        }
        other => Err(format!("{other}: expected burn, dfdx or burn-clipping")),
    }
}

fn read<T: DeserializeOwned>(path: &str) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    serde_json::from_str(&text).map_err(|e| format!("{path}: {e}"))
}

fn origin((framework, version): (&str, &str), date: &str, note: &str) -> Value {
    json!({
        "script": "tests/golden/peers-rust", "versions": {(framework): version}, "date": date, "dtype": "f64",
        "note": note,
    })
}
