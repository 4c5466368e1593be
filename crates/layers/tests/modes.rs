//! Training and evaluation: the tape decides.

use ndarray::IxDyn;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::{IntoTensor, Module, Tape, Tensor};
use wengert_layers::{BatchNorm, Dense, Dropout, Embedding, GroupNorm, Layer, Sequential};

fn batch(seed: u64) -> Tensor<f64> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Tensor::from_shape_simple_fn(IxDyn(&[8, 2]), || 3.0 + rng.random::<f64>())
}

fn evaluate(layer: &impl Layer<f64>, x: &Tensor<f64>) -> Tensor<f64> {
    layer.forward(Tape::inference().constant(x.clone())).value()
}

fn train(layer: &mut impl Layer<f64>, x: &Tensor<f64>) {
    let tape = Tape::new();
    let grads = layer.forward(tape.constant(x.clone())).sum().backward();
    grads.apply_buffer_updates(layer);
}

fn assert_close(found: &Tensor<f64>, expected: &Tensor<f64>) {
    let apart = (found - expected).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(apart < 1e-12, "{found}\nis not\n{expected}");
}

#[test]
fn batch_norm_evaluates_with_what_training_saw() {
    let x = batch(0);
    let mut norm = BatchNorm::new(2);
    let untrained = evaluate(&norm, &x);
    assert_close(&untrained, &x.mapv(|x| x / (1.0_f64 + 1e-5).sqrt()).into_shared());
    for step in 0..200 {
        train(&mut norm, &batch(step % 3));
    }
    let trained = evaluate(&norm, &x);
    let mean = trained.mean().unwrap();
    assert!(mean.abs() < 0.5, "the mean of about 3.5 is taken off, {mean} is left");
    // One row at a time gives the same: evaluation does not look at the batch.
    let row = x.slice_axis(ndarray::Axis(0), (0..1).into()).to_owned().into_shared();
    let alone = evaluate(&norm, &row);
    assert_close(&alone, &trained.slice_axis(ndarray::Axis(0), (0..1).into()).to_owned().into_shared());
}

#[test]
fn evaluation_changes_no_buffer() {
    let norm = BatchNorm::new(2);
    let before = norm.state_dict();
    let tape = Tape::inference();
    _ = norm.forward(tape.constant(batch(0)));
    assert_eq!(tape.buffer(&norm.running_mean), before["running_mean"]);
    assert_eq!(tape.buffer(&norm.num_batches_tracked), before["num_batches_tracked"]);
}

#[test]
fn two_uses_in_one_step_are_two_updates() {
    let (mut twice, mut one_by_one) = (BatchNorm::new(2), BatchNorm::new(2));
    let tape = Tape::new();
    let first = twice.forward(tape.constant(batch(0)));
    let second = twice.forward(tape.constant(batch(1)));
    let grads = (first + second).sum().backward();
    grads.apply_buffer_updates(&mut twice);
    train(&mut one_by_one, &batch(0));
    train(&mut one_by_one, &batch(1));
    assert_eq!(twice.state_dict(), one_by_one.state_dict());
    assert_eq!(twice.num_batches_tracked.value().sum(), 2.0);
}

#[test]
fn without_momentum_the_running_statistics_are_averages() {
    let mut norm = BatchNorm { momentum: None, ..BatchNorm::new(1) };
    for x in [[0.0, 2.0], [4.0, 8.0]] {
        train(&mut norm, &[[x[0]], [x[1]]].into_tensor());
    }
    // Means 1 and 6, unbiased variances 2 and 8.
    assert_close(norm.running_mean.value(), &[3.5].into_tensor());
    assert_close(norm.running_var.value(), &[5.0].into_tensor());
}

#[test]
#[should_panic(
    expected = "`BatchNorm` needs more than one value per channel while training, but the input has \
                           shape [1, 2]"
)]
fn one_value_has_no_variance() {
    let tape = Tape::new();
    _ = BatchNorm::new(2).forward(tape.constant([[1.0, 2.0]]));
}

#[test]
fn one_value_can_be_evaluated() {
    let x = [[1.0, 2.0]].into_tensor();
    assert_eq!(evaluate(&BatchNorm::new(2), &x).shape(), [1, 2]);
}

#[test]
#[should_panic(expected = "`BatchNorm` of 3 channels needs an input [n, 3, …], this one has shape [8, 2]")]
fn batch_norm_names_both_shapes() {
    evaluate(&BatchNorm::new(3), &batch(0));
}

#[test]
#[should_panic(expected = "`GroupNorm`: 4 channels cannot be divided into 3 groups of equal size")]
fn groups_must_divide_the_channels() {
    let _: GroupNorm = GroupNorm::new(3, 4);
}

#[test]
#[should_panic(expected = "`GroupNorm`: 4 channels cannot be divided into 0 groups of equal size")]
fn groups_changed_later_are_checked_too() {
    let norm = GroupNorm { groups: 0, ..GroupNorm::new(2, 4) };
    _ = norm.forward(Tape::<f64>::new().constant(Tensor::ones(IxDyn(&[3, 4]))));
}

