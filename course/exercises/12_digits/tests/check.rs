//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{Net, accuracy, train};
use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert::data::{ImageDataset, synthetic};
use wengert::prelude::{IntoTensor, Module, Tape, Tensor};

fn images(count: usize) -> (ImageDataset, ImageDataset) {
    synthetic::digits(count + 600, 0).split_at(count)
}

fn net() -> Net {
    Net::new(&mut StdRng::seed_from_u64(0))
}

#[test]
fn forward_is_two_layers() {
    let net = net();
    let x: Tensor = Tensor::from_shape_fn(vec![2, 784], |at| (at[0] + at[1]) as f32 / 784.0 - 0.5);
    let tape = Tape::inference();
    let y = net.forward(tape.constant(x.clone())).value();
    let layer = |x: &Tensor, dense: &wengert::layers::Dense| {
        let x = x.clone().into_dimensionality::<wengert::ndarray::Ix2>().unwrap();
        let weight = dense.weight.value().clone().into_dimensionality::<wengert::ndarray::Ix2>().unwrap();
        (x.dot(&weight.t()) + dense.bias.as_ref().unwrap().value()).into_tensor()
    };
    let hidden: Tensor = layer(&x, &net.hidden).mapv(|x: f32| x.max(0.0)).into_shared();
    let expected: Tensor = layer(&hidden, &net.out);
    assert_eq!(y.shape(), [2, 10], "ten logits for each image");
    let off = (&y - &expected).iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    assert!(off < 1e-4, "the logits are {off} off: hidden, ReLU, out, and no softmax, which the loss has");
}

#[test]
fn accuracy_counts() {
    // Without weights the logits are the bias of the last layer: every image is read as a 3.
    let mut net = net();
    net.out.weight.value_mut().fill(0.0);
    net.out.bias.as_mut().unwrap().value_mut().fill(0.0);
    net.out.bias.as_mut().unwrap().value_mut()[[3]] = 1.0;
    let (_, test) = images(100);
    let threes = test.batches(500).flat_map(|batch| batch.labels).filter(|&label| label == 3).count();
    let (found, expected) = (accuracy(&net, &test), threes as f64 / 600.0);
    assert!(
        (found - expected).abs() < 1e-9,
        "where all is read as 3, accuracy is {found}, expected {expected}"
    );
}

#[test]
fn one_epoch_changes_every_tensor() {
    let (mut net, before) = (net(), net().state_dict());
    let (images, _) = images(300);
    let losses = train(&mut net, &images, 1, &mut StdRng::seed_from_u64(1));
    assert_eq!(losses.len(), 1, "one loss for each epoch");
    assert!(
        losses[0] > 0.1 && losses[0] < 20.0,
        "the mean loss of the first epoch is {}, expected a few",
        losses[0]
    );
    for (name, tensor) in net.state_dict() {
        assert_ne!(tensor, before[&name], "{name} has not moved: does the step see this model's gradients?");
    }
}

#[test]
fn batches_are_shuffled() {
    let (images, _) = images(300);
    let trained = |seed| {
        let mut net = net();
        train(&mut net, &images, 1, &mut StdRng::seed_from_u64(seed));
        net.state_dict()
    };
    assert_eq!(trained(1), trained(1), "the same seed gives the same bits");
    assert_ne!(
        trained(1),
        trained(2),
        "another seed shuffles otherwise; without a shuffle the order of the data is learnt"
    );
}

#[test]
fn it_learns() {
    let (mut net, (training, test)) = (net(), images(3000));
    let losses = train(&mut net, &training, 4, &mut StdRng::seed_from_u64(1));
    assert_eq!(losses.len(), 4, "one loss for each epoch");
    assert!(losses[3] < losses[0], "the loss of the epochs is {losses:?}: it should fall");
    let score = accuracy(&net, &test);
    assert!(
        score > 0.8,
        "reads {:.1} % of the test images, expected more than 80 %; losses {losses:?}",
        100.0 * score
    );
}
