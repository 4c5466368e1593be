//! What is known to go wrong in ports. Many a mistake is the right formula with a hyper-parameter that was not meant.

use wengert_optim::{Epsilon, WeightDecay};

use super::hand::Slip;

/// What went wrong, and the formula that then comes out.
pub type Mistake<M> = (&'static str, M, Slip);

type Slips = &'static [(&'static str, Slip)];

pub(super) fn slips<M: Copy>(meant: &M, slips: Slips) -> Vec<Mistake<M>> {
    slips.iter().map(|&(says, slip)| (says, *meant, slip)).collect()
}

/// Of any rule.
pub(super) const STEP: Slips = &[
    ("it climbs: the step is added instead of subtracted", Slip::Climbs),
    ("the weight decay acts after the step, on what the step made of p", Slip::DecayAfterStep),
];

/// Of rules that divide by a root.
macro_rules! with_root {
    ($($more:expr),* $(,)?) => {
        &[
            ("it climbs: the step is added instead of subtracted", Slip::Climbs),
            ("the weight decay acts after the step, on what the step made of p", Slip::DecayAfterStep),
            ("the root is missing: it divides by the square", Slip::NoRoot),
            ("the root is taken twice", Slip::RootTwice),
            ("it does not divide by the root", Slip::NoDivision),
            ("ε is missing", Slip::NoEpsilon),
            ("ε is squared inside the root", Slip::EpsilonSquared),
            ("|g| is collected instead of g²", Slip::Unsquared),
            $($more),*
        ]
    };
}

pub(super) const AVERAGES: Slips = with_root![
    ("v is updated after it is used", Slip::StaleSquare),
    ("m is updated after it is used", Slip::StaleMean),
    ("the factor 1 - ρ is missing: the average is a sum", Slip::NoComplement),
    ("ρ and 1 - ρ have changed places", Slip::SwappedWeights),
    ("the bias correction is missing", Slip::Uncorrected),
    ("the bias correction is off by one step: t starts at 2", Slip::CountsFromTwo),
    ("the bias correction is off by one step: t starts at 0", Slip::CountsFromZero),
    ("the bias correction multiplies by 1 - ρᵗ instead of dividing", Slip::CorrectionInverted),
];

pub(super) const SUM: Slips = with_root![
    ("r is updated after it is used", Slip::StaleSquare),
    ("r forgets everything but the newest g²", Slip::Forgets(0.0)),
    ("r is an average, as RMSProp's with ρ = 0.9, instead of a sum", Slip::Forgets(0.9)),
    ("r is an average, as RMSProp's with ρ = 0.99, instead of a sum", Slip::Forgets(0.99)),
    ("r is an average, as RMSProp's with ρ = 0.999, instead of a sum", Slip::Forgets(0.999)),
    ("the decay of the rate is off by one step: t starts at 2", Slip::CountsFromTwo),
];

/// Of rules with two averages.
pub(super) const MOMENTS: Slips = &[
    ("m is not corrected for its start at 0", Slip::MeanUncorrected),
    ("v is not corrected for its start at 0", Slip::SquareUncorrected),
    ("v averages m² instead of g²", Slip::SquaresMean),
];

/// Of rules that take a sign.
pub(super) const SIGNS: Slips = &[
    ("the sign is missing", Slip::NoSign),
    ("the sign of 0 is taken as 1", Slip::SignOfZero),
    ("m is updated before it is used", Slip::StaleMean),
];

/// Hyper-parameters that were not meant.
pub(super) fn hyper<M, const N: usize>(others: [(&'static str, M); N]) -> impl Iterator<Item = Mistake<M>> {
    others.into_iter().map(|(says, other)| (says, other, Slip::None))
}

pub(super) fn rates<M: Copy>(meant: &M, lr: f64, with: fn(M, f64) -> M) -> impl Iterator<Item = Mistake<M>> {
    hyper([("the rate is squared", with(*meant, lr * lr)), ("the rate is missing", with(*meant, 1.0))])
}

pub(super) fn epsilons<M: Copy>(
    meant: &M,
    eps: Epsilon,
    with: fn(M, Epsilon) -> M,
) -> impl Iterator<Item = Mistake<M>> {
    let value = eps.value();
    hyper([
        ("ε is outside the root", with(*meant, Epsilon::Outside(value))),
        ("ε is inside the root", with(*meant, Epsilon::Inside(value))),
        ("ε is added before the bias correction", with(*meant, Epsilon::Uncorrected(value))),
    ])
}

pub(super) fn decays<M: Copy>(
    meant: &M,
    (decay, lr): (WeightDecay, f64),
    with: fn(M, WeightDecay) -> M,
) -> impl Iterator<Item = Mistake<M>> {
    use WeightDecay::{Decoupled, L2};

    let sign = "the weight decay has the wrong sign: it pushes away from 0";
    let (missing, twice) = ("the weight decay is missing", "the weight decay acts twice");
    let found = match decay {
        L2(lambda) => vec![
            (missing, WeightDecay::None),
            (sign, L2(-lambda)),
            (twice, L2(2.0 * lambda)),
            ("the weight decay is decoupled instead of part of the gradient", Decoupled(lambda)),
            ("the weight decay is multiplied by the rate before it joins the gradient", L2(lr * lambda)),
            ("the weight decay is not multiplied by the rate", Decoupled(lambda / lr)),
        ],
        Decoupled(lambda) => vec![
            (missing, WeightDecay::None),
            (sign, Decoupled(-lambda)),
            (twice, Decoupled(2.0 * lambda)),
            ("the weight decay is part of the gradient (L2) instead of decoupled", L2(lambda)),
            ("the decoupled weight decay is not multiplied by the rate", Decoupled(lambda / lr)),
            ("the decoupled weight decay is multiplied by the rate twice", Decoupled(lambda * lr)),
        ],
        WeightDecay::None => Vec::new(),
        WeightDecay::Corrected { lambda, .. } => {
            vec![
                (missing, WeightDecay::None),
                ("the weight decay takes no account of η_max", Decoupled(lambda)),
            ]
        }
    };
    found.into_iter().map(move |(says, decay)| (says, with(*meant, decay), Slip::None))
}

/// This ε with another value.
pub(super) fn with_value(eps: Epsilon, value: f64) -> Epsilon {
    match eps {
        Epsilon::Outside(_) => Epsilon::Outside(value),
        Epsilon::Inside(_) => Epsilon::Inside(value),
        Epsilon::Uncorrected(_) => Epsilon::Uncorrected(value),
    }
}

/// A stronger decay, if there is one.
pub(super) fn stronger(decay: WeightDecay) -> Option<WeightDecay> {
    match decay {
        WeightDecay::None => None,
        WeightDecay::L2(lambda) => Some(WeightDecay::L2(3.0 * lambda)),
        WeightDecay::Decoupled(lambda) => Some(WeightDecay::Decoupled(3.0 * lambda)),
        WeightDecay::Corrected { lambda, max_lr } => {
            Some(WeightDecay::Corrected { lambda: 3.0 * lambda, max_lr })
        }
    }
}
