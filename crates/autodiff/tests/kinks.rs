//! Second derivatives on dual numbers where there is a choice: at kinks and among equal numbers the value moves as the
//! gradient says, so that the Hessian of what is computed from it is symmetric; and slopes that are infinite at 0.

use wengert_autodiff::{Dual, IntoTensor, Real, Tape, Tensor, Var};

type Number = Dual<f64>;
type Op = for<'t> fn(Var<'t, Number>) -> Var<'t, Number>;

const INF: f64 = f64::INFINITY;

fn zeros<'t>(x: Var<'t, Number>) -> Var<'t, Number> {
    x * Dual::ZERO
}

/// An op, where it has a choice, and the subgradient of each element of its result: rows of the matrix `S`.
type Row = (&'static str, Op, Vec<f64>, Vec<Vec<f64>>);

#[rustfmt::skip]
fn table() -> Vec<Row> {
    let (third, half) = (1.0 / 3.0, 0.5);
    let diagonal = |slopes: &[f64]| -> Vec<Vec<f64>> {
        let row = |i| (0..slopes.len()).map(|j| if i == j { slopes[i] } else { 0.0 }).collect();
        (0..slopes.len()).map(row).collect()
    };
    let one_of = |n: usize, i: usize| vec![(0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()];
    vec![
        ("max", |x| x.max(), vec![2.0, 5.0, 5.0, 1.0], vec![vec![0.0, half, half, 0.0]]),
        ("min", |x| x.min(), vec![1.0, 1.0, 4.0, 1.0], vec![vec![third, third, 0.0, third]]),
        ("max without ties", |x| x.max(), vec![1.0, 3.0], one_of(2, 1)),
        ("max_axes", |x| x.reshape(&[2, 2]).max_axes(&[1], false), vec![1.0, 1.0, 0.0, 3.0],
            vec![vec![half, half, 0.0, 0.0], vec![0.0, 0.0, 0.0, 1.0]]),
        ("max over two axes", |x| x.reshape(&[2, 1, 2]).max_axes(&[0, 2], true), vec![-1.0, -2.0, -1.0, -1.0],
            vec![vec![third, 0.0, third, third]]),
        ("min_axes", |x| x.reshape(&[2, 2]).min_axes(&[0], true), vec![1.0, 7.0, 1.0, 3.0],
            vec![vec![half, 0.0, half, 0.0], vec![0.0, 0.0, 0.0, 1.0]]),
        ("maximum", |x| x.slice(0, 0..2).maximum(x.slice(0, 2..4)), vec![1.0, 2.0, 1.0, 0.0],
            vec![vec![half, 0.0, half, 0.0], vec![0.0, 1.0, 0.0, 0.0]]),
        ("minimum", |x| x.slice(0, 0..2).minimum(x.slice(0, 2..4)), vec![-0.0, 2.0, 0.0, 1.0],
            vec![vec![half, 0.0, half, 0.0], vec![0.0, 0.0, 0.0, 1.0]]),
        ("clamp", |x| x.clamp(-1.0, 2.0), vec![-1.0, 2.0, 0.5, 3.0], diagonal(&[0.0, 0.0, 1.0, 0.0])),
        ("abs", |x| x.abs(), vec![0.0, -0.0, 2.0, -3.0], diagonal(&[0.0, 0.0, 1.0, -1.0])),
        ("mae", |x| x.slice(0, 0..2).mae_each(x.slice(0, 2..4)), vec![1.0, 2.0, 1.0, 5.0],
            vec![vec![0.0; 4], vec![0.0, -1.0, 0.0, 1.0]]),
        ("relu", |x| x.relu(), vec![0.0, -0.0, 1.0], diagonal(&[0.0, 0.0, 1.0])),
        ("leaky_relu", |x| x.leaky_relu(0.25), vec![0.0, -0.0, 1.0], diagonal(&[0.25, 0.25, 1.0])),
        ("hardsigmoid", |x| x.hardsigmoid(), vec![-3.0, 3.0, 0.0], diagonal(&[0.0, 0.0, 1.0 / 6.0])),
        ("hardswish", |x| x.hardswish(), vec![-3.0, 3.0], diagonal(&[0.0, 1.0])),
        ("sign", |x| x.sign(), vec![0.0, 2.0], diagonal(&[0.0, 0.0])),
        ("round", |x| x.round(), vec![0.5, -1.5], diagonal(&[0.0, 0.0])),
        ("norm(1)", |x| x.norm(1.0), vec![0.0, 2.0, -1.0], vec![vec![0.0, 1.0, -1.0]]),
        ("norm(2)", |x| x.norm(2.0), vec![0.0, 0.0], vec![vec![0.0, 0.0]]),
        ("norm(inf)", |x| x.norm(INF), vec![3.0, -3.0, 1.0], vec![vec![half, -half, 0.0]]),
        ("std", |x| x.std(0), vec![4.0, 4.0], vec![vec![0.0, 0.0]]),
        // The first in the order of reading.
        ("max_pool2d", |x| x.reshape(&[1, 1, 3, 3]).max_pool2d(3),
            vec![0.0, 1.0, 5.0, 5.0, 2.0, 0.0, 3.0, 5.0, 1.0], one_of(9, 2)),
        ("max_pool2d of a square", |x| x.reshape(&[1, 1, 2, 2]).max_pool2d(2),
            vec![1.0, 4.0, 4.0, 4.0], one_of(4, 1)),
        ("where", |x| Var::where_cond(ndarray::arr1(&[true, false]).view(), x, zeros(x)), vec![0.0, 1.0],
            diagonal(&[1.0, 0.0])),
    ]
}

/// Of `h = Σ w (y + 0.3 y²)`, whose Hessian is `Sᵀ diag(0.6 w) S`.
#[test]
fn what_is_chosen_moves_as_its_gradient_says() {
    for (name, f, x, s) in table() {
        let v: Vec<_> = (0..x.len()).map(|j| (0.8 * j as f64).cos()).collect();
        let w: Vec<_> = (0..s.len()).map(|i| 1.5 - i as f64).collect();
        let tape = Tape::new();
        let numbers = x.iter().zip(&v).map(|(&x, &v)| Dual::new(x, v)).collect::<Vec<_>>();
        let x = tape.variable(numbers);
        let y = f(x).reshape(&[s.len()]);
        let (values, moved) = (Dual::values(&y.value()), Dual::tangents(&y.value()));
        let dual_w = tape.constant(w.iter().map(|&w| Dual::from(w)).collect::<Vec<_>>());
        let grads = ((y + y * y * 0.3) * dual_w).sum().backward();
        let gradient = grads.wrt(x).expect("a gradient");
        let near = |found: f64, right: f64| (found - right).abs() <= 1e-14;
        let along: Vec<f64> = s.iter().map(|s| s.iter().zip(&v).map(|(s, v)| s * v).sum()).collect();
        for (&moved, &along) in moved.iter().zip(&along) {
            assert!(near(moved, along), "{name}: the value moves by {moved}, not {along}");
        }
        for (j, found) in gradient.iter().enumerate() {
            let terms = (0..s.len())
                .map(|i| (w[i] * (1.0 + 0.6 * values[i]) * s[i][j], 0.6 * w[i] * s[i][j] * along[i]));
            let (first, second) = terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1));
            assert!(
                near(found.value, first) && near(found.tangent, second),
                "{name}: {found}, not {first} and {second}"
            );
        }
    }
}

