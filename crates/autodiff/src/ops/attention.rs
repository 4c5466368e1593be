//! Attention, out of products and a softmax.

use ndarray::{ArrayD, ArrayViewD, Axis, Zip};

use crate::compute::layout;
use crate::{Real, Var};

/// The mask `[queries, keys]` with which a query attends to the key of its own place and to those before:
/// true where `key ≤ query`.
#[doc(alias("tril", "is_causal", "generate_square_subsequent_mask", "triangular"))]
pub fn causal_mask(queries: usize, keys: usize) -> ndarray::Array2<bool> {
    ndarray::Array2::from_shape_fn((queries, keys), |(query, key)| key <= query)
}

/// # Attention
impl<F: Real> Var<'_, F> {
    /// `Y = A V` with the [`attention_weights`](Var::attention_weights) `A` of the query, which is `self`, for the key,
    /// and the value `V: [..., s, v]`, of shape `[..., l, v]` (Vaswani et al., 2017). A query that may attend to
    /// nothing gets zeros.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, causal_mask};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[0.0], [0.0]]);
    /// let value = tape.variable([[1.0], [2.0]]);
    /// let mask = causal_mask(2, 2).into_dyn();
    /// let y = x.scaled_dot_product_attention(x, value, Some(mask.view()), None);
    /// assert_eq!(y.value(), [[1.0], [1.5]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[doc(alias("attention", "sdpa", "dot_product_attention", "attn_mask", "is_causal"))]
    #[track_caller]
    pub fn scaled_dot_product_attention(
        self,
        key: Self,
        value: Self,
        mask: Option<ArrayViewD<'_, bool>>,
        bias: Option<Self>,
    ) -> Self {
        let weights = self.attention_weights(key, mask, bias);
        let (k, v) = (key.shape(), value.shape());
        assert!(
            v.len() == k.len() && v[..v.len() - 1] == k[..k.len() - 1],
            "`scaled_dot_product_attention`: key {k:?} and value {v:?} do not fit: [..., s, e], [..., s, v]"
        );
        weights.matmul(value)
    }

    /// How much each query takes of each key: `A = softmax(Q Kᵀ/√e + B)` along the last axis, for queries
    /// `Q: [..., l, e]`, which are `self`, and keys `K: [..., s, e]`, of shape `[..., l, s]`. For another scale
    /// multiply the query.
    ///
    /// Mask and bias `B` broadcast to the shape of the result. Where the `mask` is false, or the bias -∞, a query does
    /// not attend to a key: the weight is 0, and so is the gradient. A query that may attend to nothing has only
    /// weights of 0 and gives no gradient; a softmax of nothing would be NaN.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, ndarray::aview1};
    /// # let tape = Tape::new();
    /// let (query, key) = (tape.variable([[2.0]]), tape.variable([[3.0], [3.0], [5.0]]));
    /// let mask = aview1(&[true, true, false]).into_dyn();
    /// assert_eq!(query.attention_weights(key, Some(mask), None).value(), [[0.5, 0.5, 0.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[doc(alias("attn_mask", "masked_softmax"))]
    #[track_caller]
    pub fn attention_weights(
        self,
        key: Self,
        mask: Option<ArrayViewD<'_, bool>>,
        bias: Option<Self>,
    ) -> Self {
        let (q, k) = (self.shape(), key.shape());
        let fits = match (&*q, &*k) {
            ([q @ .., _, e], [k @ .., _, width]) => q == k && e == width,
            _ => false,
        };
        assert!(
            fits,
            "`attention_weights`: query {q:?} and key {k:?} do not fit: [..., l, e] and [..., s, e] are needed"
        );
        let rank = q.len();
        let scale = F::from_f64((q[rank - 1] as f64).sqrt().recip());
        let mut shape = q;
        shape[rank - 1] = k[rank - 2];
        let mut scores = (self * scale).matmul(key.transpose(-2, -1));
        if let Some(mask) = &mask {
            check_broadcast("mask", mask.shape(), &shape);
        }
        let mut open = mask.map(|mask| mask.to_owned());
        if let Some(bias) = bias {
            check_broadcast("bias", &bias.shape(), &shape);
            scores += bias;
            let of_bias = bias.value().mapv(|bias| bias != F::neg_infinity());
            if of_bias.iter().any(|&open| !open) {
                open = Some(open.map_or_else(|| of_bias.to_owned(), |open| both(&open, &of_bias.to_owned())));
            }
        }
        match open {
            Some(open) => scores.softmax_where(open),
            None => scores.softmax(-1),
        }
    }

    /// The softmax along the last axis of what is open; all 0 where nothing is.
    #[track_caller]
    fn softmax_where(self, open: ArrayD<bool>) -> Self {
        // The lowest number and not -∞, so that nothing on the way is NaN.
        let weights = Var::where_cond(open.view(), self, self.tape().constant(F::min_value())).softmax(-1);
        let open = if open.ndim() == 0 { open.insert_axis(Axis(0)) } else { open };
        let last = Axis(open.ndim() - 1);
        let any = open.map_axis(last, |row| row.iter().any(|&open| open)).insert_axis(last);
        if any.iter().all(|&any| any) {
            return weights;
        }
        Var::where_cond(any.view(), weights, self.tape().constant(F::ZERO))
    }
}

#[track_caller]
fn check_broadcast(what: &str, shape: &[usize], scores: &[usize]) {
    assert!(
        layout::broadcast_shape(shape, scores).as_deref() == Some(scores),
        "`attention_weights`: the {what} of shape {shape:?} cannot be broadcast to the scores' shape {scores:?}"
    );
}

fn both(a: &ArrayD<bool>, b: &ArrayD<bool>) -> ArrayD<bool> {
    let shape = layout::broadcast_shape(a.shape(), b.shape()).expect("both broadcast to the scores");
    let [a, b] = [a, b].map(|x| x.broadcast(&*shape).expect("the common shape"));
    Zip::from(a).and(b).map_collect(|&a, &b| a && b)
}
