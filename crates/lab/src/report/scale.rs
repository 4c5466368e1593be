//! From values to places along an axis, and the ticks there.

use super::number::{power_of_ten, tick};
use crate::Axis;

/// Beyond this, differences of values would overflow.
const LARGEST: f64 = 1e300;
/// Below this, steps between ticks would underflow. What is smaller is drawn here on a log axis, at 0 on a linear one.
const SMALLEST: f64 = 1e-300;

/// How the values of an axis lie between two places.
pub(super) struct Scale {
    log: bool,
    /// The ends in units of the axis: values, or their decimal logarithms.
    low: f64,
    high: f64,
    /// The places of the ends.
    from: f64,
    to: f64,
    /// Whether ticks between whole numbers would mean nothing.
    whole: bool,
}

/// A line of the grid.
pub(super) struct Tick {
    pub(super) place: f64,
    pub(super) label: String,
}

impl Scale {
    /// A scale for the drawable ones of `values`, with a little room at both ends.
    pub(super) fn new(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let mut scale = Self { log: axis.log, low: 0.0, high: 1.0, from: 0.0, to: 1.0, whole: !axis.log };
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            if let Some(unit) = scale.unit(value) {
                (low, high) = (low.min(unit), high.max(unit));
                scale.whole &= value == value.trunc();
            }
        }
        if low <= high {
            scale.spread(low, high);
        }
        scale
    }

    /// The part of the axis that shows `low..=high`, which may be one value, or differ by no more than rounding.
    fn spread(&mut self, low: f64, high: f64) {
        let size = low.abs().max(high.abs());
        let room = if high - low > 1e-9 * size {
            0.04 * (high - low)
        } else if self.log || size == 0.0 {
            0.5
        } else {
            0.5 * size
        };
        (self.low, self.high) = (low - room, high + room);
    }

    /// Puts the ends at these places.
    pub(super) fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// Widens the scale by this share of its length at both ends.
    pub(super) fn widened(self, share: f64) -> Self {
        let room = share * (self.high - self.low);
        Self { low: self.low - room, high: self.high + room, ..self }
    }

    /// Longer than `inner`, a part of it, by at most this much at either end.
    pub(super) fn limited_to(self, inner: &Self, share: f64) -> Self {
        let room = share * (inner.high - inner.low);
        Self { low: self.low.max(inner.low - room), high: self.high.min(inner.high + room), ..self }
    }

    /// Without room below 0, where the axis starts there.
    pub(super) fn starting_at_zero(self) -> Self {
        let low = if !self.log && self.low < 0.0 && self.low > -0.1 * self.high { 0.0 } else { self.low };
        Self { low, ..self }
    }

    fn unit(&self, value: f64) -> Option<f64> {
        let drawable = value.is_finite() && (!self.log || value > 0.0);
        let linear = if value.abs() < SMALLEST { 0.0 } else { value.clamp(-LARGEST, LARGEST) };
        drawable.then(|| if self.log { value.clamp(SMALLEST, LARGEST).log10() } else { linear })
    }

    fn place_of(&self, unit: f64) -> f64 {
        self.from + (unit - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Where a value is; none for one that is not finite, or not positive on a log axis.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        self.unit(value).map(|unit| self.place_of(unit))
    }

    /// Where bars start: at 0, or at the lower edge of a log axis.
    pub(super) fn ground(&self) -> f64 {
        if self.log { self.from } else { self.place_of(0.0_f64.clamp(self.low, self.high)) }
    }

    /// The ends in units of the axis, then their places, for a reader that calculates with them.
    pub(super) fn ends(&self) -> [f64; 4] {
        [self.low, self.high, self.from, self.to]
    }

    /// As many ticks as `fit` allows, `most` at most: 1-2-5 steps, or decades where ratios matter.
    pub(super) fn ticks(&self, most: usize, fit: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
        let choices = (2..=most).rev().map(|count| self.about(count));
        let mut last = Vec::new();
        for ticks in choices {
            last = ticks;
            if fit(&last) {
                break;
            }
        }
        last
    }

    fn about(&self, count: usize) -> Vec<Tick> {
        if !self.log {
            return self.even(self.low, self.high, count);
        }
        let decades = self.decades(count);
        if decades.len() >= 2 {
            return decades;
        }
        let within_decades = self.one_two_five();
        if within_decades.len() >= 2 {
            return within_decades;
        }
        self.even(10_f64.powf(self.low), 10_f64.powf(self.high), count)
    }

    fn decades(&self, count: usize) -> Vec<Tick> {
        let span = self.high - self.low;
        let step = [1, 2, 3, 5, 10, 20, 50].into_iter().find(|&step| span / f64::from(step) <= count as f64);
        let step = step.unwrap_or(100);
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        let tick = |n: i32| Tick { place: self.place_of(f64::from(n)), label: power_of_ten(n) };
        (first..=last).filter(|n| n.rem_euclid(step) == 0).map(tick).collect()
    }

    fn one_two_five(&self) -> Vec<Tick> {
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let values = decades.flat_map(|n| [1.0, 2.0, 5.0].map(|digit| (digit, n)));
        let ticks = values.filter_map(|(digit, n)| {
            let value = digit * 10_f64.powi(n);
            let inside = (self.low..=self.high).contains(&value.log10());
            let label = || tick(value, 10_f64.powi(n), value);
            inside.then(|| Tick { place: self.place_of(value.log10()), label: label() })
        });
        ticks.collect()
    }

    /// Ticks at multiples of 1, 2 or 5 times a power of ten, from `low` to `high`.
    fn even(&self, low: f64, high: f64, count: usize) -> Vec<Tick> {
        let rough = (high - low) / count as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let digit = [1.0, 2.0, 5.0, 10.0].into_iter().find(|digit| digit * power >= rough).unwrap_or(10.0);
        let step = if self.whole { (digit * power).max(1.0) } else { digit * power };
        let largest = low.abs().max(high.abs());
        let multiples = (low / step).ceil() as i64..=(high / step).floor() as i64;
        let label = |value| tick(value, step, largest);
        let values = multiples.map(|n| n as f64 * step);
        values.filter_map(|v| Some(Tick { place: self.place(v)?, label: label(v) })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let scale = Scale::new(axis, values.iter().copied()).between(0.0, 100.0);
        let ticks = scale.ticks(6, |_| true);
        assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&tick.place)));
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_one_two_five() {
        assert_eq!(labels(&Axis::linear(""), &[0.0, 1.1]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Axis::linear(""), &[-7.5, 9.0]), ["−5", "0", "5"]);
        assert_eq!(labels(&Axis::linear(""), &[1.0, 2.0]), ["1", "2"]);
        assert_eq!(labels(&Axis::linear(""), &[0.0, 2e6]), ["0", "5·10⁵", "1·10⁶", "1.5·10⁶", "2·10⁶"]);
    }

    #[test]
    fn log_ticks_are_decades() {
        assert_eq!(labels(&Axis::log(""), &[1.0, 1000.0]), ["1", "10", "100", "1000"]);
        assert_eq!(labels(&Axis::log(""), &[1e-10, 1e10]), ["10⁻¹⁰", "10⁻⁵", "1", "10⁵", "10¹⁰"]);
        assert_eq!(labels(&Axis::log(""), &[2.0, 5.0]), ["2", "5"]);
    }

    #[test]
    fn every_range_has_a_scale() {
        let ranges: [&[f64]; 11] = [
            &[5e-324],
            &[0.0, 5e-324],
            &[-1e-310, 1e-300],
            &[],
            &[f64::NAN, f64::INFINITY],
            &[0.0],
            &[-3.0],
            &[1.0, 1.0 + f64::EPSILON],
            &[-f64::MAX, f64::MAX],
            &[f64::MIN_POSITIVE, 1.0],
            &[1e9, 1e9 + 1.0],
        ];
        for values in ranges {
            for axis in [Axis::linear(""), Axis::log("")] {
                let scale = Scale::new(&axis, values.iter().copied()).between(10.0, 90.0);
                assert!(scale.ends().iter().all(|end| end.is_finite()), "{values:?}");
                assert!(scale.ticks(6, |_| true).len() < 12, "{values:?}");
                for &value in values {
                    let undrawable = !value.is_finite() || (axis.log && value <= 0.0);
                    assert_eq!(scale.place(value).is_none(), undrawable);
                    assert!(scale.place(value).is_none_or(|x| (10.0..=90.0).contains(&x)), "{value}");
                }
            }
        }
    }
}
