//! 2017: ask all places at once (Vaswani et al., "Attention is all you need", arXiv 1706.03762).
//!
//! A recurrent network passes what it read from place to place. Attention lets every place fetch from every other in
//! two products: `softmax(Q Kᵀ / √d) V`. Places find each other by marks that are added to the words, sines of
//! different lengths. One head reverses sequences of ten digits, and its weights can be looked at: in the end each
//! place should look at its mirror image, and 99 % of sequences that training has not seen should come out without a
//! mistake. Without the marks nobody can tell places apart, and not one of a hundred should.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::data::metrics::argmax;
use wengert::layers::{Embedding, sinusoidal_positions};
use wengert::prelude::*;
use wengert_lab::{Axis, Figure, Style};

const DIGITS: usize = 10;
const LENGTH: usize = 10;
const WIDTH: usize = 32;

struct Head {
    embedding: Embedding,
    query: Dense,
    key: Dense,
    value: Dense,
    out: Dense,
    /// `[places, width]`; not learnt.
    marks: Tensor,
}

module!(Head { embedding, query, key, value, out });

impl Head {
    fn new(marks: Tensor, rng: &mut StdRng) -> Self {
        let embedding = Embedding::new(DIGITS, WIDTH, rng);
        let [query, key, value] = [(); 3].map(|()| Dense::new(WIDTH, WIDTH, rng));
        Self { embedding, query, key, value, out: Dense::new(WIDTH, DIGITS, rng), marks }
    }

    /// For digits `[batch, places]` the logits `[batch · places, digits]`, and who looks where.
    fn forward<'t>(&self, x: Var<'t>) -> (Var<'t>, Var<'t>) {
        let h = Layer::forward(&self.embedding, x) + x.tape().constant(self.marks.clone());
        let weights = self.query.forward(h).attention_weights(self.key.forward(h), None, None);
        let fetched = weights.matmul(self.value.forward(h));
        (self.out.forward(fetched).reshape(&[x.value().len(), DIGITS]), weights)
    }
}

/// Random sequences, and the same reversed.
fn sequences(count: usize, rng: &mut StdRng) -> (Tensor, Vec<usize>) {
    let digits: Vec<usize> = (0..count * LENGTH).map(|_| rng.random_range(0..DIGITS)).collect();
    let input: Vec<_> = digits.iter().map(|&digit| digit as f32).collect();
    let reversed = digits.chunks(LENGTH).flat_map(|sequence| sequence.iter().rev().copied()).collect();
    ((&input[..], [count, LENGTH]).into_tensor(), reversed)
}

/// The share of new sequences without a mistake, and at which place each looks most, of one of them.
fn train(marks: Tensor) -> (f64, Vec<usize>) {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut head = Head::new(marks, rng);
    let (mut opt, mut tape) = (Optimizer::new(Adam { lr: 5e-3, ..Adam::default() }), Tape::new());
    for _ in 0..600 {
        tape.reset();
        let (input, reversed) = sequences(32, rng);
        let grads = head.forward(tape.constant(input)).0.cross_entropy(&reversed).backward();
        opt.step(&mut head, &grads);
    }
    let (input, reversed) = sequences(500, rng);
    let tape = Tape::inference();
    let (logits, weights) = head.forward(tape.constant(input));
    let logits = logits.value();
    let right = logits.outer_iter().zip(&reversed).map(|(row, &digit)| argmax(row) == Some(digit));
    let right: Vec<bool> = right.collect();
    let whole = right.chunks(LENGTH).filter(|sequence| sequence.iter().all(|&right| right)).count();
    let weights = weights.value();
    let one = weights.outer_iter().next().expect("there are 500");
    let looks = one.outer_iter().map(|row| argmax(row).expect("ten places")).collect();
    (whole as f64 / 500.0, looks)
}

fn main() {
    let (whole, looks) = train(sinusoidal_positions(LENGTH, WIDTH).into_tensor());
    let (blind, _) = train(Tensor::zeros(vec![LENGTH, WIDTH]));
    println!("whole sequences: {:.1} %, without marks {:.1} %", 100.0 * whole, 100.0 * blind);
    println!("places 0 to 9 look at {looks:?}");
    assert!(whole >= 0.99 && blind < 0.01, "{whole} and {blind}");
    assert!(looks.iter().copied().eq((0..LENGTH).rev()), "the mirror image is not {looks:?}");

    let marks = looks.iter().enumerate().map(|(place, &at)| (place as f64, at as f64)).collect();
    let last = (LENGTH - 1) as f64;
    let figure = Figure::new("Who looks where", Axis::linear("place"), Axis::linear("looks most at"))
        .with("the mirror image", Style::Expected, vec![(0.0, last), (last, 0.0)])
        .with("one head", Style::Marks, marks);
    wengert_milestones::draw("2017_attention", &figure);
}
