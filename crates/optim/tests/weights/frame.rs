//! The frame of safetensors, held against the crate of the format's authors, and what both formats keep.

use std::collections::HashMap;
use std::fs;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use wengert_autodiff::Tensor;
use wengert_optim::checkpoint::{Checkpoint, RawTensor, SavedOptimizer};

/// On names with everything that JSON has to escape, in several orders.
#[test]
fn the_frame_is_the_one_that_the_formats_own_crate_writes() {
    let directory = tempfile::tempdir().unwrap();
    let (peers, ours) = (directory.path().join("peers"), directory.path().join("ours"));
    let data: Vec<u8> = (0..48).collect();
    let view = |dtype, shape: &[usize]| {
        let size = match dtype {
            Dtype::F32 => 4,
            _ => 8,
        };
        TensorView::new(dtype, shape.to_vec(), &data[..shape.iter().product::<usize>() * size]).unwrap()
    };
    let tensors = [
        ("z", view(Dtype::F32, &[2, 3])),
        ("a \"\\\u{1b}\u{202e}", view(Dtype::F32, &[])),
        ("empty", view(Dtype::F32, &[0, 7])),
        ("count", view(Dtype::I64, &[])),
        ("b", view(Dtype::F64, &[1, 2, 1])),
        ("größe", view(Dtype::F64, &[3])),
    ];
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    for (tensors, metadata) in
        [(&tensors[..], Some(metadata.clone())), (&tensors[..4], None), (&[], Some(metadata))]
    {
        let bytes = safetensors::serialize(tensors.to_vec(), metadata).unwrap();
        fs::write(&peers, &bytes).unwrap();
        let read = Checkpoint::read(&peers).unwrap();
        assert_eq!(read.model.len(), tensors.len());
        for (name, view) in tensors {
            assert_eq!((read.model[*name].shape(), read.model[*name].bytes()), (view.shape(), view.data()));
        }
        read.write_safetensors(&ours).unwrap();
        assert!(fs::read(&ours).unwrap() == bytes);
    }
}

/// The header, the elements, and a part of the complaint.
#[test]
fn a_frame_that_is_ambiguous_is_refused() {
    let tensor = |name: &str, shape: &str, from: u32, to: u32| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let huge = "[4294967296,4294967296]";
    for (entries, length, complaint) in [
        (
            vec![tensor("a", "[1]", 0, 4), tensor("a", "[1]", 0, 4)],
            4,
            "expected every tensor once, found `a` twice",
        ),
        (vec![tensor("a", "[0]", 0, 0), tensor("a", "[0]", 0, 0)], 0, "every tensor once"),
        (
            vec![tensor("a", "[1]", 0, 4), tensor("b", "[1]", 0, 4)],
            4,
            "the bytes from 4 on as the elements of `b`",
        ),
        (vec![tensor("a", "[1]", 0, 4), tensor("b", "[1]", 8, 12)], 12, "the bytes from 4 on"),
        (vec![tensor("a", "[1]", 4, 8)], 8, "the bytes from 0 on"),
        (vec![tensor("a", "[1]", 4, 0)], 4, "the bytes from 0 on"),
        (vec![tensor("a", "[1]", 0, 4)], 8, "expected 4 bytes of elements, found 8"),
        (vec![tensor("a", "[1]", 0, 4)], 3, "the bytes from 0 on"),
        (vec![tensor("a", "[2]", 0, 4)], 4, "found bytes 0 to 4 of 4, as F32 [2]"),
        (vec![tensor("a", huge, 0, 0)], 0, "the bytes from 0 on"),
        (vec![tensor("a", "[-1]", 0, 4)], 4, "a header with an error"),
        (
            vec![r#""__metadata__":{}"#.into(), r#""__metadata__":{}"#.into()],
            0,
            "duplicate field `__metadata__`",
        ),
        (vec![r#""__metadata__":{"a":1}"#.into()], 0, "a header with an error"),
    ] {
        let header = format!("{{{}}}", entries.join(","));
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; length]].concat();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let error = Checkpoint::read(file.path()).unwrap_err().to_string();
        assert!(error.contains(complaint), "{header}: {error}");
    }
}

/// What one format cannot hold as the other does.
#[test]
fn both_formats_keep_all_that_a_file_says() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (directory.path().join("a.wgt"), directory.path().join("a.safetensors"));
    let tensor = RawTensor::from_tensor(&Tensor::from_elem(&[2][..], 1.5f32));
    let named = |names: &[&str]| names.iter().map(|&name| (name.to_owned(), tensor.clone())).collect();
    let note = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let optimizer = |state: &[&str]| {
        Some(SavedOptimizer { kind: "Sgd".into(), steps: 3, rules: Vec::new(), state: named(state) })
    };
    let empty = Checkpoint { model: named(&[]), optimizer: None, extra: "null".into(), metadata: [].into() };
    for file in [
        Checkpoint { model: named(&["a/b"]), optimizer: optimizer(&[]), ..empty.clone() },
        Checkpoint { model: named(&["a/b", "c"]), optimizer: optimizer(&["a/b/v", "c/v"]), ..empty.clone() },
        Checkpoint { model: named(&["a"]), optimizer: optimizer(&["b"]), ..empty.clone() },
        Checkpoint { model: named(&["a/b"]), extra: "[1, 2]".into(), ..empty.clone() },
        Checkpoint {
            model: named(&["a"]),
            metadata: [note("format", "pt"), note("by\n", "\u{1b}")].into(),
            ..empty.clone()
        },
        Checkpoint {
            optimizer: optimizer(&["a/v"]),
            metadata: [note("z", ""), note("a", "")].into(),
            ..empty.clone()
        },
    ] {
        file.write(&ours).unwrap();
        assert_eq!(Checkpoint::read(&ours).unwrap(), file);
        file.write_safetensors(&theirs).unwrap();
        assert_eq!(Checkpoint::read(&theirs).unwrap(), file);
        let bytes = fs::read(&theirs).unwrap();
        file.write_safetensors(&theirs).unwrap();
        assert!(fs::read(&theirs).unwrap() == bytes, "two writes, two files");
        SafeTensors::deserialize(&bytes).unwrap();
    }

    let refused = |file: Checkpoint| file.write_safetensors(&theirs).unwrap_err().to_string();
    let metadata = refused(Checkpoint { model: named(&["__metadata__"]), ..empty.clone() });
    assert!(metadata.ends_with("`__metadata__` cannot be the name of a tensor in this format"), "{metadata}");
    let state = refused(Checkpoint { optimizer: optimizer(&["__metadata__"]), ..empty.clone() });
    assert!(state.contains("`__metadata__` cannot"), "{state}");
    let both =
        refused(Checkpoint { model: named(&["a/v"]), optimizer: optimizer(&["a/v"]), ..empty.clone() });
    assert!(both.contains("`a/v` is both a tensor of the model and of the optimizer"), "{both}");
    // Whether or not there is something of ours to say under that key, it would be read as ours.
    let foreign = Checkpoint { metadata: [note("wengert", "0.1")].into(), ..empty };
    for foreign in [foreign.clone(), Checkpoint { optimizer: optimizer(&["a/v"]), ..foreign }] {
        let foreign = refused(foreign);
        assert!(foreign.ends_with("the metadata of another tool has a `wengert`"), "{foreign}");
    }
}
