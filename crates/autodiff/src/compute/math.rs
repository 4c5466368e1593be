//! Elementary functions for `f32` that the compiler can turn into vector instructions: no branch, no call, no table. (A
//! branch here is a choice between two values that are both computed.) Only rounded `+ - * /` and integers, no product
//! fused with a sum, so that a result has the same bits on every CPU.
//!
//! Each reduces its argument to a short interval and evaluates a polynomial there; `tests/golden/elementary.py` derives
//! the polynomials. The error is given in units in the last place (ulp) of the exact result; correct rounding is 0.5
//! ulp. The bounds hold for all 2³² arguments; the tests take a sample. All keep NaN; those with the value 0 at 0 keep
//! its sign; subnormal results are not flushed to 0.

use std::f32::consts::LOG2_E;

/// The leading bits of ln 2: a product with an integer below 2⁹ is exact.
const LN_2_HIGH: f32 = 0.693_145_75;
/// ln 2 - `LN_2_HIGH`.
const LN_2_LOW: f32 = 1.428_606_8e-6;

/// `c₀ + c₁ x + c₂ x² + …` (Horner).
#[inline(always)]
fn polynomial<const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut y = c[N - 1];
    for i in (0..N - 1).rev() {
        y = y * x + c[i];
    }
    y
}

/// `2ⁿ` for `-126 ≤ n ≤ 127`: `n` in the place of the exponent.
#[inline(always)]
fn power_of_2(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// `x = n ln 2 + r` with an integer `n` and `|r| ≤ ln 2 / 2`; returns `n` and `eʳ - 1`. For `|x| < 2²¹`.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    // Added to a small number, it leaves no bits for a fraction: the sum is rounded to an integer, in its last bits.
    const ROUND: f32 = 1.5 * (1 << 23) as f32;
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let p = polynomial(r, [0.499_999_97, 0.166_665_42, 0.041_667_525, 0.008_366_673, 0.001_386_240_4]);
    (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32, r + r * r * p)
}

/// `eˣ`, to 1 ulp. Above 88.7 it is ∞; below -87.3 it is subnormal, and 0 below -104.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Further out, n would have no room in the exponent.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (n, e) = reduce(x);
    // In two steps: 2ⁿ alone may overflow where the result does not, and n = 128 or -150 would leave the exponent.
    let half = n >> 1;
    (1.0 + e) * power_of_2(half) * power_of_2(n.wrapping_sub(half))
}

/// `eˣ - 1`, to 1.7 ulp, also near 0.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    let clamped = if x > 89.0 { 89.0 } else { x };
    let clamped = if clamped < -25.0 { -25.0 } else { clamped };
    let (n, e) = reduce(clamped);
    // 2ⁿ eʳ - 1 = 2 (2ⁿ⁻¹ (eʳ - 1) + (2ⁿ⁻¹ - ½)): exact for n = 0, and no overflow for n = 128.
    let scale = power_of_2(n.wrapping_sub(1));
    let y = (e * scale + (scale - 0.5)) * 2.0;
    // Keeps the sign of 0 and the last bit of a subnormal number.
    if x.abs() < 1e-8 { x } else { y }
}

/// `ln x`, to 1 ulp. -∞ for 0, NaN for a negative number.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    // The bits of √½.
    const LOW: u32 = 0x3f35_04f3;
    let subnormal = x < f32::MIN_POSITIVE;
    let bits = (if subnormal { x * 8_388_608.0 } else { x }).to_bits();
    // x = 2ᵉ m with √½ ≤ m < √2.
    let above = bits.wrapping_sub(LOW) as i32;
    let e = (above >> 23).wrapping_sub(if subnormal { 23 } else { 0 }) as f32;
    let m = f32::from_bits((above as u32 & 0x007f_ffff).wrapping_add(LOW));
    // ln m = f - f²/2 + f³ P(f)
    let f = m - 1.0;
    let p = polynomial(
        f,
        [
            0.333_333_1,
            -0.250_000_15,
            0.200_022_27,
            -0.166_677_27,
            0.142_175_63,
            -0.124_097_47,
            0.119_054_13,
            -0.116_551_46,
            0.066_841_56,
        ],
    );
    let squared = f * f;
    let y = f + (squared * f * p - 0.5 * squared + e * LN_2_LOW) + e * LN_2_HIGH;
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x < f32::INFINITY { y } else { x }
}

