//! Solutions pass all tests of their exercise, stubs none, and wrong answers fail by a message that names the mistake.

use std::collections::BTreeMap;
use std::panic;
use std::sync::Mutex;
use std::time::Instant;

use wengert_course_check::{ANSWERS, Answer};

static MESSAGE: Mutex<String> = Mutex::new(String::new());

/// The tests that fail, with what they say.
fn failures(answer: &Answer) -> Vec<(&'static str, String)> {
    let failed = answer.tests.iter().filter(|(_, test)| panic::catch_unwind(test).is_err());
    failed.map(|(name, _)| (*name, std::mem::take(&mut *MESSAGE.lock().unwrap()))).collect()
}

#[test]
fn answers_get_what_they_deserve() {
    panic::set_hook(Box::new(|info| *MESSAGE.lock().unwrap() = info.to_string()));
    let mut wrong: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    let mut faults = Vec::new();
    for answer in ANSWERS {
        let (exercise, start) = (answer.exercise, Instant::now());
        let failed = failures(answer);
        let said = failed.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>().join("\n");
        let (of, seconds) = (answer.tests.len(), start.elapsed().as_secs_f64());
        println!("{exercise:20} {:45} {} of {of} fail, {seconds:.2} s", answer.answer, failed.len());
        let fault = match answer.answer {
            "stub" if failed.len() < of => Some("a test passes on the stub".to_owned()),
            "solution" if !failed.is_empty() => Some(said),
            "stub" | "solution" => None,
            _ => {
                let (caught, count) = wrong.entry(exercise).or_default();
                *count += 1;
                *caught += usize::from(!failed.is_empty());
                let named = !failed.is_empty() && said.contains(answer.expected);
                (!named).then(|| format!("expected `{}` in:\n{said}", answer.expected))
            }
        };
        faults.extend(fault.map(|fault| format!("{exercise}, {}: {fault}", answer.answer)));
    }
    drop(panic::take_hook());
    wrong.iter().for_each(|(exercise, (caught, count))| {
        println!("{exercise}: {caught} of {count} wrong answers caught")
    });
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(wrong.len() >= 12, "{} exercises", wrong.len());
}