/// Infinite numbers are equal, too.
#[test]
fn equal_infinities_move_as_their_mean() {
    let tape = Tape::inference();
    let [a, b] = [1.0, 4.0].map(|v| tape.constant([Dual::new(-INF, v)]));
    for y in [a.maximum(b), a.minimum(b), Var::concat(&[a, b], 0).max(), Var::concat(&[a, b], 0).min()] {
        let y = y.sum().item();
        assert_eq!((y.value, y.tangent), (-INF, 2.5));
    }
}

/// The mixed derivative of `aᵇ` is `aᵇ⁻¹ (1 + b ln a)`, of which `a = 0` has the limit. A constant power is one.
#[test]
fn a_power_at_0_has_a_symmetric_hessian() {
    for (b, mixed) in [(0.0, 0.0), (0.5, -INF), (1.0, -INF), (1.5, 0.0), (2.0, 0.0), (3.0, 0.0)] {
        for zero in [0.0, -0.0] {
            let second = |a_moves: f64, b_moves: f64| {
                let tape = Tape::new();
                let (a, b) = (tape.variable(Dual::new(zero, a_moves)), tape.variable(Dual::new(b, b_moves)));
                let grads = a.pow(b).backward();
                [a, b].map(|x| grads.wrt(x).expect("a gradient").sum())
            };
            let (by_a, by_b) = (second(1.0, 0.0)[1], second(0.0, 1.0)[0]);
            assert_eq!((by_a.value, by_a.tangent), (0.0, mixed), "of the exponent's, b = {b}");
            assert_eq!(by_b.tangent, mixed, "of the base's, b = {b}");
            assert_eq!(second(0.0, 1.0)[1].tangent, 0.0, "b = {b}");
        }
    }
    // `0⁰` is constant for its gradient, and so it is along a direction.
    let tape = Tape::inference();
    let (a, b) = (tape.constant(Dual::new(0.0, 1.0)), tape.constant(Dual::new(0.0, 1.0)));
    assert_eq!((a.pow(b).item().value, a.pow(b).item().tangent), (1.0, 0.0));
}

