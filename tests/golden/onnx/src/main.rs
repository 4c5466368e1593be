//! Runs ONNX's node tests on Wengert and prints how many pass; see ../README.md.
//!
//! ```text
//! cargo run -- onnx_cases.jsonl            the table
//! cargo run -- onnx_cases.jsonl --each     a line for each test, too
//! ```
#![forbid(unsafe_code)]

mod case;
mod graph;
mod ops;
mod table;
mod value;
mod verdict;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::panic;
use std::process::ExitCode;

use case::{Case, Header};
use table::Table;

fn main() -> ExitCode {
    match run() {
        Ok(table) => {
            print!("{table}");
            if table.is_as_expected() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<Table, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (path, each) = match args.as_slice() {
        [path] => (path, false),
        [path, flag] if flag == "--each" => (path, true),
        _ => return Err("usage: golden-onnx CASES.jsonl [--each]".into()),
    };
    panic::set_hook(Box::new(|_| {})); // a panic is a verdict
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let mut lines = BufReader::new(file).lines();
    let mut next = || lines.next().transpose().map_err(|error| format!("{path}: {error}"));
    let header: Header = parse(path, &next()?.ok_or_else(|| format!("{path} is empty"))?)?;
    let mut table = Table::new(header.origin.onnx);
    while let Some(line) = next()? {
        let case: Case = parse(path, &line)?;
        let verdict = verdict::of(&case);
        if each {
            println!("{} {verdict}", case.name);
        }
        table.add(&case, verdict);
    }
    Ok(table)
}

fn parse<'de, T: serde::Deserialize<'de>>(path: &str, line: &'de str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("{path}: {error}"))
}
