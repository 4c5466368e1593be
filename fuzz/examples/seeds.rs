//! Makes the corpora of seeds anew: `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn, arr1, arr2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_data::{idx, npy};
use wengert_fuzz::frame::gzipped;
use wengert_fuzz::run::{Model, trained};
use wengert_lab::Recorder;
use wengert_layers::{Activation, BatchNorm, Dense, Dropout, LayerNorm};
use wengert_optim::checkpoint::{self, Checkpoint, RawTensor};
use wengert_optim::{
    EarlyStopping, Interpolation, ReduceOnPlateau, Rule, Schedule, Sgd, WeightEma, for_every_rule,
};

fn main() {
    for_every_rule!(run);
    weights();
    training();
    numbers();
    sets();
    recording();
    let epoch = |number: u32, loss: f64, share: f64| {
        let train = format!(r#""train_loss":{loss},"train_accuracy":{share}"#);
        format!(r#"{{"epoch":{number},{train},"test_loss":{loss},"test_accuracy":{share}}}"#)
    };
    let two = format!("[{},{}]", epoch(1, 2.3, 0.1), epoch(2, 0.0, 1.0));
    texts("history", &["[]", &two, r#"{"loss":1.5,"correct":2,"count":3}"#]);
    let pattern = ["*.bias\n0.bias", "[!a-c]?[]x]*\ndé]", "**a*b\nxaxxab", "layer[0-24]\nlayer4", "[\n["];
    texts("pattern", &pattern);
    let names = "step-000000000001-loss-3.1e-2.wgt\nstep-7.wgt\nstep-000000000000-loss-inf.wgt\nnotes.txt";
    let quoted = "\u{feff}id;\"a,b\"\r\n1,\"say \"\"no\"\"\"\r\n,NA\r\n";
    texts("table", &["a,b,c\n1,x,2.5\n-3e2,y,NA\n0.1,x,\n", quoted, "n\n1\n\n2\nEND\n"]);
    arrays();
    texts("directory", &[names, "step-1-loss-NaN.wgt\nstep--1.wgt\n.wengert-x.tmp\nstep-2-loss--1.wgt"]);
}

fn seed(target: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

fn put(target: &str, name: &str, bytes: &[u8]) {
    fs::write(seed(target, name), bytes).expect("a file");
}

fn texts(target: &str, all: &[&str]) {
    all.iter().enumerate().for_each(|(i, text)| put(target, &i.to_string(), text.as_bytes()));
}

fn json<T: Serialize>(name: &str, value: &T) {
    put("extra", name, &serde_json::to_vec(value).expect("JSON"));
}

/// The files of a run; of two rules, as safetensors too.
fn run<R: Rule + Default + Serialize + DeserializeOwned>() {
    let (model, opt) = trained::<R>();
    let path = seed("checkpoint", &format!("{}.wgt", R::NAME));
    checkpoint::save(&path, &model, &opt, &vec![(1, 0.5)]).expect("a checkpoint");
    if ["RmsProp", "Sgd"].contains(&R::NAME) {
        let file = Checkpoint::read(&path).expect("what was saved");
        file.write_safetensors(path.with_extension("safetensors")).expect("safetensors");
    }
    json(R::NAME, &R::default());
}

/// Weights from elsewhere: wrapped, in half precision, with metadata, and a tensor without elements.
fn weights() {
    let mut file = Checkpoint::from_model(&Model::default());
    let half = |shape: &[usize], elements: usize| {
        let end = 2 * elements;
        let info = format!(r#"{{"dtype":"F16","shape":{shape:?},"data_offsets":[0,{end}]}}"#);
        let header = format!(r#"{{"__metadata__":{{"format":"pt"}},"module.weight":{info}}}"#);
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.extend([0, 0x3c].repeat(elements));
        bytes
    };
    put("checkpoint", "half.safetensors", &half(&[2, 2], 4));
    put("checkpoint", "empty.safetensors", &half(&[0, 3], 0));
    file.metadata.insert("format".to_owned(), "pt".to_owned());
    file.model.insert(
        "a/b\u{202e}".to_owned(),
        RawTensor::from_tensor(&arr1(&[f64::NAN]).into_dyn().into_shared()),
    );
    file.write(seed("checkpoint", "metadata.wgt")).expect("a checkpoint");
    file.metadata.insert("wengert".to_owned(), "null".to_owned());
    file.write(seed("checkpoint", "key.wgt")).expect("a checkpoint");
    file.metadata.remove("wengert");
    file.write_safetensors(seed("checkpoint", "metadata.safetensors")).expect("safetensors");
}

fn training() {
    let cosine = Schedule::cosine(0.1, 0.0, 50);
    json("schedule", &Schedule::linear(0.0, 0.1, 5).then(5, cosine));
    json("cycle", &Schedule::one_cycle(0.1, 1.0, 0.0, 9, 0.3, Interpolation::Cosine));
    json("plateau", &ReduceOnPlateau::default());
    json("stopping", &EarlyStopping { best: Some(0.5), waited: 3, ..EarlyStopping::default() });
    let mut ema = WeightEma::<f32>::with_bias_correction(0.9);
    ema.update(&Model::default());
    json("ema", &ema);
    json("activation", &Activation::Relu);
    json("batch-norm", &BatchNorm::<f32>::new(2));
    json("layer-norm", &LayerNorm::<f32>::new(2));
    json("dropout", &Dropout::new(0.5));
    json("dense", &Dense::<f32> { weight: Model::default().weight, bias: None });
}

fn numbers() {
    let folder = tempfile::tempdir().expect("a directory");
    let add = |name: &str, bytes: Vec<u8>| {
        put("idx", &format!("{name}.gz"), &gzipped(&bytes));
        put("idx", name, &bytes);
    };
    let path = folder.path().join("a");
    macro_rules! of_type {
        ($($number:ty)*) => { $(
            let numbers = arr2(&[[0 as $number, 1 as $number, 2 as $number]]).into_dyn();
            idx::write(&path, numbers.view()).expect("a file");
            add(stringify!($number), fs::read(&path).expect("a file"));
        )* };
    }
    of_type!(u8 i8 i16 i32 f32 f64);
    let two = [gzipped(&[0, 0, 8, 1, 0, 0, 0, 4, 1, 2]), gzipped(&[3, 4]), vec![0; 9]].concat();
    put("idx", "members.gz", &two);
    put("idx", "none", &[0, 0, 8, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
}

/// As NumPy writes them: of three types, in both orders of memory.
fn arrays() {
    let counted = ArrayD::from_shape_fn(IxDyn(&[2, 3]), |at| (3 * at[0] + at[1]) as u8);
    npy::write(seed("npy", "u8"), counted.view()).expect("a file");
    npy::write(seed("npy", "f32"), counted.mapv(f32::from).t()).expect("a file");
    npy::write(seed("npy", "i64"), counted.mapv(i64::from).view()).expect("a file");
    let array = fs::read(seed("npy", "f32")).expect("a file");
    put("npy", "archive.npz", &archive("a.npy", &array));
}

/// A zip file of one file, not compressed.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let size = content.len() as u32;
    let mut about = [10_u16, 0, 0, 0, 0x21].map(u16::to_le_bytes).concat();
    about.extend([crc32fast::hash(content), size, size].map(u32::to_le_bytes).concat());
    about.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
    let local = [b"PK\x03\x04", &about[..], name.as_bytes(), content].concat();
    let central = [b"PK\x01\x02\x0a\0", &about[..], &[0; 14], name.as_bytes()].concat();
    let counts = [0_u16, 0, 1, 1].map(u16::to_le_bytes).concat();
    let places = [central.len() as u32, local.len() as u32].map(u32::to_le_bytes).concat();
    [local, central, b"PK\x05\x06".to_vec(), counts, places, vec![0; 2]].concat()
}

/// Two images of 2 × 2 with their labels, for each of the sets.
fn sets() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("a");
    let file = |shape: &[usize], elements: Vec<u8>| {
        idx::write(&path, ArrayD::from_shape_vec(IxDyn(shape), elements).expect("as many").view())
            .expect("a file");
        fs::read(&path).expect("a file")
    };
    let images = file(&[2, 2, 2], (1..9).collect());
    let labels = [
        file(&[2], vec![1, 2]),
        [&[0, 0, 12, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0, 0, 0, 1].repeat(4)].concat(),
    ];
    for (set, labels) in [(0, &labels[0]), (1, &labels[1]), (2, &labels[0])] {
        let length = (images.len() as u16).to_le_bytes();
        put("mnist", &set.to_string(), &[&[set], &length[..], &images, labels].concat());
        put("mnist", &format!("{set}-gz"), &{
            let images = gzipped(&images);
            let length = (images.len() as u16).to_le_bytes();
            [&[set], &length[..], &images, &gzipped(labels)].concat()
        });
    }
}

fn recording() {
    let (model, _) = trained::<Sgd>();
    let mut recorder = Recorder::new(Vec::new(), &model).expect("a vector");
    for _ in 0..2 {
        recorder.step(&model, &model.gradients()).expect("a vector");
    }
    let bytes = recorder.finish().expect("a vector");
    put("recording", "run", &bytes);
    let text = String::from_utf8(bytes).expect("text");
    put("recording", "failed", text.replace("0.0", "\"NaN\"").replace("0.5", "\"-inf\"").as_bytes());
}
