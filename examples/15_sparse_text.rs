//! Rare words: logistic regression on bags of words whose frequencies follow Zipf's law.
//!
//! A document is 20 words of a vocabulary of 5000; the word of rank r is drawn with a probability proportional to 1/r.
//! Every word has a hidden score, and the label is the sign of their sum. The model is an `Embedding` of dimension 1,
//! summed over the document. Its gradient is dense: a word that a batch does not contain has gradient 0, so that under
//! RMSProp its v decays, and the step at its next hit grows, but never beyond η/√(1-ρ).
//!
//! Should show, over three seeds, for words in fewer than 1.2 % of the batches against those in more than 90 %:
//!
//! - AdaGrad, η/√(sum of g²): steps 7.8 times as long for words that are hit a hundred times less, near √100.
//! - RMSProp: 3.16 η, 10 η, 31.6 η at most for ρ = 0.9, 0.99, 0.999, the cap to four digits, and ratios of 2.7, 5.1
//!   and 6.5 at the rates below.
//! - Accuracy: AdaGrad 0.946 and RMSProp with ρ = 0.999 0.943 on all documents, SGD 0.913. On documents of rare words
//!   alone AdaGrad has 0.83, RMSProp 0.67, 0.71 and 0.84 in the order of its ρ, and SGD 0.81. A memory much shorter
//!   than the time between hits makes every step about as long as the cap, whatever the error: that boost does not
//!   help.
//!
//! The rates are the best for all documents out of several a factor of 3 apart. At η = 1, RMSProp with ρ = 0.9 reaches
//! 0.80 on rare documents, about what SGD does.

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal, Zipf};
use wengert::layers::Embedding;
use wengert::ndarray::Array2;
use wengert::optim::AdaGrad;
use wengert::prelude::*;

const WORDS: usize = 5000;
const LENGTH: usize = 20;
const BATCH: usize = 16;
const STEPS: usize = 4000;

struct Model {
    score: Embedding,
}

module!(Model { score });

impl Model {
    /// The logits `[documents, 1]`.
    fn forward<'t>(&self, tape: &'t Tape, words: &[usize]) -> Var<'t> {
        let scores = self.score.forward(tape, words);
        scores.reshape(&[words.len() / LENGTH, LENGTH]).sum_axes(&[1], true)
    }
}

struct Language {
    scores: Vec<f32>,
    zipf: Zipf<f64>,
}

impl Language {
    fn new(rng: &mut StdRng) -> Self {
        let scores = StandardNormal.sample_iter(rng).take(WORDS).collect();
        Self { scores, zipf: Zipf::new(WORDS as f64, 1.0).expect("a valid distribution") }
    }

    /// Documents of words of at least this rank, counted from 0; the most frequent word has rank 0.
    fn documents(&self, n: usize, rarer_than: usize, rng: &mut StdRng) -> (Vec<usize>, Tensor) {
        let ranks =
            self.zipf.sample_iter(rng).map(|rank| rank as usize - 1).filter(|&rank| rank >= rarer_than);
        let words: Vec<_> = ranks.take(n * LENGTH).collect();
        let label =
            |document: &[usize]| f32::from(document.iter().map(|&w| self.scores[w]).sum::<f32>() > 0.0);
        let labels: Vec<_> = words.chunks(LENGTH).map(label).collect();
        (words, Array2::from_shape_vec((n, 1), labels).expect("one label each").into_tensor())
    }

    /// The probability that a batch contains the word of rank `rank`.
    fn hit(&self, rank: usize) -> f64 {
        let harmonic: f64 = (1..=WORDS).map(|r| 1.0 / r as f64).sum();
        1.0 - (1.0 - 1.0 / (harmonic * (rank + 1) as f64)).powi((BATCH * LENGTH) as i32)
    }
}

/// How far words that are in the batch move, as |Δw| / η, and accuracies in the end.
struct Outcome {
    /// The mean for words that more than nine in ten batches contain.
    frequent: f64,
    /// The mean for words that fewer than 1.2 % of the batches contain.
    rare: f64,
    /// The largest for those.
    largest: f64,
    all_documents: f64,
    /// The accuracy on documents without the 500 most frequent words.
    rare_documents: f64,
}

fn accuracy(model: &Model, (words, labels): &(Vec<usize>, Tensor)) -> f64 {
    let tape = Tape::inference();
    let logits = model.forward(&tape, words).value();
    let right = logits.iter().zip(labels).filter(|&(&x, &y)| (x > 0.0) == (y > 0.5));
    right.count() as f64 / labels.len() as f64
}

