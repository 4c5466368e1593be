//! A character at a time: a GRU learns to count in words.
//!
//! The text is the numbers from one to ninety-nine, "one, two, three, …", over and over. The model sees pieces of 48
//! characters from anywhere and says at every place which character comes next. Most of a word follows from its first
//! letters; which number comes next follows from the one before, so that the state has to carry it through the comma.
//! In the end the model writes by itself: its state (`forward_from`) goes from one character to the next, and the
//! character that it finds most likely becomes the next input.
//!
//! The rate falls to 0 along a cosine: at a constant one the model forgets a number now and then.
//!
//! Should show, in some seconds: the loss falls from 3 to below 0.1, most of which is the start of a piece, where
//! nobody can know the number; and after "forty-seven," the model counts on without a mistake to sixty.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::data::metrics::argmax;
use wengert::layers::{Embedding, Gru};
use wengert::optim::Schedule;
use wengert::prelude::*;

const LENGTH: usize = 48;
const BATCH: usize = 16;
const STEPS: usize = 2000;

struct Model {
    embedding: Embedding,
    gru: Gru,
    out: Dense,
}

module!(Model { embedding, gru, out });

impl Model {
    fn new(characters: usize, rng: &mut StdRng) -> Self {
        Self {
            embedding: Embedding::new(characters, 16, rng),
            gru: Gru { batch_first: true, ..Gru::new(16, 64, rng) },
            out: Dense::new(64, characters, rng),
        }
    }

    /// For indices `[batch, steps]` the logits `[batch, steps, characters]` of what comes next, and the state.
    fn forward<'t>(&self, x: Var<'t>, state: Option<Var<'t>>) -> (Var<'t>, Var<'t>) {
        let (h, state) = self.gru.forward_from(Layer::forward(&self.embedding, x), state);
        (self.out.forward(h), state)
    }

    /// What the model writes after `start`, character by character.
    fn write(&self, start: &[usize], count: usize) -> Vec<usize> {
        let mut input: Vec<f32> = start.iter().map(|&c| c as f32).collect();
        let (mut state, mut written) = (None, Vec::new());
        for _ in 0..count {
            // A tape for each character: the state goes on as a plain array.
            let tape = Tape::inference();
            let x = tape.constant((&input[..], [1, input.len()]));
            let (logits, next) = self.forward(x, state.map(|state: Tensor| tape.constant(state)));
            let logits = logits.slice(1, input.len() - 1..input.len()).value();
            let likely = argmax(&logits).expect("a character, unless the training has diverged");
            state = Some(next.value());
            input = vec![likely as f32];
            written.push(likely);
        }
        written
    }
}

fn in_words(n: usize) -> String {
    const UNITS: [&str; 20] = [
        "",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    match n {
        0..20 => UNITS[n].to_owned(),
        _ if n.is_multiple_of(10) => TENS[n / 10 - 2].to_owned(),
        _ => format!("{}-{}", TENS[n / 10 - 2], UNITS[n % 10]),
    }
}

fn counting(from: usize, to: usize) -> String {
    (from..=to).map(|n| in_words(n) + ", ").collect()
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let text = counting(1, 99);
    let mut characters: Vec<_> = text.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    let encode = |text: &str| -> Vec<usize> {
        text.chars().map(|c| characters.binary_search(&c).expect("a character of the text")).collect()
    };
    let codes = encode(&text.repeat(2));
    let rate = Schedule::cosine(1e-2, 0.0, STEPS as u64);
    let mut model = Model::new(characters.len(), rng);
    let (mut opt, mut tape) = (Optimizer::new(Adam::default()), Tape::new());
    let (mut first, mut last) = (f32::NAN, f32::NAN);
    for step in 0..STEPS {
        tape.reset();
        let (mut input, mut next) = (Vec::new(), Vec::new());
        for _ in 0..BATCH {
            let at = rng.random_range(0..text.len());
            input.extend(codes[at..at + LENGTH].iter().map(|&c| c as f32));
            next.extend_from_slice(&codes[at + 1..=at + LENGTH]);
        }
        let (logits, _) = model.forward(tape.constant((&input[..], [BATCH, LENGTH])), None);
        let loss = logits.reshape(&[BATCH * LENGTH, characters.len()]).cross_entropy(&next);
        last = loss.item();
        if step == 0 {
            first = last;
        }
        if step % 200 == 199 {
            println!("step {:>3}: loss {last:.3}", step + 1);
        }
        let grads = loss.backward();
        for rule in opt.rules_mut() {
            rule.lr = rate.at(step as u64);
        }
        opt.step(&mut model, &grads);
    }
    let (start, expected) = ("forty-six, forty-seven, ", counting(48, 60));
    let written = model.write(&encode(start), expected.len());
    let written: String = written.into_iter().map(|c| characters[c]).collect();
    println!("{start}| {written}");
    assert!(first > 2.5 && last < 0.15, "the loss should fall from 3 to about 0.1: {first} to {last}");
    assert_eq!(written, expected, "the model should count on");
}
