//! Safetensors: what we read, the crate of that name reads too, and to the same tensors.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use safetensors::SafeTensors;
use wengert_fuzz::{assert_harmless, file, frame, roundtrip, within_memory};
use wengert_optim::checkpoint::Checkpoint;

fuzz_target!(|bytes: &[u8]| {
    // The seeds are those of the other target, too: a checkpoint is not what is compared here.
    if bytes.starts_with(b"\x89WGT") {
        return;
    }
    let path = file("a", bytes);
    let theirs = SafeTensors::deserialize(bytes);
    within_memory(bytes.len(), || match Checkpoint::read(&path) {
        Ok(ours) => {
            compare(&ours, &theirs.expect("the crate reads it too"));
            roundtrip::comes_back(&ours);
        }
        Err(error) => assert_harmless(&error.to_string()),
    });
});

fn compare(ours: &Checkpoint, theirs: &SafeTensors<'_>) {
    let state = ours.optimizer.iter().flat_map(|optimizer| &optimizer.state);
    let ours: BTreeMap<_, _> = ours.model.iter().chain(state).collect();
    assert_eq!(ours.len(), theirs.len());
    for (name, ours) in ours {
        let theirs = theirs.tensor(name).expect("the same names");
        assert_eq!((ours.shape(), ours.bytes()), (theirs.shape(), theirs.data()), "{name}");
        assert_eq!(format!("{:?}", ours.dtype()), format!("{:?}", theirs.dtype()), "{name}");
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    frame::mutate_checkpoint(data, size, max, seed, fuzzer_mutate)
});
