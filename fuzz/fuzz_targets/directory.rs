//! Names in a directory of checkpoints, one in a line: what is not a checkpoint's is left alone, the file just saved is
//! there afterwards, and the best has the lowest loss.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use wengert_fuzz::within_memory;
use wengert_optim::checkpoint::{Checkpoint, Directory};

use wengert_fuzz::run::trained;
use wengert_optim::Sgd;

fuzz_target!(|names: &str| {
    let names = names.lines().filter(|name| !name.contains(['/', '\0']) && !["", ".", ".."].contains(name));
    let names: Vec<_> = names.filter(|name| name.len() < 256).take(8).collect();
    let path = wengert_fuzz::path("run");
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).expect("a directory");
    names.iter().for_each(|name| fs::write(path.join(name), "").expect("a file"));
    within_memory(0, || {
        let directory = Directory { path: path.clone(), latest: 2, best: 1 };
        let all = directory.all().expect("a directory that can be listed");
        assert!(all.is_sorted_by_key(|saved| saved.step));
        let lowest = all.iter().filter_map(|saved| saved.loss).filter(|loss| !loss.is_nan()).reduce(f64::min);
        assert_eq!(directory.best().expect("the same").and_then(|saved| saved.loss), lowest);
        let (model, opt) = trained::<Sgd>();
        let saved = directory.save(&model, &opt, &(), Some(0.5)).expect("a directory that can be written");
        Checkpoint::read(&saved).expect("what was saved");
        let ours: Vec<_> =
            all.iter().filter(|file| file.step <= opt.steps()).map(|file| &file.path).collect();
        for file in names.iter().map(|name| path.join(name)).filter(|path| !ours.contains(&path)) {
            assert!(file.exists() || file.file_name().is_some_and(is_abandoned), "{}", file.display());
        }
        if let Some(lowest) = lowest {
            assert_eq!(
                directory.best().expect("the same").and_then(|saved| saved.loss),
                Some(lowest.min(0.5))
            );
        }
    });
});

/// What a process that was killed left behind goes with the next write.
fn is_abandoned(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".wengert-") && name.ends_with(".tmp"))
}
