//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{Tape, Var};

fn close(what: &str, found: f64, expected: f64, hint: &str) {
    assert!(
        (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{what} is {found}, expected {expected}: {hint}"
    );
}

/// The gradient of `f(a, b)` at a = 3, b = -2, on a tape of its own.
fn gradient(f: for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>) -> [f64; 2] {
    let tape = Tape::new();
    let (a, b) = (tape.var(3.0), tape.var(-2.0));
    let d = f(a, b).backward();
    [d.of(a), d.of(b)]
}

/// The derivative of `f(x)` at 0.5, on a tape of its own.
fn slope(f: for<'t> fn(Var<'t>) -> Var<'t>) -> f64 {
    let tape = Tape::new();
    let x = tape.var(0.5);
    f(x).backward().of(x)
}

#[test]
fn values() {
    let tape = Tape::new();
    let (a, b) = (tape.var(3.0), tape.var(-2.0));
    close("3 + -2", (a + b).value(), 1.0, "the value of a sum");
    close("3 - -2", (a - b).value(), 5.0, "the value of a difference");
    close("3 * -2", (a * b).value(), -6.0, "the value of a product");
    close("tanh 3", a.tanh().value(), 0.9950547536867305, "the value of tanh");
    close("exp -2", b.exp().value(), 0.1353352832366127, "the value of exp");
    close("3 to the 4th", a.powi(4).value(), 81.0, "the value of a power");
}

#[test]
fn sums_and_differences() {
    close("da/da", gradient(|a, _| a)[0], 1.0, "the gradient of the variable itself is 1");
    let [da, db] = gradient(|a, b| a + b);
    let hint = "the walk begins with the variable itself, and a sum passes its gradient on to both";
    close("d(a + b)/da", da, 1.0, hint);
    close("d(a + b)/db", db, 1.0, hint);
    let [da, db] = gradient(|a, b| a - b);
    close("d(a - b)/da", da, 1.0, "a difference passes its gradient on to the first");
    close("d(a - b)/db", db, -1.0, "what is subtracted has the derivative -1");
}

#[test]
fn products() {
    let [da, db] = gradient(|a, b| a * b);
    let hint = "the derivative with respect to one factor is the other";
    close("d(a b)/da at a = 3, b = -2", da, -2.0, hint);
    close("d(a b)/db at a = 3, b = -2", db, 3.0, hint);
}

#[test]
fn functions() {
    let hint = "it is 1 - y² with y = tanh x, not 1 - x²";
    close("dtanh(x)/dx at 0.5", slope(|x| x.tanh()), 0.7864477329659274, hint);
    close("dexp(x)/dx at 0.5", slope(|x| x.exp()), 1.6487212707001282, "exp is its own derivative");
    close("dx³/dx at 0.5", slope(|x| x.powi(3)), 0.75, "n times x to the n - 1");
    close("dx⁻²/dx at 0.5", slope(|x| x.powi(-2)), -16.0, "n times x to the n - 1, for negative n too");
}

#[test]
fn used_twice() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    let hint = "a variable that is used twice gets both shares: add, do not overwrite";
    close("d(x + x)/dx", (x + x).backward().of(x), 2.0, hint);
    close("d(x x)/dx at 3", (x * x).backward().of(x), 6.0, hint);
    let y = x * x;
    close("d(y y)/dx with y = x x, at 3", (y * y).backward().of(x), 108.0, hint);
}

#[test]
fn chains() {
    let tape = Tape::new();
    let x = tape.var(0.3);
    let y = x.powi(2).exp().tanh();
    // 2 x e^(x²) (1 - tanh²(e^(x²)))
    let s = 0.09_f64.exp();
    let expected = 0.6 * s * (1.0 - s.tanh().powi(2));
    let hint =
        "each step multiplies the gradient of its result; results come before their inputs on the way back";
    close("dtanh(exp(x²))/dx at 0.3", y.backward().of(x), expected, hint);
}

#[test]
fn from_the_middle() {
    let tape = Tape::new();
    let (x, z) = (tape.var(2.0), tape.var(7.0));
    let y = x.powi(2);
    let _later = y * z;
    let d = y.backward();
    close(
        "dy/dx where the tape goes on behind y",
        d.of(x),
        4.0,
        "the walk starts at the variable that was asked, not at the end",
    );
    close("dy/dz where y does not depend on z", d.of(z), 0.0, "no share, no gradient");
    close("dy/dy", d.of(y), 1.0, "the gradient of the variable itself is 1");
    close("the second time", y.backward().of(x), 4.0, "backward must not change the tape");
}

#[test]
fn long_chains() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let one: Var = tape.var(0.0);
    let y = (0..100_000).fold(x, |y, _| y + one);
    close("dy/dx behind 100,000 sums", y.backward().of(x), 1.0, "a loop, not a recursion");
}