/// A weight of 0 that moves is felt as its gradient says, and one that does not move not at all.
#[test]
fn weights_of_0_move_as_their_gradient_says() {
    type Loss = for<'t> fn(Var<'t, Number>, f64) -> Var<'t, Number>;
    // A loss of a weight, with its slope beside a number.
    let losses: [(&str, Loss, f64, f64); 9] = [
        ("kl_div", |t, x| t.tape().constant(Dual::from(x)).kl_div_each(t), -1.0, -INF),
        ("kl_div", |t, x| t.tape().constant(Dual::from(x)).kl_div_each(t), -INF, INF),
        ("kl_div", |t, x| t.tape().constant(Dual::from(x)).kl_div_each(t), INF, -INF),
        ("cross_entropy_soft", soft, -INF, INF),
        ("cross_entropy_soft", soft, 0.0, std::f64::consts::LN_2),
        ("bce_with_logits", |t, x| t.tape().constant(Dual::from(x)).bce_with_logits_each(t), -INF, INF),
        ("bce_with_logits", |t, x| t.tape().constant(Dual::from(x)).bce_with_logits_each(t), -3.0, 3.0),
        ("weighted_mean", mean, INF, INF),
        ("weighted_mean", mean, 3.0, -2.0),
    ];
    for (name, loss, x, slope) in losses {
        for zero in [0.0, -0.0] {
            for (moves, right) in [(1.0, slope), (-2.0, -2.0 * slope), (0.0, 0.0)] {
                let tape = Tape::new();
                let t = tape.variable(Dual::new(zero, moves));
                let y = loss(t, x).sum();
                let found = y.item();
                assert!(!found.value.is_nan(), "{name} beside {x}: {found}");
                assert!(
                    (found.tangent - right).abs() <= 1e-15 || found.tangent == right,
                    "{name} beside {x}: {found}"
                );
                if name != "weighted_mean" {
                    assert_eq!(
                        y.backward().wrt(t).expect("a gradient").sum().value,
                        slope,
                        "{name} beside {x}"
                    );
                }
            }
        }
    }
}

/// Of the logits 0 and `x`, with a target of 1 and of `t`.
fn soft(t: Var<'_, Number>, x: f64) -> Var<'_, Number> {
    let logits = t.tape().constant([[Dual::ZERO, Dual::from(x)]]);
    let target = Var::concat(&[t.tape().constant([Dual::ONE]), t.reshape(&[1])], 0);
    logits.cross_entropy_soft_each(target.reshape(&[1, 2]))
}

/// `(t x + 5) / (t + 1)`.
fn mean(t: Var<'_, Number>, x: f64) -> Var<'_, Number> {
    let weights: Tensor<Number> = [t.item(), Dual::ONE].into_tensor();
    t.tape().constant([Dual::from(x), Dual::from(5.0)]).weighted_mean(weights)
}
