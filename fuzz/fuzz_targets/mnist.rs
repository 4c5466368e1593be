//! Two files of a set, images and labels: an error, or images with their labels. The first byte chooses the set, the
//! next two say where the labels begin.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert_data::idx;
use wengert_data::mnist::{self, Emnist, TrainTest};
use wengert_fuzz::{assert_harmless, file, frame, path, within_memory};

fuzz_target!(|bytes: &[u8]| {
    let [set, low, high, files @ ..] = bytes else { return };
    let (images, labels) = files.split_at(files.len().min(usize::from(u16::from_le_bytes([*low, *high]))));
    let [prefixes, label] = match set % 3 {
        0 => [["train", "t10k"], ["idx1-ubyte"; 2]],
        1 => [["qmnist-train", "qmnist-test"], ["idx2-int"; 2]],
        _ => [["emnist-letters-train", "emnist-letters-test"], ["idx1-ubyte"; 2]],
    };
    for prefix in prefixes {
        file(&format!("{prefix}-images-idx3-ubyte"), images);
        file(&format!("{prefix}-labels-{}", label[0]), labels);
    }
    within_memory(frame::expanded(bytes.len()), || {
        let directory = path("");
        let loaded = match set % 3 {
            0 => mnist::load(directory),
            1 => mnist::load_qmnist(directory),
            _ => mnist::load_emnist(directory, Emnist::Letters),
        };
        let TrainTest { train, test } = match loaded {
            Ok(both) => both,
            Err(error) => return assert_harmless(&error.to_string()),
        };
        let images =
            idx::read(path(&format!("{}-images-idx3-ubyte", prefixes[0]))).expect("it was read before");
        assert_eq!((train.len(), train.pixels().len()), (images.shape()[0], images.len()));
        assert_eq!((train.labels(), train.pixels()), (test.labels(), test.pixels()));
        assert!(train.labels().iter().all(|&label| label < 26));
        assert_eq!(train.batches(2).map(|batch| batch.labels.len()).sum::<usize>(), train.len());
    });
});