/// `ln(1 + x)`, to 1.5 ulp, also near 0. -∞ for -1, NaN below.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let y = ln(u);
    // u has lost x - (u - 1), which is exact: to first order, ln u has lost this over u.
    let corrected = y + (x - (u - 1.0)) / u;
    let y = if u > 0.0 && u < f32::INFINITY { corrected } else { y };
    // Keeps the sign of 0.
    if u == 1.0 { x } else { y }
}

/// `tanh x`, to 1.5 ulp.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let s = a * a;
    let p = polynomial(s, [-0.333_332_8, 0.133_314_12, -0.053_737_402, 0.020_632_116, -0.005_697_722_6]);
    let small = a + a * s * p;
    let large = 1.0 - 2.0 / (exp(a + a) + 1.0);
    (if a < 0.625 { small } else { large }).copysign(x)
}

/// The error function `2/√π ∫₀ˣ exp(-t²) dt`, to 1.5 ulp.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let a = x.abs();
    let s = a * a;
    let p = polynomial(
        s,
        [
            0.128_379_17,
            -0.376_126_32,
            0.112_836_815,
            -0.026_859_023,
            0.005_200_722,
            -8.144_158e-4,
            8.392_268_5e-5,
        ],
    );
    let small = a + a * p;
    // -ln(1 - erf a) is nearly a parabola. From 4 on, erf a rounds to 1.
    let b = if a > 4.0 { 4.0 } else { a };
    let t = polynomial(
        b,
        [
            -1.559_488_5e-4,
            1.129_411_8,
            0.633_590_94,
            0.107_955_92,
            -0.024_855_193,
            0.004_035_803,
            -3.920_181_8e-4,
            1.363_295_3e-5,
            5.625_635e-7,
        ],
    );
    let large = 1.0 - exp(-t);
    (if a < 0.9 { small } else { large }).copysign(x)
}

