//! Reinforcement learning: CartPole, and REINFORCE (Williams, 1992) with RMSProp.
//!
//! A pole stands on a cart; pushing the cart left or right, 50 times a second, is to keep it upright. Every step that
//! it stands is worth 1, up to 200. Solved means a mean return of at least 195 over the last 100 episodes. Should be
//! solved within 700 episodes: it took 390, 330 and 400 with seeds 0, 1 and 2, and 250 to 620 with seeds 0 to 19.
//!
//! The cart-pole problem of Barto, Sutton and Anderson (1983) with the constants of OpenAI Gym's CartPole-v0: gravity
//! 9.8 m/s², cart 1 kg, pole 0.1 kg and 0.5 m from its pivot to its middle, force ±10 N, Euler steps of 0.02 s. An
//! episode starts with all four variables uniform in ±0.05, and ends beyond ±2.4 m or ±12°.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::prelude::*;

/// Episodes that one step of the optimizer learns from.
const BATCH: usize = 10;
/// A reward is worth this much less one step later.
const DISCOUNT: f32 = 0.99;
const CAP: usize = 200;
const SOLVED: f64 = 195.0;

/// x, ẋ, θ, θ̇ in metres, radians and seconds; θ = 0 is upright.
type State = [f32; 4];

fn push([x, dx, theta, dtheta]: State, right: bool) -> State {
    const CART_AND_POLE: f32 = 1.1;
    const POLE: f32 = 0.1;
    const HALF_LENGTH: f32 = 0.5;
    let force = if right { 10.0 } else { -10.0 };
    let (sin, cos) = theta.sin_cos();
    let pushed = (force + POLE * HALF_LENGTH * dtheta.powi(2) * sin) / CART_AND_POLE;
    let inertia = HALF_LENGTH * (4.0 / 3.0 - POLE * cos.powi(2) / CART_AND_POLE);
    let ddtheta = (9.8 * sin - cos * pushed) / inertia;
    let ddx = pushed - POLE * HALF_LENGTH * ddtheta * cos / CART_AND_POLE;
    const DT: f32 = 0.02;
    [x + DT * dx, dx + DT * ddx, theta + DT * dtheta, dtheta + DT * ddtheta]
}

fn standing([x, _, theta, _]: State) -> bool {
    x.abs() <= 2.4 && theta.abs() <= 12_f32.to_radians()
}

/// What was seen and done in one episode; each step earned 1.
#[derive(Default)]
struct Episode {
    states: Vec<State>,
    actions: Vec<usize>,
}

impl Episode {
    /// What was earned from step `t` on, discounted: 1 + γ + γ² + … over the remaining steps.
    fn value(&self, t: usize) -> f32 {
        let left = self.actions.len().saturating_sub(t) as i32;
        (1.0 - DISCOUNT.powi(left)) / (1.0 - DISCOUNT)
    }
}

fn tensor(states: &[State]) -> Tensor {
    Tensor::from_shape_fn(vec![states.len(), 4], |at| states[at[0]][at[1]])
}

/// Plays the episodes side by side, so that the policy sees all their states at once.
fn play(policy: &Sequential, rng: &mut StdRng) -> Vec<Episode> {
    let mut episodes: Vec<_> = (0..BATCH).map(|_| Episode::default()).collect();
    let mut states: Vec<State> =
        (0..BATCH).map(|_| std::array::from_fn(|_| rng.random_range(-0.05..0.05))).collect();
    for _ in 0..CAP {
        let tape = Tape::inference();
        let p = policy.forward(tape.constant(tensor(&states))).softmax(1).value();
        for (i, (episode, state)) in episodes.iter_mut().zip(&mut states).enumerate() {
            if standing(*state) {
                let right = rng.random::<f32>() < p[[i, 1]];
                episode.states.push(*state);
                episode.actions.push(right.into());
                *state = push(*state, right);
            }
        }
    }
    episodes
}

/// The gradient of `-mean(A ln π(a | s))`. The advantage A is what was earned from there on less the baseline, the mean
/// over the episodes at the same time: depending on the time alone, it takes away variance and, but for each episode's
/// own share of a tenth in it, adds no bias.
fn reinforce(policy: &Sequential, tape: &Tape, episodes: &[Episode]) -> Gradients {
    let baseline = |t| episodes.iter().map(|episode| episode.value(t)).sum::<f32>() / BATCH as f32;
    let baseline: Vec<_> = (0..CAP).map(baseline).collect();
    let states: Vec<_> = episodes.iter().flat_map(|episode| episode.states.clone()).collect();
    let actions: Vec<_> = episodes.iter().flat_map(|episode| episode.actions.clone()).collect();
    let advantages = episodes
        .iter()
        .flat_map(|episode| (0..episode.actions.len()).map(|t| episode.value(t) - baseline[t]))
        .collect::<wengert::ndarray::Array1<f32>>();
    let surprise = policy.forward(tape.constant(tensor(&states))).cross_entropy_each(&actions);
    (surprise * tape.constant(advantages)).mean().backward()
}

/// The number of episodes played until the problem is solved, or none if 700 are not enough.
fn episodes_needed(seed: u64) -> Option<usize> {
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut policy =
        Sequential::new().with(Dense::new(4, 32, rng)).with(Activation::Tanh).with(Dense::new(32, 2, rng));
    let mut opt = Optimizer::new(RmsProp { lr: 5e-3, rho: 0.99, ..RmsProp::default() });
    let (mut tape, mut returns) = (Tape::new(), Vec::new());
    while returns.len() < 700 {
        let episodes = play(&policy, rng);
        returns.extend(episodes.iter().map(|episode| episode.actions.len() as f64));
        let last = &returns[returns.len().saturating_sub(100)..];
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        let solved = last.len() == 100 && mean >= SOLVED;
        if solved || returns.len() % 100 == 0 {
            println!("{seed:>4} {:>8} {mean:>21.1}", returns.len());
        }
        if solved {
            return Some(returns.len());
        }
        tape.reset();
        let grads = reinforce(&policy, &tape, &episodes);
        opt.step(&mut policy, &grads);
    }
    None
}

fn main() {
    println!("seed episodes   mean of the last 100");
    for seed in 0..3 {
        let needed = episodes_needed(seed);
        assert!(needed.is_some(), "seed {seed}: not solved within 700 episodes");
    }
}