fn train<R: Rule>(rule: R, lr: f64, seed: u64) -> Outcome {
    let rng = &mut StdRng::seed_from_u64(seed);
    let language = Language::new(rng);
    let [all, rare] = [0, 500].map(|rank| language.documents(4000, rank, rng));
    let hit: Vec<_> = (0..WORDS).map(|rank| language.hit(rank)).collect();
    let mut model =
        Model { score: Embedding { weight: Array2::zeros((WORDS, 1)).into(), padding_idx: None } };
    let (mut opt, mut tape) = (Optimizer::new(rule), Tape::new());
    let [mut frequent, mut rarely] = [Vec::new(), Vec::new()];
    for step in 0..STEPS {
        let (words, labels) = language.documents(BATCH, 0, rng);
        tape.reset();
        let grads = model.forward(&tape, &words).bce_with_logits(tape.constant(labels)).backward();
        let before = model.score.weight.value().clone();
        opt.step(&mut model, &grads);
        let grad = grads.get(&model.score.weight).expect("the scores were used");
        let moved = model.score.weight.value() - &before;
        // The first quarter is left out, where a v or r that starts at 0 makes every word's steps long.
        for word in (0..WORDS).filter(|&word| step >= STEPS / 4 && grad[[word, 0]] != 0.0) {
            let moves = match hit[word] {
                p if p > 0.9 => &mut frequent,
                p if p < 0.012 => &mut rarely,
                _ => continue,
            };
            moves.push(f64::from(moved[[word, 0]].abs()) / lr);
        }
    }
    Outcome {
        frequent: mean(&frequent),
        rare: mean(&rarely),
        largest: rarely.into_iter().fold(0.0, f64::max),
        all_documents: accuracy(&model, &all),
        rare_documents: accuracy(&model, &rare),
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// The means over three seeds.
fn row<R: Rule>(name: &str, rule: R, lr: f64) -> Outcome {
    let runs: Vec<_> = (0..3).map(|seed| train(rule.clone(), lr, seed)).collect();
    let over_seeds = |of: fn(&Outcome) -> f64| mean(&runs.iter().map(of).collect::<Vec<_>>());
    let o = Outcome {
        frequent: over_seeds(|o| o.frequent),
        rare: over_seeds(|o| o.rare),
        largest: runs.iter().map(|o| o.largest).fold(0.0, f64::max),
        all_documents: over_seeds(|o| o.all_documents),
        rare_documents: over_seeds(|o| o.rare_documents),
    };
    let (ratio, all, rare) = (o.rare / o.frequent, o.all_documents, o.rare_documents);
    println!(
        "{name:<13} {lr:>4} {:>10.4} {:>8.4} {:>8.3} {ratio:>7.2} {all:>8.3} {rare:>6.3}",
        o.frequent, o.rare, o.largest
    );
    o
}

fn rmsprop(rho: f64, lr: f64) -> Outcome {
    let outcome = row(&format!("RMSProp {rho}"), RmsProp { lr, rho, ..RmsProp::default() }, lr);
    let reached = outcome.largest * (1.0 - rho).sqrt();
    assert!((0.98..1.001).contains(&reached), "ρ = {rho}: the boost should reach 1/√(1 - ρ), and no more");
    outcome
}

fn main() {
    println!("                        |Δw| / η at a hit                accuracy");
    println!("rule             η   frequent     rare  largest   ratio      all   rare");
    let sgd = row("SGD", Sgd { lr: 1.0, ..Sgd::default() }, 1.0);
    let adagrad = row("AdaGrad", AdaGrad { lr: 1.0, ..AdaGrad::default() }, 1.0);
    let [short, _, long] = [(0.9, 0.3), (0.99, 0.03), (0.999, 0.03)].map(|(rho, lr)| rmsprop(rho, lr));
    assert!(sgd.rare < 0.5 * sgd.frequent, "under SGD rare words should take the shorter steps");
    assert!((5.0..15.0).contains(&(adagrad.rare / adagrad.frequent)), "AdaGrad's ratio should be about √100");
    assert!(adagrad.all_documents.min(long.all_documents) > sgd.all_documents + 0.01, "both should beat SGD");
    assert!(short.rare_documents < sgd.rare_documents - 0.03, "a short memory should not help rare words");
    assert!(long.rare_documents > short.rare_documents + 0.05, "a long one should");
}
