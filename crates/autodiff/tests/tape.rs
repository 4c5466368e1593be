//! What the tape promises: order without recursion, no hidden edges, one backward per recording, no growth.

mod panics;

use std::cell::RefCell;
use std::sync::Arc;

use ndarray::{arr0, arr1};
use panics::assert_panics;
use wengert_autodiff::{Gradients, Param, Tape, Tensor, Var};

fn vector(values: &[f32]) -> Tensor {
    arr1(values).into_dyn().into_shared()
}

fn scalar(value: f32) -> Tensor {
    arr0(value).into_dyn().into_shared()
}

#[test]
fn a_chain_of_200_000_ops_needs_no_deep_stack() {
    let mut tape = Tape::new();
    {
        let x = tape.variable(scalar(2.0));
        let y = (0..100_000).fold(x, |y, _| -(-y));
        let grads = y.backward();
        assert_eq!(tape.stats().nodes, 200_001);
        assert_eq!(grads.wrt(x), Some(&scalar(1.0)));
    }
    let x = {
        tape.reset();
        tape.variable(scalar(2.0))
    };
    // Dropping a recording that never ran backward must not recurse either.
    _ = (0..200_000).fold(x, |y, _| -y);
    drop(tape);
}

/// An op whose pullback holds on to `token`, so that the test sees how long it lives.
fn holding<'t>(x: Var<'t>, token: &Arc<()>) -> Var<'t> {
    let token = Arc::clone(token);
    let dx = x.edge(move |dy| {
        let _held = &token;
        dy
    });
    x.tape().record("holding", x.value(), [dx])
}

#[test]
fn a_constant_has_no_pullback() {
    let token = Arc::new(());
    let tape = Tape::new();
    let y = holding(tape.constant(scalar(1.0)), &token);
    assert_eq!(Arc::strong_count(&token), 1, "what the pullback captured was not dropped");
    assert!(!y.needs_grad());
    let z = y * tape.variable(scalar(3.0));
    assert_eq!(tape.stats().edges, 1, "only the edge to the variable carries a gradient");
    assert_eq!(z.backward().wrt(y), None);
}

#[test]
fn backward_frees_what_it_passes_and_what_it_skips() {
    let (used, unused) = (Arc::new(()), Arc::new(()));
    let tape = Tape::new();
    let x = tape.variable(scalar(1.0));
    let loss = holding(x, &used);
    _ = holding(loss, &unused);
    assert_eq!((Arc::strong_count(&used), Arc::strong_count(&unused)), (2, 2));
    _ = loss.backward();
    assert_eq!((Arc::strong_count(&used), Arc::strong_count(&unused)), (1, 1));
    assert_eq!(tape.stats().edges, 0);
}

#[test]
fn an_inference_tape_records_nothing() {
    let token = Arc::new(());
    let weight = Param::from(arr1(&[2.0, 3.0]));
    let tape = Tape::inference();
    let y = holding(tape.param(&weight) * tape.variable(vector(&[1.0, 1.0])), &token).sum();
    assert_eq!(y.item(), 5.0);
    assert!(!y.needs_grad());
    assert_eq!(Arc::strong_count(&token), 1);
    assert_eq!(tape.stats().edges, 0);
}

#[test]
fn misuse_panics_at_the_user_s_line() {
    let tape = Tape::new();
    let x = tape.variable(vector(&[1.0, 2.0]));
    assert_panics(&["backward() needs a single number", "[2]", "sum() or mean()"], || drop(x.backward()));
    let loss = x.sum();
    _ = loss.backward();
    assert_panics(&["a second backward()", "call reset() first"], || drop(loss.backward()));
    assert_panics(&["`mul` recorded after backward()", "call reset() first"], || _ = x * x);
    assert_panics(&["`constant` recorded after backward()"], || _ = tape.constant(scalar(1.0)));
    assert_panics(&["`tanh` recorded after backward()"], || _ = x.tanh());
}

#[test]
fn two_tapes_do_not_mix() {
    let (a, b) = (Tape::new(), Tape::new());
    let (x, y) = (a.variable(vector(&[1.0])), b.variable(vector(&[1.0])));
    assert_panics(&["`add`", "two different tapes"], || _ = x + y);
    assert_panics(&["`mse`", "two different tapes"], || _ = x.mse(y));
    assert_panics(&["`kl_div`", "two different tapes"], || _ = x.kl_div(y));
    let grads = x.sum().backward();
    assert_panics(&["`wrt`", "another tape or step"], || _ = grads.wrt(y));
}

#[test]
fn backward_on_an_inference_tape_panics() {
    let tape = Tape::inference();
    let loss = tape.variable(vector(&[1.0])).sum();
    assert_panics(&["inference tape", "use Tape::new()"], || drop(loss.backward()));
}

#[test]
fn a_pullback_of_the_wrong_shape_is_named() {
    let tape = Tape::new();
    let x = tape.variable(vector(&[1.0, 2.0]));
    let y = tape.record("mine", scalar(3.0), [x.edge(|dy| dy)]);
    assert_panics(&["`mine`", "%0", "shape []", "[2]"], || drop(y.backward()));
}

#[test]
fn gradients_of_an_old_step_are_refused() {
    let mut tape = Tape::new();
    let old = tape.variable(scalar(1.0)).backward();
    tape.reset();
    let x = tape.variable(scalar(1.0));
    assert_panics(&["`wrt`", "another tape or step"], || _ = old.wrt(x));
}

