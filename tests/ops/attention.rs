//! What a query that may attend to nothing gets, whichever way it is shut out, and what the masks are.

use ndarray::{arr2, aview1};
use wengert_autodiff::{IntoTensor, Tape, causal_mask};

/// PyTorch's gradient of the key is not 0 for a bias of -∞; a query that takes nothing must give nothing.
#[test]
fn a_query_that_may_attend_to_nothing_takes_zeros_and_gives_no_gradient() {
    let low = f64::NEG_INFINITY;
    let mask = arr2(&[[true, true], [false, false]]).into_dyn();
    let bias = [[0.0, 0.0], [low, low]];
    // Half by the one, half by the other.
    let (first, last) = (arr2(&[[true, true], [false, true]]).into_dyn(), [[0.0, 0.0], [0.0, low]]);
    for (mask, bias) in [(Some(mask), None), (None, Some(bias)), (Some(first), Some(last))] {
        let mut tape = Tape::new();
        tape.detect_anomaly(&());
        let (query, key) = (tape.variable([[1.0], [1000.0]]), tape.variable([[1.0], [1.0]]));
        let value = tape.variable([[1.0], [3.0]]);
        let bias = bias.map(|bias| tape.constant(bias));
        let y = query.scaled_dot_product_attention(key, value, mask.as_ref().map(|mask| mask.view()), bias);
        assert_eq!(y.value(), [[2.0], [0.0]].into_tensor());
        let grads = y.sum().backward();
        // The first query weighs 1 and 3 by halves: dv = 1/2 each, ds = ±1/2.
        assert_eq!(grads.wrt(value).unwrap(), [[0.5], [0.5]].into_tensor());
        assert_eq!(grads.wrt(key).unwrap(), [[-0.5], [0.5]].into_tensor());
        assert_eq!(grads.wrt(query).unwrap(), [[0.0], [0.0]].into_tensor());
    }
}

#[test]
fn masks_of_any_shape_broadcast() {
    let tape = Tape::new();
    let x = tape.constant([[[[1.0], [2.0]], [[3.0], [4.0]]]]); // [1, 2, 2, 1]
    let first = aview1(&[true, false]).into_dyn();
    let weights = x.attention_weights(x, Some(first.view()), None);
    assert_eq!(weights.value(), [[[[1.0, 0.0]; 2]; 2]].into_tensor());
    let none = ndarray::aview0(&false).into_dyn();
    assert_eq!(x.attention_weights(x, Some(none), None).value().sum(), 0.0);
    assert_eq!(causal_mask(2, 3), arr2(&[[true, false, false], [true, true, false]]));
}
