//! `einsum` against the sum that its equation says, term by term.

use std::collections::{BTreeMap, BTreeSet};

use crate::panics::assert_panics;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_autodiff::{IntoTensor, Tape, Tensor, Var};

/// The sum over all values of all letters.
fn by_hand(
    inputs: &[Vec<char>],
    output: &[char],
    operands: &[Tensor<f64>],
    sizes: &BTreeMap<char, usize>,
) -> Tensor<f64> {
    let letters: Vec<char> = sizes.keys().copied().collect();
    let shape: Vec<usize> = output.iter().map(|letter| sizes[letter]).collect();
    let mut result = Tensor::zeros(shape);
    for values in ndarray::indices(sizes.values().copied().collect::<Vec<_>>()) {
        let value = |letter: &char| values[letters.iter().position(|of| of == letter).unwrap()];
        let mut product = 1.0;
        for (labels, x) in inputs.iter().zip(operands) {
            // An axis of size 1 is repeated.
            let at: Vec<usize> =
                labels.iter().zip(x.shape()).map(|(l, &n)| if n == 1 { 0 } else { value(l) }).collect();
            product *= x[&at[..]];
        }
        let at: Vec<usize> = output.iter().map(value).collect();
        result[&at[..]] += product;
    }
    result
}

#[test]
fn random_equations_mean_what_they_say() {
    let mut rng = StdRng::seed_from_u64(0);
    let mut with_diagonal = 0;
    for case in 0..1000 {
        let sizes: BTreeMap<char, usize> =
            ('a'..='e').map(|letter| (letter, rng.random_range(0..4))).collect();
        let mut used = BTreeMap::new();
        let (mut inputs, mut operands) = (Vec::new(), Vec::new());
        for _ in 0..rng.random_range(1..4) {
            let labels: Vec<char> =
                (0..rng.random_range(0..4)).map(|_| rng.random_range('a'..='e')).collect();
            let distinct: BTreeSet<char> = labels.iter().copied().collect();
            with_diagonal += usize::from(distinct.len() < labels.len());
            // Some axes have size 1 in this operand alone.
            let own: BTreeMap<char, usize> =
                distinct.iter().map(|&l| (l, if rng.random_bool(0.15) { 1 } else { sizes[&l] })).collect();
            for (&letter, &size) in &own {
                let known = used.entry(letter).or_insert(size);
                *known = if *known == 1 { size } else { *known };
            }
            let shape: Vec<usize> = labels.iter().map(|letter| own[letter]).collect();
            operands.push(Tensor::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0)));
            inputs.push(labels);
        }
        let output: Vec<char> = used.keys().copied().filter(|_| rng.random_bool(0.5)).collect();
        let text = |labels: &[char]| labels.iter().collect::<String>();
        let left: Vec<String> = inputs.iter().map(|labels| text(labels)).collect();
        let equation = format!("{}->{}", left.join(","), text(&output));
        let tape = Tape::new();
        let x: Vec<_> = operands.iter().map(|x| tape.constant(x.clone())).collect();
        let found = Var::einsum(&equation, &x).value();
        let expected = by_hand(&inputs, &output, &operands, &used);
        assert_eq!(found.shape(), expected.shape(), "case {case}: {equation}");
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12, "case {case}: {equation} {operands:?}");
        }
    }
    assert!(with_diagonal > 100);
}

#[test]
fn dots_and_missing_arrows_are_numpys() {
    let tape = Tape::new();
    let v = |shape: &[usize]| {
        tape.constant(Tensor::<f64>::from_shape_fn(shape, |at| {
            1.0 + (0..shape.len()).map(|axis| at[axis]).sum::<usize>() as f64
        }))
    };
    let shape = |equation: &str, operands: &[Var<'_, f64>]| Var::einsum(equation, operands).shape();
    assert_eq!(shape("ij,jk", &[v(&[2, 3]), v(&[3, 4])]), [2, 4]);
    assert_eq!(shape("ba", &[v(&[2, 3])]), [3, 2]);
    assert_eq!(shape("...ij,...jk->...ik", &[v(&[5, 1, 2, 3]), v(&[7, 3, 4])]), [5, 7, 2, 4]);
    assert_eq!(shape("i...->...", &[v(&[2, 3, 4])]), [3, 4]);
    assert_eq!(shape("...i,i", &[v(&[2, 3, 4]), v(&[4])]), [2, 3]);
    assert_eq!(shape("...->...", &[v(&[])]), []);
    assert_eq!(shape(" i j , j -> i ", &[v(&[2, 3]), v(&[3])]), [2]);
    assert_eq!(Var::einsum("...ii->...", &[v(&[2, 3, 3])]).value(), [9.0, 12.0].into_tensor());
}

#[test]
#[rustfmt::skip]
fn mistakes_panic_at_the_callers_line() {
    let tape = Tape::new();
    let v = |shape: &[usize]| tape.constant(Tensor::<f64>::zeros(shape));
    assert_panics(&["`einsum`", "2 operands", "1"], || _ = Var::einsum("ij,jk", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "0"], || _ = Var::<f64>::einsum("", &[]));
    assert_panics(&["`einsum`", "`ijk`", "[2, 3]"], || _ = Var::einsum("ijk", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "`i`", "[2, 3]"], || _ = Var::einsum("i->i", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "`j`", "3 and 4"], || _ = Var::einsum("ij,jk", &[v(&[2, 3]), v(&[4, 2])]));
    assert_panics(&["`einsum`", "`i`", "2 and 3"], || _ = Var::einsum("ii", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "`i`", "1 and 3"], || _ = Var::einsum("ii", &[v(&[1, 3])]));
    assert_panics(&["`einsum`", "`k`", "result only"], || _ = Var::einsum("ij->k", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "`i`", "twice"], || _ = Var::einsum("ij->ii", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "`i-`", "letters"], || _ = Var::einsum("i-,j->i", &[v(&[2, 3]), v(&[3])]));
    assert_panics(&["`einsum`", "letters"], || _ = Var::einsum("i......->i", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "letters"], || _ = Var::einsum("ij->i->j", &[v(&[2, 3])]));
    assert_panics(&["`einsum`", "`...`", "2 and 3"], || _ = Var::einsum("...i,...i", &[v(&[2, 4]), v(&[3, 4])]));
    let other = Tape::new();
    assert_panics(&["two different tapes"], || _ = Var::einsum("i,i", &[v(&[2]), other.constant([1.0, 2.0])]));
}
