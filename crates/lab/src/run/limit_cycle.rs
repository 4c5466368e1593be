use serde::Serialize;

/// A series that has come to repeat itself; see [`limit_cycle`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LimitCycle {
    /// After how many steps it repeats, at least 2.
    pub period: usize,
    /// Half the distance between its extremes.
    pub amplitude: f64,
    /// The first index from which on it repeats.
    pub from: usize,
}

/// The shortest cycle, of at least 2 and at most `longest` steps, that a series ends in: for three periods or more
/// every value is within `tolerance` of the one a period earlier, as a share of the distance between the extremes of
/// that cycle.
///
/// `None` for a series that converges, diverges, drifts, or is not finite at its end.
///
/// ```
/// use wengert_lab::{Landscape, Runner, limit_cycle};
/// use wengert_optim::RmsProp;
///
/// let rule = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::default() };
/// let bowl = Landscape::Quadratic { kappa: 1.0, angle: 0.0 };
/// let path = Runner::at("RMSProp", rule, [1.0, 0.0]).descend(bowl, 2000);
/// let x: Vec<f64> = path.iter().map(|at| at[0]).collect();
/// let cycle = limit_cycle(&x, 10, 1e-3).unwrap();
/// assert_eq!(cycle.period, 2);
/// assert!((cycle.amplitude - 0.005).abs() < 1e-6); // η/2
/// ```
pub fn limit_cycle(values: &[f64], longest: usize, tolerance: f64) -> Option<LimitCycle> {
    (2..=longest).find_map(|period| {
        let (rest, last) = values.split_at_checked(values.len().checked_sub(period)?)?;
        let low = last.iter().copied().fold(f64::INFINITY, f64::min);
        let high = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let repeats = |i: usize| (values[i] - values[i + period]).abs() <= tolerance * (high - low);
        let from = (0..rest.len()).rev().take_while(|&i| repeats(i)).last()?;
        let long_enough = values.len() - from >= 3 * period;
        (high > low && long_enough).then_some(LimitCycle { period, amplitude: 0.5 * (high - low), from })
    })
}
