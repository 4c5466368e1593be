"""The polynomials of crates/autodiff/src/compute/math.rs: prints them with the error of each.

python3 -m venv .venv && .venv/bin/pip install mpmath==1.4.1 && .venv/bin/python tests/golden/elementary.py

Each is a least-squares fit at Chebyshev nodes, where it is close to the best in the maximum, of the error relative to
the function in the end. A coefficient is rounded to f32 before the next ones are fitted, so that they make up for it.
"""

import struct

from mpmath import mp, mpf, cos, erf, erfc, exp, expm1, floor, log, log1p, matrix, pi, qr_solve, sqrt, tanh

mp.prec = 200
NODES = 80


def f32(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def fit(name, f, low, high, degree, weight):
    """The coefficients of 1, x, x², … for f on [low, high]; the errors are multiplied by weight(x) first."""
    points = [low + (high - low) * (1 - cos(pi * (2 * k + 1) / (2 * NODES))) / 2 for k in range(NODES)]
    rest = [f(x) for x in points]
    coefficients = []
    for first in range(degree + 1):
        rows = matrix([[weight(x) * x**power for power in range(first, degree + 1)] for x in points])
        values = matrix([weight(x) * y for x, y in zip(points, rest)])
        coefficients.append(f32(qr_solve(rows, values)[0][0]))
        rest = [y - coefficients[-1] * x**first for x, y in zip(points, rest)]
    # The rest is what the polynomial misses.
    error = max(abs(weight(x) * y) for x, y in zip(points, rest))
    print(f"{name}: relative error 2^{float(log(error, 2)):.1f}")
    print("   ", ", ".join(f"{float(c):.9g}" for c in coefficients))


def split(name, x, bits):
    """x as a sum of two f32, the first with so few bits that its product with a small integer is exact."""
    scale = mpf(2) ** (bits - 1 - floor(log(x, 2)))
    high = floor(x * scale) / scale
    print(f"{name}: {float(high):.9g} + {float(f32(x - high)):.9g}")


split("ln 2", log(mpf(2)), 15)

# e^r = 1 + r + r² P(r). Relative to e^r - 1, as exp_m1 needs it.
half = log(mpf(2)) / 2
fit("exp", lambda r: (expm1(r) - r) / r**2, -half, half, 4, lambda r: r**2 / expm1(r))

# ln(1 + f) = f - f²/2 + f³ P(f)
fit(
    "ln",
    lambda f: (log1p(f) - f + f**2 / 2) / f**3,
    sqrt(mpf(1) / 2) - 1,
    sqrt(mpf(2)) - 1,
    8,
    lambda f: f**3 / log1p(f),
)

# tanh x = x + x s P(s) with s = x²
fit(
    "tanh",
    lambda s: (tanh(sqrt(s)) / sqrt(s) - 1) / s,
    mpf(0),
    mpf("0.625") ** 2,
    4,
    lambda s: s * sqrt(s) / tanh(sqrt(s)),
)

# erf x = x + x P(s) with s = x²
middle = mpf("0.9")
fit("erf, small", lambda s: erf(sqrt(s)) / sqrt(s) - 1, mpf(0), middle**2, 6, lambda s: sqrt(s) / erf(sqrt(s)))

# erf x = 1 - e^-P(x)
fit("erf, large", lambda x: -log(erfc(x)), middle, mpf(4), 8, lambda x: erfc(x) / erf(x))

# Mills' ratio M(x) = (1 - Φ(x)) / φ(x) = P((x - 3) / (x + 3)) / (1 + x), up to where Φ(-x) is below the subnormals
def mills(x):
    return sqrt(pi / 2) * erfc(x / sqrt(mpf(2))) * exp(x**2 / 2)


def unmapped(u):
    return 3 * (1 + u) / (1 - u)


def mapped(u):
    return mills(unmapped(u)) * (1 + unmapped(u))


fit("Mills' ratio", mapped, mpf(-1), (mpf(15) - 3) / (mpf(15) + 3), 9, lambda u: 1 / mapped(u))
