//! Rows chosen by number, against their definition, along every axis and from every layout.

use wengert_autodiff::{Tape, Tensor};

/// `y[…, k, …] = x[…, indices[k], …]`, and `dx` in the order of the indices.
#[test]
fn index_select_is_its_definition() {
    // More than 32 terms for a place, a few, none, and one element for each row.
    let many: Vec<_> = (0..200).map(|i| (i * 7 + i / 3) % 2).collect();
    let indices: [&[usize]; 5] = [&[1, 0, 1], &[], &[0], &[1, 1, 1, 0, 0], &many];
    for shape in [vec![2], vec![2, 2], vec![2, 3, 2], vec![3, 2, 1], vec![2, 5, 2, 4]] {
        for (axis, indices) in (0..shape.len()).flat_map(|axis| indices.map(|indices| (axis, indices))) {
            let indices: Vec<_> = indices.iter().map(|i| i % shape[axis]).collect();
            for is_strided in [false, true] {
                let element = |i: usize| (1.7 * i as f32 + 0.3).sin();
                let x: Vec<_> = (0..shape.iter().product()).map(element).collect();
                let x = Tensor::from_shape_vec(&shape[..], x).unwrap();
                let tape = Tape::new();
                let turned = tape.variable(if is_strided { x.clone().reversed_axes() } else { x.clone() });
                let back: Vec<_> = (0..shape.len() as isize).rev().collect();
                let v = if is_strided { turned.permute(&back) } else { turned };
                let y = v.index_select(axis as isize, &indices);
                let mut dy = y.value().to_owned();
                dy.iter_mut().enumerate().for_each(|(i, dy)| *dy = element(i + 5));
                let mut dx = ndarray::ArrayD::<f64>::zeros(&shape[..]);
                for (mut at, &dy) in dy.indexed_iter() {
                    let found = y.value()[&at];
                    at[axis] = indices[at[axis]];
                    assert_eq!(found, x[&at], "{shape:?}, axis {axis}");
                    dx[&at] += f64::from(dy);
                }
                if dy.is_empty() {
                    continue;
                }
                let grads = (y * tape.constant(dy)).sum().backward();
                let found = grads.wrt(turned).unwrap();
                let found = if is_strided { found.clone().reversed_axes() } else { found.clone() };
                for (&found, &right) in found.iter().zip(&dx) {
                    assert!(
                        (f64::from(found) - right).abs() < 1e-6,
                        "{shape:?}, axis {axis}: {found}, {right}"
                    );
                }
            }
        }
    }
}
