//! A checkpoint of any content: an error that can be printed, or something that can be written again.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use wengert_fuzz::{assert_harmless, file, frame, roundtrip, within_memory};
use wengert_optim::checkpoint::Checkpoint;

fuzz_target!(|bytes: &[u8]| {
    let path = file("a", bytes);
    within_memory(bytes.len(), || match Checkpoint::read(&path) {
        Ok(checkpoint) => roundtrip::comes_back(&checkpoint),
        Err(error) => assert_harmless(&error.to_string()),
    });
});

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    frame::mutate_checkpoint(data, size, max, seed, fuzzer_mutate)
});
