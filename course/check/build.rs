//! Writes a module for each exercise and each answer to it: the stub, the solution, and the solution with one thing
//! wrong. The tests of the exercise stand in the module as plain functions, and find the answer under the name that
//! they use, `exercise`.
//!
//! `solutions/NN_name/wrong.txt` has, for each wrong answer, its name after `#`, lines of the solution after `-` with
//! what stands there instead after `+`, and after `!` a part of what the tests must say.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let course = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("..");
    println!("cargo::rerun-if-changed={}", course.join("exercises").display());
    println!("cargo::rerun-if-changed={}", course.join("solutions").display());
    let mut names: Vec<_> =
        fs::read_dir(course.join("exercises")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let mut out = String::from("pub static ANSWERS: &[Answer] = &[\n");
    let mut modules = String::new();
    for name in names {
        let name = name.to_str().unwrap();
        let checks = read(&course.join("exercises").join(name).join("tests/check.rs"));
        let solution = read(&course.join("solutions").join(name).join("lib.rs"));
        let mut answers = vec![
            ("stub".to_owned(), read(&course.join("exercises").join(name).join("src/lib.rs")), String::new()),
            ("solution".to_owned(), solution.clone(), String::new()),
        ];
        answers.extend(wrong(&solution, &read(&course.join("solutions").join(name).join("wrong.txt"))));
        for (number, (answer, code, expected)) in answers.iter().enumerate() {
            let module = format!("exercise_{name}_{number}");
            let tests: Vec<_> = tests(&checks).collect();
            writeln!(
                out,
                "Answer {{ exercise: {name:?}, answer: {answer:?}, expected: {expected:?}, tests: &["
            )
            .unwrap();
            tests.iter().for_each(|test| writeln!(out, "({test:?}, {module}::{test}),").unwrap());
            out += "] },\n";
            let checks = inside(&checks).replace("#[test]\nfn ", "pub fn ");
            writeln!(modules, "mod {module} {{\npub mod exercise {{\n{}\n}}\n{checks}\n}}", inside(code))
                .unwrap();
        }
    }
    out += "];\n";
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap()).join("answers.rs"), out + &modules).unwrap();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file's text without the documentation of the file, which cannot stand in the middle of another.
fn inside(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect()
}

fn tests(checks: &str) -> impl Iterator<Item = &str> {
    checks.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap())
}

/// Name, code, and what the tests must say.
fn wrong(solution: &str, list: &str) -> Vec<(String, String, String)> {
    let mut all: Vec<(String, String, String)> = Vec::new();
    let mut old = "";
    for line in list.lines().filter(|line| !line.is_empty()) {
        let (kind, text) = line.split_at(1);
        let text = text.strip_prefix(' ').unwrap_or(text);
        match (kind, all.last_mut()) {
            ("#", _) => all.push((text.to_owned(), solution.to_owned(), String::new())),
            ("-", Some(_)) => old = text,
            ("+", Some((name, code, _))) => {
                assert_eq!(code.matches(old).count(), 1, "{name}: `{old}` is not there once");
                *code = code.replace(old, text);
            }
            ("!", Some((_, _, expected))) => text.clone_into(expected),
            _ => panic!("what is `{line}`?"),
        }
    }
    all
}
