//! Numbers as people read them.

use std::fmt;

use crate::Expected;

/// A number with at most seven significant digits, without trailing zeros; with an exponent where it is long.
pub(super) fn number(x: f64) -> String {
    rounded(x, 7)
}

/// The same with at most this many significant digits.
pub(super) fn rounded(x: f64, digits: usize) -> String {
    let size = x.abs();
    if x == 0.0 {
        "0".to_owned()
    } else if (1e-4..1e7).contains(&size) {
        let decimals = (digits as f64 - 1.0 - size.log10().floor()).max(0.0) as usize;
        trim(&format!("{x:.decimals$}")).to_owned()
    } else if x.is_finite() {
        let text = format!("{x:.*e}", digits - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{exponent}", trim(mantissa))
    } else {
        x.to_string() // NaN, inf
    }
}

/// `text` without the zeros behind the last digit that counts.
fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `10ⁿ`, or the plain number where that is as short; for the ticks of a log axis.
pub(super) fn power_of_ten(n: i32) -> String {
    if (-2..=3).contains(&n) { number(10_f64.powi(n)) } else { format!("10{}", superscript(n)) }
}

/// A tick of a linear axis, to the digit in which it differs from its neighbour a `step` away. `largest` is the
/// largest absolute value on the axis: all its ticks are written alike.
pub(super) fn tick(x: f64, step: f64, largest: f64) -> String {
    let x = if x.abs() < step / 2.0 { 0.0 } else { x };
    let decimals = -step.log10().floor();
    if largest < 1e5 && decimals <= 4.0 {
        return format!("{x:.*}", decimals.max(0.0) as usize).replace('-', "−");
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let digits = (x.abs().log10().floor() + decimals).max(0.0) as usize;
    let text = format!("{x:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let power = if exponent == 0 { String::new() } else { format!("·10{}", superscript(exponent)) };
    format!("{}{power}", trim(mantissa)).replace('-', "−")
}

fn superscript(n: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    n.to_string().chars().map(raised).collect()
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::About { value, relative } => {
                write!(f, "{} ± {} %", number(value), number(100.0 * relative))
            }
            Self::Near { value, absolute: 0.0 } => write!(f, "{}", number(value)),
            Self::Near { value, absolute } => write!(f, "{} ± {}", number(value), number(absolute)),
            Self::AtMost(bound) => write!(f, "≤ {}", number(bound)),
            Self::AtLeast(bound) => write!(f, "≥ {}", number(bound)),
            Self::Between(low, high) => write!(f, "{} to {}", number(low), number(high)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (100.0, "100"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1.0 / 3.0, "0.3333333"),
            (1234567.0, "1234567"),
            (1e7, "1e7"),
            (1.5e-12, "1.5e-12"),
            (f64::NAN, "NaN"),
        ];
        for (x, text) in cases {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn ticks_show_the_digit_that_differs() {
        assert_eq!(tick(0.30000000000000004, 0.1, 1.0), "0.3");
        assert_eq!(tick(-1e-17, 0.1, 1.0), "0.0");
        assert_eq!(tick(-20.0, 10.0, 50.0), "−20");
        assert_eq!(tick(2e6, 1e6, 5e6), "2·10⁶");
        assert_eq!(tick(1.5e-7, 5e-8, 1e-6), "1.5·10⁻⁷");
        assert_eq!(tick(1.000002, 1e-6, 1.00001), "1.000002");
        assert_eq!((power_of_ten(-12), power_of_ten(2)), ("10⁻¹²".to_owned(), "100".to_owned()));
    }
}
