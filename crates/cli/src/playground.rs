use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

const BUILD: [&str; 7] = [
    "build",
    "--package=wengert-playground",
    "--lib",
    "--profile=web",
    "--target=wasm32-unknown-unknown",
    "--message-format=json-render-diagnostics",
    "--locked",
];

/// The page, around the program that cargo builds now. None is kept in the repository: it would be as old as whoever
/// built it last remembered.
pub(crate) fn page() -> Result<String, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // What cargo has to say to people goes where it always does.
    let built = Command::new(&cargo).args(BUILD).stderr(Stdio::inherit()).output();
    let built = built.map_err(|error| format!("{}: {error}", cargo.display()))?;
    if !built.status.success() {
        let needs = "a copy of the repository as the current directory, and the target: \
                     `rustup target add wasm32-unknown-unknown`";
        return Err(format!("cargo could not build the playground, which needs {needs}").into());
    }
    let program = program(&built.stdout).ok_or("cargo built no file that ends in .wasm")?;
    let bytes = fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(wengert_playground::page(&bytes))
}

/// The file that cargo's messages name.
fn program(messages: &[u8]) -> Option<PathBuf> {
    let messages = messages.split(|&byte| byte == b'\n');
    let files =
        messages.filter_map(|line| Some(serde_json::from_slice::<Value>(line).ok()?["filenames"].take()));
    let mut files = files.flat_map(|files| files.as_array().cloned().unwrap_or_default());
    files.find_map(|file| {
        file.as_str().filter(|name| name.ends_with("wengert_playground.wasm")).map(PathBuf::from)
    })
}
