//! What a step means where gradients and a model are not the same set: several models, clones, sums, frozen parts.

use wengert_autodiff::{Gradients, IntoTensor, Module, Param, Tape, Tensor, Var, module};
use wengert_layers::{BatchNorm, Dense, Layer};
use wengert_optim::{Optimizer, Sgd};

struct Net {
    hidden: Dense,
    norm: BatchNorm,
    out: Dense,
}

module!(Net { hidden, norm, out });

impl Net {
    fn new(scale: f32) -> Self {
        let matrix = |rows: usize, columns: usize| {
            Tensor::from_shape_fn(vec![rows, columns], |at| {
                scale * ((at[0] * columns + at[1]) as f32 * 0.7).sin()
            })
        };
        let linear = |rows, columns| Dense {
            weight: Param::new(matrix(rows, columns)),
            bias: Some(Param::new(Tensor::zeros(vec![rows]))),
        };
        Self { hidden: linear(3, 2), norm: BatchNorm::new(3), out: linear(2, 3) }
    }

    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        self.out.forward(self.norm.forward(self.hidden.forward(x)).relu())
    }
}

fn batch(seed: usize) -> Tensor {
    Tensor::from_shape_fn(vec![4, 2], |at| ((seed * 31 + at[0] * 2 + at[1]) as f32).cos())
}

fn loss(model: &Net, tape: &Tape, seed: usize) -> Gradients {
    model.forward(tape.constant(batch(seed))).square().mean().backward()
}

fn sgd() -> Optimizer<Sgd> {
    Optimizer::new(Sgd { lr: 0.5, ..Sgd::default() })
}

/// The generator's step of a GAN: its loss runs through the discriminator.
#[test]
fn two_models_share_a_backward() {
    let (mut a, mut b) = (Net::new(1.0), Net::new(0.5));
    let tape = Tape::new();
    let grads = b.forward(a.forward(tape.constant(batch(1)))).square().mean().backward();
    let before = [a.state_dict(), b.state_dict()];
    let (mut of_a, mut of_b) = (sgd(), sgd());
    of_a.step(&mut a, &grads);
    assert_eq!(b.state_dict(), before[1]);
    of_b.step(&mut b, &grads);
    for (model, before) in [(&a, &before[0]), (&b, &before[1])] {
        let changed = model.state_dict().iter().filter(|(name, value)| before[*name] != **value).count();
        assert_eq!(changed, before.len(), "every parameter and running statistic has moved");
    }
}

#[test]
fn a_part_of_the_gradients_has_its_observations() {
    let (mut a, b) = (Net::new(1.0), Net::new(0.5));
    let tape = Tape::new();
    let mut grads = b.forward(a.forward(tape.constant(batch(1)))).square().mean().backward();
    let whole = grads.clone();
    let part = grads.split_off(&b);
    assert_eq!(part.named(&b), whole.named(&b));
    assert!(part.buffer_update(&b.norm.running_mean).is_some() && !part.concern(&a));
    assert!(grads.named(&b).is_empty() && grads.buffer_update(&b.norm.running_mean).is_none());
    assert_eq!(grads.named(&a), whole.named(&a));
    let before = b.state_dict();
    sgd().step(&mut a, &grads);
    assert_eq!(b.state_dict(), before);
}

#[test]
#[should_panic(expected = "`step`: none of the 6 gradients belongs to this model")]
fn gradients_of_a_clone_are_refused() {
    let model = Net::new(1.0);
    let mut original = Net::new(1.0);
    let grads = loss(&model, &Tape::new(), 1);
    sgd().step(&mut original, &grads);
}

#[test]
#[should_panic(expected = "`step`: none of the 0 gradients belongs to this model")]
fn gradients_of_variables_alone_are_refused() {
    let mut model = Net::new(1.0);
    let tape = Tape::new();
    let weight = tape.variable(model.out.weight.value().clone());
    sgd().step(&mut model, &weight.sum().backward());
}

#[test]
fn an_empty_step_leaves_everything_alone() {
    let mut model = Net::new(1.0);
    let before = model.state_dict();
    sgd().step(&mut model, &Gradients::default());
    assert_eq!(model.state_dict(), before);
}

#[test]
#[should_panic(expected = "this loss has no gradient")]
fn a_loss_without_gradients_is_refused() {
    let model = Net::new(1.0);
    let tape = Tape::new();
    let _ = model.forward(tape.constant(batch(1))).detach().square().mean().backward();
}

#[test]
#[should_panic(expected = "a second backward() on one recording")]
fn a_second_backward_says_what_to_do() {
    let tape = Tape::new();
    let x = tape.variable(2.0);
    let (a, b) = (x.square(), x * 3.0);
    let _ = (a.backward(), b.backward());
}

