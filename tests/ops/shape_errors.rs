//! Where shapes do not fit, the panic names the op and the shapes, and points at the caller's line.

use crate::panics::assert_panics;
use ndarray::{Array1, Array2, aview1};
use wengert_autodiff::{Tape, Tensor, Var};

fn v<'t>(tape: &'t Tape<f64>, shape: &[usize]) -> Var<'t, f64> {
    tape.variable(Tensor::zeros(shape))
}

#[test]
#[rustfmt::skip]
fn panics_name_the_op_and_the_shapes_at_the_callers_line() {
    let t = &Tape::new();
    assert_panics(&["`add`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]) + v(t, &[4]));
    assert_panics(&["`sub`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]) - v(t, &[4]));
    assert_panics(&["`mul`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]) * v(t, &[4]));
    assert_panics(&["`div`", "[2, 3]", "[2, 2]"], || _ = v(t, &[2, 3]) / v(t, &[2, 2]));
    assert_panics(&["`maximum`", "[2, 3]", "[0]"], || _ = v(t, &[2, 3]).maximum(v(t, &[0])));
    assert_panics(&["`minimum`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).minimum(v(t, &[4])));
    assert_panics(&["`pow`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).pow(v(t, &[4])));
    assert_panics(&["`remainder`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).remainder(v(t, &[4])));
    assert_panics(&["`atan2`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).atan2(v(t, &[4])));
    assert_panics(&["`gt`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).gt(v(t, &[4])));
    assert_panics(&["`ge`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).ge(v(t, &[4])));
    assert_panics(&["`lt`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).lt(v(t, &[4])));
    assert_panics(&["`le`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).le(v(t, &[4])));
    assert_panics(&["`eq`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).eq(v(t, &[4])));
    assert_panics(&["`ne`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).ne(v(t, &[4])));
    assert_panics(&["`add`", "[2, 3]", "[4]"], || {
        let mut y = v(t, &[2, 3]);
        y += v(t, &[4]);
    });
    assert_panics(&["`where_cond`", "[2, 3]", "[4]"],
        || _ = Var::where_cond(aview1(&[true]), v(t, &[2, 3]), v(t, &[4])));
    assert_panics(&["`where_cond`", "[2, 3]", "[2]"],
        || _ = Var::where_cond(aview1(&[true, false]), v(t, &[2, 3]), v(t, &[3])));
    assert_panics(&["`tril`", "[3]"], || _ = v(t, &[3]).tril(0));
    assert_panics(&["`triu`", "[3]"], || _ = v(t, &[3]).triu(0));
    assert_panics(&["`flip`", "2", "[3]"], || _ = v(t, &[3]).flip(&[2]));
    assert_panics(&["`clamp`", "1", "-1"], || _ = v(t, &[2]).clamp(1.0, -1.0));
    assert_panics(&["`matmul`", "[2, 3]", "[4, 5]"], || _ = v(t, &[2, 3]).matmul(v(t, &[4, 5])));
    assert_panics(&["`matmul`", "[3]", "[4, 5]"], || _ = v(t, &[3]).matmul(v(t, &[4, 5])));
    assert_panics(&["`matmul`", "[]", "[3, 5]"], || _ = v(t, &[]).matmul(v(t, &[3, 5])));
    assert_panics(&["`matmul`", "[2, 3]", "[2]"], || _ = v(t, &[2, 3]).matmul(v(t, &[2])));
    assert_panics(&["`matmul`", "[2, 4, 3]", "[5, 3, 4]"], || _ = v(t, &[2, 4, 3]).matmul(v(t, &[5, 3, 4])));
    assert_panics(&["`matmul`", "[2, 1, 2, 2]", "[3, 3, 2, 2]"],
        || _ = v(t, &[2, 1, 2, 2]).matmul(v(t, &[3, 3, 2, 2])));
    assert_panics(&["`linear`", "[2, 3]", "[5, 4]"], || _ = v(t, &[2, 3]).linear(v(t, &[5, 4]), None));
    assert_panics(&["`attention_weights`", "[2, 3]", "[4, 5]"],
        || _ = v(t, &[2, 3]).attention_weights(v(t, &[4, 5]), None, None));
    assert_panics(&["`attention_weights`", "bias", "[3, 2]", "[2, 4]"],
        || _ = v(t, &[2, 3]).attention_weights(v(t, &[4, 3]), None, Some(v(t, &[3, 2]))));
    assert_panics(&["`attention_weights`", "mask", "[2]", "[2, 4]"],
        || _ = v(t, &[2, 3]).attention_weights(v(t, &[4, 3]), Some(aview1(&[true, false]).into_dyn()), None));
    assert_panics(&["`scaled_dot_product_attention`", "[4, 3]", "[5, 3]"],
        || _ = v(t, &[2, 3]).scaled_dot_product_attention(v(t, &[4, 3]), v(t, &[5, 3]), None, None));
    assert_panics(&["`gru`", "[3, 2, 6]", "[6, 3]", "3·h"],
        || _ = v(t, &[3, 2, 6]).gru(None, v(t, &[6, 3]), None, false));
    assert_panics(&["`gru`", "at least one step", "[0, 2, 6]"],
        || _ = v(t, &[0, 2, 6]).gru(None, v(t, &[6, 2]), None, false));
    assert_panics(&["`lstm`", "[1, 2]", "[3, 2]"],
        || _ = v(t, &[1, 3, 8]).lstm(Some((v(t, &[3, 2]), v(t, &[1, 2]))), v(t, &[8, 2]), None, false));
    assert_panics(&["`rnn_tanh`", "[3]", "[2, 2]"],
        || _ = v(t, &[1, 3, 2]).rnn_tanh(None, v(t, &[2, 2]), Some(v(t, &[3])), true));
    assert_panics(&["`rnn_relu`", "[3, 2]", "[2, 2]"], || _ = v(t, &[3, 2]).rnn_relu(None, v(t, &[2, 2]), None, true));
    assert_panics(&["`linear`", "[]", "[5, 4]"], || _ = v(t, &[]).linear(v(t, &[5, 4]), None));
    assert_panics(&["`linear`", "[4]", "[5, 3]"], || _ = v(t, &[2, 3]).linear(v(t, &[5, 3]), Some(v(t, &[4]))));
    assert_panics(&["`sum`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).sum_axes(&[2], false));
    assert_panics(&["`sum`", "axis 1", "twice", "[2, 3]"], || _ = v(t, &[2, 3]).sum_axes(&[1, -1], false));
    assert_panics(&["`mean`", "[0, 3]", "no elements"], || _ = v(t, &[0, 3]).mean());
    assert_panics(&["`mean`", "axis -3", "[2, 3]"], || _ = v(t, &[2, 3]).mean_axes(&[-3], false));
    assert_panics(&["`mean`", "[0, 3]", "no elements"], || _ = v(t, &[0, 3]).mean_axes(&[0], false));
    assert_panics(&["`var`", "[1]", "ddof = 1"], || _ = v(t, &[1]).var(1));
    assert_panics(&["`var`", "[2, 0]", "ddof = 0"], || _ = v(t, &[2, 0]).var_axes(&[1], 0, true));
    assert_panics(&["`std`", "[1]", "ddof = 1"], || _ = v(t, &[1]).std(1));
    assert_panics(&["`std`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).std_axes(&[2], 0, true));
    assert_panics(&["`norm`", "-1"], || _ = v(t, &[2]).norm(-1.0));
    assert_panics(&["`norm`", "[0, 3]", "no elements"], || _ = v(t, &[0, 3]).norm(f64::INFINITY));
    assert_panics(&["`norm`", "axis 1", "[3]"], || _ = v(t, &[3]).norm_axes(1.0, &[1], true));
    assert_panics(&["`prod`", "axis 1", "[3]"], || _ = v(t, &[3]).prod_axes(&[1], true));
    assert_panics(&["`cumsum`", "axis 0", "[]"], || _ = v(t, &[]).cumsum(0));
    assert_panics(&["`cumprod`", "axis 1", "[3]"], || _ = v(t, &[3]).cumprod(1));
    assert_panics(&["`argmax`", "[3, 0]", "no elements"], || _ = v(t, &[3, 0]).argmax(1));
    assert_panics(&["`argmin`", "axis 1", "[3]"], || _ = v(t, &[3]).argmin(1));
    assert_panics(&["`sort`", "axis 1", "[3]"], || _ = v(t, &[3]).sort(1, false));
    assert_panics(&["`topk`", "3", "4", "axis 0"], || _ = v(t, &[3]).topk(4, 0));
    assert_panics(&["`one_hot`", "index 3", "[1, 3]"], || _ = t.one_hot(&[3], 3));
    let index = Array2::<usize>::zeros((2, 3));
    assert_panics(&["`scatter_add`", "[2, 3]", "[3]"],
        || _ = v(t, &[3]).scatter_add(0, index.view(), v(t, &[2, 3])));
    assert_panics(&["`scatter_add`", "[2, 3]", "[2, 4]"],
        || _ = v(t, &[2, 3]).scatter_add(0, index.view(), v(t, &[2, 4])));
    assert_panics(&["`scatter_add`", "index 0", "[2, 0]"],
        || _ = v(t, &[2, 0]).scatter_add(1, index.view(), v(t, &[2, 3])));
    assert_panics(&["`max`", "[0]", "no elements"], || _ = v(t, &[0]).max());
    assert_panics(&["`max`", "axis 1", "[3]"], || _ = v(t, &[3]).max_axes(&[1], true));
    assert_panics(&["`min`", "[0]", "no elements"], || _ = v(t, &[0]).min());
    assert_panics(&["`min`", "[3, 0]", "no elements"], || _ = v(t, &[3, 0]).min_axes(&[1], true));
    assert_panics(&["`reshape`", "[2, 3]", "[5]"], || _ = v(t, &[2, 3]).reshape(&[5]));
    let half = 1 << (usize::BITS - 1);
    assert_panics(&["`reshape`", "[0]", &format!("{half}, 2")], || _ = v(t, &[0]).reshape(&[half, 2]));
    assert_panics(&["`t`", "[2, 3, 4]"], || _ = v(t, &[2, 3, 4]).t());
    assert_panics(&["`transpose`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).transpose(0, 2));
    assert_panics(&["`permute`", "[1]", "[2, 3]"], || _ = v(t, &[2, 3]).permute(&[1]));
    assert_panics(&["`permute`", "twice", "[2, 3]"], || _ = v(t, &[2, 3]).permute(&[1, 1]));
    assert_panics(&["`permute`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).permute(&[0, 2]));
    assert_panics(&["`broadcast_to`", "[2, 3]", "[4]"], || _ = v(t, &[2, 3]).broadcast_to(&[4]));
    assert_panics(&["`broadcast_to`", "[2, 3]", "[1, 3]"], || _ = v(t, &[2, 3]).broadcast_to(&[1, 3]));
    assert_panics(&["`slice`", "1..4", "axis 1", "[2, 3]"], || _ = v(t, &[2, 3]).slice(1, 1..4));
    assert_panics(&["`slice`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).slice(2, 0..1));
    assert_panics(&["`concat`", "[2, 3]", "[2, 4]"], || _ = Var::concat(&[v(t, &[2, 3]), v(t, &[2, 4])], 0));
    assert_panics(&["`concat`", "[2, 3]", "[3]"], || _ = Var::concat(&[v(t, &[2, 3]), v(t, &[3])], 0));
    assert_panics(&["`concat`", "axis 2", "[2, 3]"], || _ = Var::concat(&[v(t, &[2, 3])], 2));
    assert_panics(&["`concat`", "at least one"], || _ = Var::<f64>::concat(&[], 0));
    assert_panics(&["`stack`", "[2, 3]", "[3, 2]"], || _ = Var::stack(&[v(t, &[2, 3]), v(t, &[3, 2])], 0));
    assert_panics(&["`stack`", "axis 3", "[2, 3, 1]"], || _ = Var::stack(&[v(t, &[2, 3])], 3));
    assert_panics(&["`stack`", "at least one"], || _ = Var::<f64>::stack(&[], 0));
    assert_panics(&["`split`", "[1, 1]", "axis 1", "[2, 3]"], || _ = v(t, &[2, 3]).split(&[1, 1], 1));
    assert_panics(&["`split`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).split(&[], 2));
    assert_panics(&["`split`", "axis 0", "[2]"], || _ = v(t, &[2]).split(&[usize::MAX, 3], 0));
    assert_panics(&["`pad_reflect`", "3 and 0", "axis of 3"], || _ = v(t, &[3]).pad_reflect(&[(3, 0)]));
    assert_panics(&["`pad_reflect`", "2 pairs", "[3]"], || _ = v(t, &[3]).pad_reflect(&[(0, 0), (0, 0)]));
    assert_panics(&["`pad_replicate`", "axis 1", "[3, 0]"], || _ = v(t, &[3, 0]).pad_replicate(&[(0, 0), (1, 0)]));
    assert_panics(&["`pad_circular`", "0 and 4", "axis of 3"], || _ = v(t, &[3]).pad_circular(&[(0, 4)]));
    assert_panics(&["`pad_circular`", "1 pairs", "[3, 1]"], || _ = v(t, &[3, 1]).pad_circular(&[(1, 1)]));
    assert_panics(&["`upsample_bilinear2d`", "[2, 3, 4]"],
        || _ = v(t, &[2, 3, 4]).upsample_bilinear2d([2, 2], false));
    assert_panics(&["`upsample_bilinear2d`", "[0, 2]", "[3, 4]"],
        || _ = v(t, &[1, 1, 3, 4]).upsample_bilinear2d([0, 2], true));
    assert_panics(&["`upsample_bilinear2d`", "[2, 2]", "[0, 4]"],
        || _ = v(t, &[1, 1, 0, 4]).upsample_bilinear2d([2, 2], true));
    assert_panics(&["`index_select`", "index 4", "4 rows", "[4, 3]"], || _ = v(t, &[4, 3]).index_select(0, &[1, 4]));
    assert_panics(&["`index_select`", "axis 2", "[4, 3]"], || _ = v(t, &[4, 3]).index_select(2, &[]));
    assert_panics(&["`gather`", "[4]", "[2, 3]"], || _ = v(t, &[2, 3]).gather(1, Array1::zeros(4).view()));
    assert_panics(&["`gather`", "[3, 1]", "[2, 3]"], || _ = v(t, &[2, 3]).gather(1, Array2::zeros((3, 1)).view()));
    assert_panics(&["`gather`", "index 3", "[2, 3]"],
        || _ = v(t, &[2, 3]).gather(1, Array2::from_elem((2, 1), 3).view()));
    assert_panics(&["`gather`", "axis 2", "[2, 3]"], || _ = v(t, &[2, 3]).gather(2, Array2::zeros((2, 1)).view()));
}

#[test]
#[rustfmt::skip]
fn operands_of_two_tapes_are_refused() {
    let (one, two) = (Tape::new(), Tape::new());
    let (a, b) = (v(&one, &[1, 1]), v(&two, &[1, 1]));
    assert_panics(&["`add`", "two different tapes"], || _ = a + b);
    assert_panics(&["`matmul`", "two different tapes"], || _ = a.matmul(b));
    assert_panics(&["`linear`", "two different tapes"], || _ = a.linear(b, None));
    assert_panics(&["`linear`", "two different tapes"], || _ = a.linear(a, Some(b)));
    assert_panics(&["`concat`", "two different tapes"], || _ = Var::concat(&[a, b], 0));
    assert_panics(&["`stack`", "two different tapes"], || _ = Var::stack(&[a, b], 0));
    assert_panics(&["`where_cond`", "two different tapes"], || _ = Var::where_cond(aview1(&[true]), a, b));
}