/// The normal distribution function, to 5 ulp also where it is small, and its density, to 3 ulp.
#[inline(always)]
pub(crate) fn normal(x: f32) -> (f32, f32) {
    const DENSITY_AT_0: f32 = 0.398_942_3;
    let a = x.abs();
    // Further out, both are 0.
    let a = if a > 15.0 { 15.0 } else { a };
    // x²/2 of the leading bits is exact, and what the others add is small: rounded before the exponential, the square
    // would be wrong by more than the result may be.
    let leading = f32::from_bits(a.to_bits() & 0xffff_f000);
    let d = 0.5 * (a - leading) * (a + leading);
    let correction = polynomial(-d, [1.0, 1.0, 0.5, 0.166_666_67, 0.041_666_668]);
    let density = exp(-0.5 * leading * leading) * correction * DENSITY_AT_0;
    let ratio = polynomial(
        (a - 3.0) / (a + 3.0),
        [
            1.218_361_1,
            -0.241_957_17,
            -0.041_187_77,
            0.113_221_57,
            -0.056_982_92,
            0.002_818_624_3,
            0.007_524_887,
            -6.406_064_5e-4,
            -0.001_129_360_5,
            -1.705_512_3e-4,
        ],
    ) / (1.0 + a);
    let tail = density * ratio;
    (if x > 0.0 { 1.0 - tail } else { tail }, density)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

    use super::*;
    use crate::compute::{inlined, vectorized};

    struct Function {
        name: &'static str,
        f: fn(f32) -> f32,
        exact: fn(f64) -> f64,
        /// What its documentation promises, in ulp.
        bound: f64,
        /// All of a slice, in a loop that is inlined.
        all: fn(&mut [f32]),
        /// The same on this CPU's vectors.
        all_vectorized: fn(&mut [f32]),
    }

    macro_rules! function {
        ($name:ident, $exact:expr, $bound:literal) => {
            Function {
                name: stringify!($name),
                f: $name,
                exact: $exact,
                bound: $bound,
                all: |x| x.iter_mut().for_each(|x| *x = $name(*x)),
                all_vectorized: |x| {
                    vectorized(inlined!(|| {
                        for x in x {
                            *x = $name(*x);
                        }
                    }));
                },
            }
        };
    }

    fn cdf(x: f32) -> f32 {
        normal(x).0
    }

    fn density(x: f32) -> f32 {
        normal(x).1
    }

    fn exact_cdf(x: f64) -> f64 {
        0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
    }

    fn exact_density(x: f64) -> f64 {
        (-0.5 * x * x).exp() * (0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2)
    }

    fn functions() -> [Function; 8] {
        [
            function!(exp, f64::exp, 1.0),
            function!(exp_m1, f64::exp_m1, 1.7),
            function!(ln, f64::ln, 1.0),
            function!(ln_1p, f64::ln_1p, 1.5),
            function!(tanh, f64::tanh, 1.5),
            function!(erf, libm::erf, 1.5),
            function!(cdf, exact_cdf, 5.0),
            function!(density, exact_density, 3.0),
        ]
    }

    /// Every 1009th bit pattern, and those around what is special.
    fn arguments() -> Vec<f32> {
        let sweep = (0..=u32::MAX).step_by(1009).map(f32::from_bits);
        let special = [
            0.0,
            1e-8,
            6e-8,
            0.346_573_6,
            0.625,
            0.9,
            1.0,
            4.0,
            9.01,
            25.0,
            87.34,
            88.73,
            89.0,
            103.97,
            104.0,
        ];
        let special = special.into_iter().chain([f32::MIN_POSITIVE, f32::MAX, f32::INFINITY]);
        let around = special
            .flat_map(|x: f32| (0..4001).map(move |i| x.to_bits().saturating_add(i).saturating_sub(2000)));
        sweep.chain(around.flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])).collect()
    }

    /// `|y - exact|` in units of the last place of the exact number; ∞ where one is NaN and the other not.
    fn ulp(y: f32, exact: f64) -> f64 {
        if y.is_nan() || exact.is_nan() || exact.is_infinite() {
            return if y.is_nan() == exact.is_nan() && (y.is_nan() || f64::from(y) == exact) {
                0.0
            } else {
                f64::INFINITY
            };
        }
        // 2¹²⁸, where the next number would be, stands for all that overflows.
        let end = 2_f64.powi(128);
        let (y, exact) = (f64::from(y).clamp(-end, end), exact.clamp(-end, end));
        let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
        (y - exact).abs() / 2_f64.powi(exponent.max(-126) - 23)
    }

    #[test]
    fn the_error_is_within_what_is_stated() {
        let x = arguments();
        for Function { name, f, exact, bound, .. } in functions() {
            let error = |x: f32| ulp(f(x), exact(x.into()));
            let errors = x.iter().map(|&x| (error(x), x));
            let (worst, x) = errors.max_by(|(a, _), (b, _)| a.total_cmp(b)).unwrap();
            println!("{name}: {worst:.3} ulp at {x:e}");
            assert!(worst <= bound, "{name}({x:e}) = {:e}: {worst} ulp", f(x));
        }
    }

    #[test]
    fn vectors_give_the_same_bits() {
        let x = arguments();
        for Function { name, all, all_vectorized, .. } in functions() {
            let (mut plain, mut vectors) = (x.clone(), x.clone());
            all(&mut plain);
            all_vectorized(&mut vectors);
            for ((x, plain), vectors) in x.iter().zip(plain).zip(vectors) {
                let same = plain.to_bits() == vectors.to_bits() || plain.is_nan() && vectors.is_nan();
                assert!(same, "{name}({x:e}): {plain:e} and {vectors:e}");
            }
        }
    }

    #[test]
    fn the_sign_of_zero_stays() {
        for f in [exp_m1, ln_1p, tanh, erf] {
            assert_eq!(f(-0.0).to_bits(), (-0.0_f32).to_bits());
            assert_eq!(f(0.0).to_bits(), 0);
        }
    }

    #[test]
    fn the_ends_are_exact() {
        let inf = f32::INFINITY;
        assert_eq!([exp(inf), exp(-inf), exp(0.0), exp(-200.0), exp(200.0)], [inf, 0.0, 1.0, 0.0, inf]);
        assert_eq!([exp_m1(inf), exp_m1(-inf), exp_m1(200.0)], [inf, -1.0, inf]);
        assert_eq!([ln(inf), ln(0.0), ln(-0.0), ln(1.0)], [inf, -inf, -inf, 0.0]);
        assert_eq!([ln_1p(inf), ln_1p(-1.0)], [inf, -inf]);
        assert!(ln(-1.0).is_nan() && ln_1p(-1.5).is_nan() && ln(-inf).is_nan());
        assert_eq!([tanh(inf), tanh(-inf), erf(inf), erf(-inf)], [1.0, -1.0, 1.0, -1.0]);
        for Function { name, f, .. } in functions() {
            assert!(f(f32::NAN).is_nan() && f(-f32::NAN).is_nan(), "{name}");
        }
    }
}
