//! A network that PyTorch trained, for other data: its body is kept, its head is new.
//!
//! `lenet_mnist_f16.safetensors` is LeNet-5, trained by PyTorch on handwritten MNIST and stored in half precision
//! (`benches/peers/lenet_torch.py` made it). The generated digits of this lesson look different, and only 100 of them
//! have labels. First the new head alone learns, beside a frozen body; then the body follows at a twentieth of the
//! rate. The fine-tuned network should read at least 10 points more of 2,000 others than one that starts from nothing
//! with the same 100, and PyTorch gets it back by name.

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::metrics::Accuracy;
use wengert::data::{ImageDataset, synthetic};
use wengert::layers::{Conv2d, Flatten, MaxPool2d};
use wengert::optim::checkpoint::{self, Weights};
use wengert::prelude::*;

/// PyTorch's `nn.Sequential` counts activations too, so that the layers have the same numbers here.
fn lenet(rng: &mut StdRng) -> Sequential {
    Sequential::new()
        .with(Conv2d::new(1, 6, [5, 5], rng))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Conv2d::new(6, 16, [5, 5], rng))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Flatten)
        .with(Dense::new(256, 120, rng))
        .with(Activation::Relu)
        .with(Dense::new(120, 84, rng))
        .with(Activation::Relu)
        .with(Dense::new(84, 10, rng))
}

const HEAD: &str = "11.*";

fn forward<'t>(net: &Sequential, x: Var<'t>) -> Var<'t> {
    net.forward(x.reshape(&[x.shape()[0], 1, 28, 28]))
}

fn train(
    net: &mut Sequential,
    opt: &mut Optimizer<Adam>,
    data: &ImageDataset,
    epochs: usize,
    rng: &mut StdRng,
) {
    let mut tape = Tape::new();
    for _ in 0..epochs {
        for batch in data.batches(20).shuffle(rng) {
            tape.reset();
            let grads = forward(net, tape.constant(batch.x)).cross_entropy(&batch.labels).backward();
            opt.step(net, &grads);
        }
    }
}

fn accuracy(net: &Sequential, data: &ImageDataset) -> f64 {
    let mut tape = Tape::inference();
    let mut accuracy = Accuracy::new();
    for batch in data.batches(500) {
        tape.reset();
        accuracy.update(&forward(net, tape.constant(batch.x)).value(), &batch.labels);
    }
    accuracy.value()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rng = &mut StdRng::seed_from_u64(0);
    let (few, test) = synthetic::digits(2_100, 0).split_at(100);
    let adam = |lr| Adam { lr, ..Adam::default() };

    let mut from_nothing = lenet(rng);
    train(&mut from_nothing, &mut Optimizer::new(adam(1e-3)), &few, 60, rng);
    let from_nothing = accuracy(&from_nothing, &test);
    println!("from nothing: {:.1} % of the test digits are read", 100.0 * from_nothing);

    let mut net = lenet(rng);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/lenet_mnist_f16.safetensors");
    let report = Weights::new().load(file, &mut net)?;
    println!("{report}; as PyTorch left it: {:.1} %", 100.0 * accuracy(&net, &test));
    *net.get_mut::<Dense>(11).expect("the head") = Dense::new(84, 10, rng);

    net.freeze("*");
    net.unfreeze(HEAD);
    let mut opt = Optimizer::new(adam(1e-4)).with_group(HEAD, adam(2e-3));
    println!("\n{}", opt.table(&net));
    train(&mut net, &mut opt, &few, 30, rng);
    println!("the head alone: {:.1} %", 100.0 * accuracy(&net, &test));
    net.unfreeze("*");
    train(&mut net, &mut opt, &few, 30, rng);
    let fine_tuned = accuracy(&net, &test);
    println!("the body, too: {:.1} %", 100.0 * fine_tuned);
    assert!(fine_tuned > from_nothing + 0.1, "{fine_tuned} against {from_nothing}");

    let file = std::env::temp_dir().join(format!("wengert-fine-tuned-{}.safetensors", std::process::id()));
    checkpoint::save_weights(&file, &net)?;
    let mut again = lenet(rng);
    checkpoint::load_weights(&file, &mut again)?;
    std::fs::remove_file(&file)?;
    assert_eq!(again.state_dict(), net.state_dict());
    Ok(())
}