/// Four batches, added up, against one loss over all; and the running statistics of four batches, as PyTorch's after
/// four forward passes: `r ← 0.9 r + 0.1 s` each time.
#[test]
fn a_sum_of_gradients_is_the_gradient_of_the_sum() {
    let mut model = Net::new(1.0);
    let mut total = Gradients::default();
    let start = model.norm.running_mean.value().clone();
    let mut expected_mean = start.clone();
    for seed in 0..4 {
        let tape = Tape::inference();
        let h = model.hidden.forward(tape.constant(batch(seed))).mean_axes(&[0], false).value();
        expected_mean = (expected_mean * 0.9 + h * 0.1).into_shared();
        let grads = loss(&model, &Tape::new(), seed);
        grads.apply_buffer_updates(&mut model);
        total += grads;
    }
    let tape = Tape::new();
    let losses = (0..4).map(|seed| model.forward(tape.constant(batch(seed))).square().mean());
    let whole = losses.reduce(|a, b| a + b).unwrap().backward();
    for ((name, sum), expected) in total.named(&model).iter().zip(whole.named(&model).values()) {
        let error = (*sum - *expected).mapv(f32::abs).fold(0.0, |a: f32, &b| a.max(b));
        assert!(error < 1e-6, "{name}: {error}");
    }
    sgd().step(&mut model, &total);
    let error = (model.norm.running_mean.value() - &expected_mean).mapv(f32::abs).sum();
    assert!(error < 1e-6, "{} and {expected_mean}", model.norm.running_mean.value());
    assert_eq!(model.norm.num_batches_tracked.value().sum(), 4.0);
}

#[test]
fn a_frozen_part_is_not_computed_does_not_move_and_shows() {
    let mut model = Net::new(1.0);
    assert_eq!(model.freeze("norm.*") + model.freeze("hidden.*"), 7);
    let before = model.state_dict();
    let tape = Tape::new();
    let grads = loss(&model, &tape, 1);
    assert_eq!(grads.named(&model).into_keys().collect::<Vec<_>>(), ["out.bias", "out.weight"]);
    let mut opt = sgd();
    // Also a gradient that comes from elsewhere does not move it.
    let mut grads = grads;
    grads.set(model.hidden.bias.as_ref().unwrap(), [1.0, 1.0, 1.0].into_tensor());
    opt.step(&mut model, &grads);
    for (name, value) in model.state_dict() {
        assert_eq!(value != before[&name], name.starts_with("out."), "{name}");
    }
    assert!(opt.state("hidden.bias").is_none());
    let table = opt.table(&model).to_string();
    let frozen: Vec<_> = table.lines().filter(|line| line.ends_with("frozen")).collect();
    assert_eq!(frozen.len(), 4, "{table}");
    assert_eq!(model.parameter_count(), 2 * 3 + 2);
    model.unfreeze("*");
    assert_eq!(loss(&model, &Tape::new(), 1).len(), 6);
}

/// As in evaluation: by the running statistics, whatever the batch.
#[test]
fn frozen_batch_norm_normalizes_by_its_running_statistics() {
    let mut norm = BatchNorm::<f32>::new(2);
    norm.freeze("*");
    let x = batch(3);
    let (training, inference) = (Tape::new(), Tape::inference());
    assert_eq!(
        norm.forward(training.constant(x.clone())).value(),
        norm.forward(inference.constant(x)).value()
    );
}

#[test]
#[should_panic(expected = "`freeze`: `encoder.*` matches none of")]
fn a_pattern_that_matches_nothing_is_refused() {
    Net::new(1.0).freeze("encoder.*");
}

#[test]
fn the_gradient_of_an_intermediate_is_kept_on_request() {
    let tape = Tape::new();
    let x = tape.variable([1.0, 2.0]);
    let h = x.square().retain_grad();
    let grads = (h * h).sum().backward();
    assert_eq!(grads.wrt(h), Some(&[2.0, 8.0].into_tensor()));
    assert_eq!(grads.wrt(x), Some(&[4.0, 32.0].into_tensor()));
}

#[test]
#[should_panic(expected = "the gradient of the result of `square` was not kept: call `retain_grad`")]
fn the_gradient_of_an_intermediate_is_not_kept_unasked() {
    let tape = Tape::new();
    let h = tape.variable([1.0, 2.0]).square();
    let _ = h.sum().backward().wrt(h);
}

/// Two tapes may record one model at a time.
#[test]
fn two_forward_passes_have_a_backward_each() {
    let model = Net::new(1.0);
    let (one, two) = (Tape::new(), Tape::new());
    let a = model.forward(one.constant(batch(1))).square().mean();
    let b = model.forward(two.constant(batch(2))).square().mean();
    let (a, b) = (a.backward(), b.backward());
    assert_eq!(a.named(&model), loss(&model, &Tape::new(), 1).named(&model));
    assert_eq!(b.named(&model), loss(&model, &Tape::new(), 2).named(&model));
}