#[test]
#[should_panic(expected = "`BatchNorm` needs at least one channel")]
fn no_channel_cannot_be_normalized() {
    let _: BatchNorm = BatchNorm::new(0);
}

#[test]
#[should_panic(expected = "`linear`: input [2, 2, 4] and weight [2, 3] do not fit")]
fn dense_names_the_input_as_it_was() {
    let dense = Dense::<f32>::new(3, 2, &mut StdRng::seed_from_u64(0));
    _ = dense.forward(Tape::new().constant(Tensor::ones(IxDyn(&[2, 2, 4]))));
}

#[test]
#[should_panic(expected = "`linear`: input [] and weight [2, 3] do not fit")]
fn dense_needs_an_axis() {
    let dense = Dense::<f32>::new(3, 2, &mut StdRng::seed_from_u64(0));
    _ = dense.forward(Tape::new().constant(Tensor::ones(IxDyn(&[]))));
}

#[test]
#[should_panic(expected = "`index_select`: index 3 is out of range: there are 3 rows")]
fn an_unknown_token_is_an_error() {
    let embedding = Embedding::<f32>::new(3, 2, &mut StdRng::seed_from_u64(0));
    _ = embedding.forward(&Tape::new(), &[0, 3]);
}

/// The share of zeros has the standard deviation √(p (1 - p) / n), the mean of the outputs √(p / ((1 - p) n)): the
/// bounds are five of each.
#[test]
fn dropout_keeps_the_expectation() {
    let n = 100_000;
    for p in [0.1, 0.5, 0.8] {
        let tape = Tape::with_seed(3);
        let y = Dropout::new(p).forward(tape.constant(Tensor::<f64>::ones(IxDyn(&[n])))).value();
        // The probability is a multiple of 2⁻¹⁶.
        let kept = 1.0 / (1.0 - (p * 65536.0_f64).round() / 65536.0);
        assert!(y.iter().all(|&y| y == 0.0 || (y - kept).abs() < 1e-15));
        let zeros = y.iter().filter(|&&y| y == 0.0).count() as f64 / n as f64;
        assert!((zeros - p).abs() < 5.0 * (p * (1.0 - p) / n as f64).sqrt(), "p = {p}: {zeros} zeros");
        let mean = y.mean().unwrap();
        assert!((mean - 1.0).abs() < 5.0 * (p / (1.0 - p) / n as f64).sqrt(), "p = {p}: the mean is {mean}");
    }
}

/// With 16 bits one value in 65536 passes, not one in 50000: divided by 1/50000, the expectation would be 0.76.
#[test]
fn dropout_divides_by_the_share_that_it_draws() {
    let tape = Tape::with_seed(3);
    let ones = Tensor::<f64>::ones(IxDyn(&[1 << 20]));
    let y = Dropout::new(0.99998).forward(tape.constant(ones)).value();
    let passed: Vec<_> = y.iter().filter(|&&y| y != 0.0).collect();
    // 16 are expected, with a standard deviation of 4.
    assert!((1..40).contains(&passed.len()), "{} passed", passed.len());
    assert!(passed.iter().all(|&&y| y == 65536.0));
}

#[test]
fn dropout_draws_anew_and_repeats_for_a_seed() {
    let model = Sequential::new().with(Dropout::new(0.5)).with(Dropout::new(0.5));
    let x = Tensor::<f64>::ones(IxDyn(&[1000]));
    let mut tape = Tape::with_seed(1);
    let first = model.forward(tape.constant(x.clone())).value();
    // Independent masks let a quarter through, five standard deviations are 68; equal masks would let half through.
    let kept = first.iter().filter(|&&y| y == 4.0).count();
    assert!((182..318).contains(&kept), "{kept} of 1000 passed both masks");
    tape.reset();
    assert_ne!(model.forward(tape.constant(x.clone())).value(), first, "the next step");
    let tape = Tape::with_seed(1);
    assert_eq!(model.forward(tape.constant(x)).value(), first, "the same seed");
}

#[test]
fn dropout_at_its_edges() {
    let x = batch(0);
    let through = |p: f64, tape: &Tape<f64>| {
        let v = tape.variable(x.clone());
        let y = Dropout::new(p).forward(v);
        (y.value(), y.sum().backward().wrt(v).unwrap().clone())
    };
    // No random numbers are needed where nothing is drawn.
    assert_eq!(through(0.0, &Tape::new()), (x.clone(), Tensor::ones(x.raw_dim())));
    let zeros = Tensor::zeros(x.raw_dim());
    assert_eq!(through(1.0, &Tape::with_seed(0)), (zeros.clone(), zeros));
    assert_eq!(evaluate(&Dropout::new(0.5), &x), x);
}

#[test]
#[should_panic(expected = "Tape::with_seed(seed)")]
fn dropout_needs_random_numbers() {
    let tape = Tape::new();
    _ = Dropout::new(0.5).forward(tape.constant(batch(0)));
}

#[test]
#[should_panic(expected = "`Dropout` needs a probability between 0 and 1, not NaN")]
fn dropout_needs_a_probability() {
    Dropout::new(f64::NAN);
}
