//! Rounding, angles, hyperbolic functions, logarithms, powers, comparisons, `+=`.

use wengert_autodiff::{Real as Number, Var};

use crate::table::Domain::{Distinct, Positive, Real};
use crate::table::{ONE, Row, TWO, row};

/// Between -0.9 and 0.9.
fn inside<F: Number>(x: Var<'_, F>) -> Var<'_, F> {
    x * F::from_f64(0.45)
}

#[rustfmt::skip]
pub(crate) fn table() -> Vec<Row> {
    vec![
        row!("floor", Distinct, ONE, |x| x[0].floor()),
        row!("ceil", Distinct, ONE, |x| x[0].ceil()),
        row!("round", Distinct, ONE, |x| x[0].round()),
        row!("trunc", Distinct, ONE, |x| x[0].trunc()),
        row!("tan", Real, ONE, |x| inside(x[0]).tan()),
        row!("asin", Real, ONE, |x| inside(x[0]).asin()),
        row!("acos", Real, ONE, |x| inside(x[0]).acos()),
        row!("atan", Real, ONE, |x| x[0].atan()),
        row!("sinh", Real, ONE, |x| x[0].sinh()),
        row!("cosh", Real, ONE, |x| x[0].cosh()),
        row!("asinh", Real, ONE, |x| x[0].asinh()),
        row!("acosh", Positive, ONE, |x| (x[0] + 1.0).acosh()),
        row!("atanh", Real, ONE, |x| inside(x[0]).atanh()),
        row!("log2", Positive, ONE, |x| x[0].log2()),
        row!("log10", Positive, ONE, |x| x[0].log10()),
        row!("rsqrt", Positive, ONE, |x| x[0].rsqrt()),
        row!("erf", Real, ONE, |x| x[0].erf()),
        row!("selu", Distinct, ONE, |x| x[0].selu()),
        row!("mish", Real, ONE, |x| x[0].mish()),
        row!("hardsigmoid", Distinct, ONE, |x| (x[0] * 3.0).hardsigmoid()),
        row!("hardswish", Distinct, ONE, |x| (x[0] * 3.0).hardswish()),
        row!("softsign", Distinct, ONE, |x| x[0].softsign()),
        row!("pow", Positive, TWO, |x| x[0].pow(x[1])),
        row!("remainder", Positive, TWO, |x| x[0].remainder(x[1] * 0.1 + 3.0) + (-x[0]).remainder(x[1] * 0.1 + 3.0)),
        row!("atan2", Positive, TWO, |x| x[0].atan2(x[1]) + (-x[0]).atan2(-x[1])),
        row!("gt", Distinct, TWO, |x| x[0].gt(x[1]) * x[0] + x[1]),
        row!("ge", Distinct, TWO, |x| x[0].ge(x[1]) * x[0] + x[1]),
        row!("lt", Distinct, TWO, |x| x[0].lt(x[1]) * x[0] + x[1]),
        row!("le", Distinct, TWO, |x| x[0].le(x[1]) * x[0] + x[1]),
        row!("eq", Distinct, TWO, |x| x[0].eq(x[1]) * x[0] + x[1]),
        row!("ne", Distinct, TWO, |x| x[0].ne(x[1]) * x[0] + x[1]),
        row!("add", Real, TWO, |x| {
            let mut y = x.iter().copied().sum::<Var<'_, _>>();
            y += x[0];
            y -= 0.5;
            y *= x[1];
            y /= 1.5;
            y
        }),
    ]
}
