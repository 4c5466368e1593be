//! Each milestone asserts its outcome; here they are run, and must draw what they found.

use std::process::Command;

fn run(program: &str, name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(program).arg(directory.path()).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let picture = std::fs::read_to_string(directory.path().join(name).with_extension("svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("class=\"curve"), "{name} draws nothing");
}

macro_rules! milestones {
    ($($test:ident: $name:literal;)*) => {
        $(#[test]
        fn $test() {
            run(env!(concat!("CARGO_BIN_EXE_", $name)), $name);
        })*
    };
}

milestones! {
    perceptron: "1957_perceptron";
    xor: "1986_xor";
    rmsprop: "2012_rmsprop";
    adam: "2014_adam";
}

mod slow {
    use super::run;

    milestones! {
        lenet: "1998_lenet";
        attention: "2017_attention";
    }
}