#[test]
fn the_step_writes_a_parameter_in_place() {
    let mut weight = Param::from(arr1(&[0.5, -0.5]));
    let at = weight.value().as_ptr();
    let tape = Tape::new();
    let grads = tape.param(&weight).reshape(&[1, 2]).square().sum().backward();
    // The tape is still there, and has let go of the array.
    let grad = grads.get(&weight).expect("a gradient");
    weight.value_mut().scaled_add(-1.0, grad);
    assert_eq!(weight.value(), &vector(&[-0.5, 0.5]));
    assert_eq!(weight.value().as_ptr(), at);
    assert_eq!(tape.stats().nodes, 4);
}

#[test]
fn what_travels_is_send_and_sync() {
    fn both<T: Send + Sync>() {}
    fn send<T: Send>() {}
    both::<Gradients>();
    both::<Gradients<f64>>();
    both::<Param>();
    both::<wengert_autodiff::Buffer>();
    both::<Tensor>();
    send::<wengert_autodiff::TapeStats>();
}

#[test]
fn a_detached_value_passes_no_gradient() {
    let tape = Tape::new();
    let x = tape.variable(scalar(3.0));
    let grads = (x * x.detach()).backward();
    assert_eq!(grads.wrt(x), Some(&scalar(3.0))); // not 6
}

#[test]
fn a_parameter_used_twice_sums_its_gradients() {
    let tied = Param::from(arr0(3.0));
    let tape = Tape::new();
    let grads = (tape.param(&tied) * tape.param(&tied) * 2.0).backward();
    assert_eq!(grads.get(&tied), Some(&scalar(12.0)));
    let copy = tied.clone();
    assert_eq!(grads.get(&copy), None, "a clone is another parameter");
}

/// In whichever order they were found.
#[test]
fn gradients_come_in_the_order_of_their_parameters() {
    let params = [1.0, 2.0, 3.0].map(|x| Param::new(vector(&[x])));
    let mut grads = Gradients::default();
    for i in [1, 2, 0] {
        grads.set(&params[i], params[i].value().clone());
    }
    assert_eq!(grads.iter().map(|grad| grad[0]).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(grads.iter_mut().map(|grad| grad[0]).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(grads.get(&params[1]), Some(params[1].value()));
}

#[test]
fn no_gradient_is_not_a_zero_gradient() {
    let (absent, unused, cancelled) =
        (Param::from(arr0(1.0)), Param::from(arr0(1.0)), Param::from(arr0(1.0)));
    let tape = Tape::new();
    let (_, used) = (tape.param(&unused).tanh(), tape.param(&cancelled));
    let grads = (used * 0.0).backward();
    assert_eq!(grads.get(&absent), None);
    assert_eq!(grads.get(&unused), None);
    assert_eq!(grads.get(&cancelled), Some(&scalar(0.0)));
    assert_eq!(grads.len(), 1);
}

/// More than a second each; `--skip slow` leaves them out.
mod slow {
    use super::*;

    #[test]
    fn a_million_steps_do_not_grow() {
        let mut weight = Param::from(arr1(&[0.5, -0.5]));
        let mut tape = Tape::with_seed(0);
        let mut after_ten = None;
        for step in 0..1_000_000 {
            tape.reset();
            let loss = (tape.param(&weight) * tape.constant(vector(&[1.0, 2.0]))).tanh().sum();
            let before = tape.stats();
            let grads = loss.backward();
            let grad = grads.get(&weight).expect("a gradient");
            weight.value_mut().scaled_add(-1e-3, grad);
            if step == 10 {
                after_ten = Some((before, tape.stats()));
            }
            if step % 100_000 == 10 {
                assert_eq!(after_ten, Some((before, tape.stats())), "at step {step}");
            }
        }
        assert_eq!(tape.steps(), 1_000_000);
    }
}

/// The gradient of a product that several threads divide.
fn slope(tape: &mut Tape, n: u16) -> f32 {
    tape.reset();
    let x = tape.variable(f32::from(n) / 8.0);
    let ones = tape.constant(Tensor::ones(&[192, 192][..]));
    let grads = (ones * x).matmul(ones * x).mean().backward();
    grads.wrt(x).unwrap().sum()
}

/// A thread that waits for a part of its product may take up the next sample meanwhile. With a tape for each piece of
/// work nothing happens to it; one that belongs to the thread is then in use, which its `RefCell` says, and never holds
/// two samples.
#[test]
fn samples_side_by_side_have_tapes_of_their_own() {
    use rayon::prelude::*;

    thread_local! {
        static TAPE: RefCell<Tape> = RefCell::new(Tape::new());
    }
    let mut tape = Tape::new();
    let right: Vec<_> = (0..48).map(|n| slope(&mut tape, n)).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    pool.install(|| {
        let own: Vec<_> = (0..48_u16).into_par_iter().map_init(Tape::new, slope).collect();
        assert_eq!(own, right);
        let of_thread = |n| TAPE.with(|tape| tape.try_borrow_mut().ok().map(|mut tape| slope(&mut tape, n)));
        let found: Vec<_> = (0..48_u16).into_par_iter().map(of_thread).collect();
        assert!(found.iter().zip(&right).all(|(found, right)| found.is_none_or(|found| found == *right)));
        println!("in use for {} of 48 samples", found.iter().filter(|found| found.is_none()).count());
    });
}
