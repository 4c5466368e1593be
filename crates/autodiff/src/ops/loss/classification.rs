//! Losses of a classifier: one number per row of `x: [n, classes]`, and the mean over the rows.

use ndarray::{Array1, Axis};

use crate::compute::{buffers, elementwise, inlined, layout, reduce, sum, vectorized};
use crate::ops::elementwise::weighted;
use crate::ops::softmax::log_softmax;
use crate::{Real, Tensor, Var};

/// # Losses of a classifier
///
/// Each comes in two forms: `cross_entropy` is the mean over the rows, `cross_entropy_each` has one number per row.
impl<F: Real> Var<'_, F> {
    /// The usual loss of a classifier, a scalar: the mean over the rows of
    /// [`cross_entropy_each`](Var::cross_entropy_each), for logits `[n, classes]` and `n` labels.
    ///
    /// ```
    /// # use wengert_autodiff::{Tape, Tensor};
    /// # let tape = Tape::new();
    /// let logits = tape.variable(Tensor::<f32>::zeros(vec![2, 4]));
    /// let loss = logits.cross_entropy(&[3, 0]);
    /// assert_eq!(loss.item(), 4_f32.ln()); // every class is equally likely
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_each`](Var::cross_entropy_each), and if there is no row.
    #[doc(alias(
        "CrossEntropyLoss",
        "softmax_cross_entropy_with_integer_labels",
        "sparse_categorical_crossentropy",
        "sparse_softmax_cross_entropy_with_logits"
    ))]
    #[track_caller]
    pub fn cross_entropy(self, labels: &[usize]) -> Self {
        self.cross_entropy_each(labels).mean()
    }

    /// The cross entropy of each row, of shape `[n]` (reduction = none): `yᵢ = -ln pᵢₖ` with `p = softmax(x)` along the
    /// rows and `k = labels[i]`; `dxᵢⱼ = (pᵢⱼ - [j = k]) dyᵢ`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[0.0, 0.0], [0.0, 1000.0]]);
    /// assert_eq!(x.cross_entropy_each(&[1, 0]).value(), [2.0_f64.ln(), 1000.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the logits do not have the shape `[n, classes]`, there are not `n` labels, or a label is not a class.
    #[doc(alias("reduction", "softmax_cross_entropy_with_integer_labels"))]
    #[track_caller]
    pub fn cross_entropy_each(self, labels: &[usize]) -> Self {
        self.cross_entropy_smooth_each(labels, 0.0)
    }

    /// Cross entropy with label smoothing, a scalar: the mean over the rows of
    /// [`cross_entropy_smooth_each`](Var::cross_entropy_smooth_each).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let x = tape.variable([[0.0, 0.0], [0.0, 1000.0]]);
    /// assert_eq!(x.cross_entropy_smooth(&[1, 1], 0.0).item(), x.cross_entropy(&[1, 1]).item());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_smooth_each`](Var::cross_entropy_smooth_each), and if there is no row.
    #[doc(alias("label_smoothing", "smooth_labels"))]
    #[track_caller]
    pub fn cross_entropy_smooth(self, labels: &[usize], smoothing: f64) -> Self {
        self.cross_entropy_smooth_each(labels, smoothing).mean()
    }

    /// Cross entropy with label smoothing (Szegedy et al., 2016) of each row, of shape `[n]` (reduction = none). A
    /// share `ε` of each label, the `smoothing`, is spread evenly over all `K` classes:
    /// `qᵢⱼ = (1 - ε) [j = labels[i]] + ε/K`, `yᵢ = -Σⱼ qᵢⱼ ln pᵢⱼ` with `p = softmax(x)` along the rows;
    /// `dx = (p - q) dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[0.0, 1000.0]]);
    /// assert_eq!(x.cross_entropy_smooth_each(&[1], 0.5).value(), [250.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_each`](Var::cross_entropy_each), and if the smoothing is not within 0 and 1.
    #[doc(alias("reduction", "label_smoothing"))]
    #[track_caller]
    pub fn cross_entropy_smooth_each(self, labels: &[usize], smoothing: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "`cross_entropy`: the smoothing must lie within 0 and 1, it is {smoothing}"
        );
        let x = self.value();
        check_labels("cross_entropy", x.shape(), labels);
        let log_p = log_softmax(&x, Axis(1));
        let smoothing = F::from_f64(smoothing);
        let on_label = F::ONE - smoothing;
        let everywhere = smoothing / F::from_f64(x.shape()[1] as f64);
        let y = per_row(&log_p, |i, row| {
            // A logit of -∞ rules a class out: its `0 · -∞` must not count where nothing is spread.
            let spread = if everywhere > F::ZERO { everywhere * sum::sum(row) } else { F::ZERO };
            weighted(on_label, -row[labels[i]]) - spread
        });
        let labels = labels.to_vec();
        let dx = self.edge(move |dy| {
            let mut dx = elementwise::map(&log_p, F::fast_exp);
            buffers::recycle(log_p);
            let classes = dx.len_of(Axis(1)).max(1);
            let rows = dx.as_slice_mut().expect("in row-major order").chunks_exact_mut(classes);
            vectorized(inlined!(|| {
                for ((row, &label), &dy) in rows.zip(&labels).zip(&dy) {
                    // p - 1 of the label, as minus the others' sum: near 1 the difference would cancel.
                    row[label] = F::ZERO;
                    let at_label = smoothing - everywhere - sum::sum(row);
                    row.iter_mut().for_each(|p| *p = (*p - everywhere) * dy);
                    row[label] = at_label * dy;
                }
            }));
            dx
        });
        self.tape().record("cross_entropy", y, [dx])
    }

    /// Cross entropy with class probabilities as the target, a scalar: the mean over the rows of
    /// [`cross_entropy_soft_each`](Var::cross_entropy_soft_each).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (x, t) = (tape.variable([[0.0, 1000.0]]), tape.constant([[0.25, 0.75]]));
    /// assert_eq!(x.cross_entropy_soft(t).item(), 250.0);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_soft_each`](Var::cross_entropy_soft_each), and if there is no row.
    #[doc(alias(
        "soft_labels",
        "softmax_cross_entropy",
        "categorical_crossentropy",
        "softmax_cross_entropy_with_logits"
    ))]
    #[track_caller]
    pub fn cross_entropy_soft(self, target: Self) -> Self {
        self.cross_entropy_soft_each(target).mean()
    }

    /// The cross entropy of each row, of shape `[n]` (reduction = none), with class probabilities in place of each
    /// label, `target: [n, classes]`: `yᵢ = -Σⱼ tᵢⱼ ln pᵢⱼ` with `p = softmax(x)` along the rows and `0 ln 0 = 0`;
    /// `dx = (p Σⱼ tᵢⱼ - t) dy`, `dt = -ln p dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, t) = (tape.variable([[0.0, 1000.0]]), tape.constant([[0.25, 0.75]]));
    /// assert_eq!(x.cross_entropy_soft_each(t).value(), [250.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the logits do not have the shape `[n, classes]`, or the target has another.
    #[doc(alias("reduction", "softmax_cross_entropy"))]
    #[track_caller]
    pub fn cross_entropy_soft_each(self, target: Self) -> Self {
        const OP: &str = "cross_entropy_soft";
        self.same_tape(OP, target);
        self.same_shape(OP, target);
        let (x, t) = (self.value(), target.value());
        check_rows(OP, x.shape());
        let log_p = log_softmax(&x, Axis(1));
        let term = |log_p: F, t: F| weighted(t, -log_p);
        let y = reduce::sum_axis(&elementwise::broadcast_map(&log_p, &t, x.shape(), term), Axis(1));
        let saved = log_p.clone();
        let dx = self.edge(move |dy| {
            let row = inlined!(|log_p: &mut [F], t: &[F], dy: F| {
                let total = sum::sum(t);
                log_p.iter_mut().zip(t).for_each(|(x, &t)| *x = (x.fast_exp() * total - t) * dy);
            });
            for_each_row(saved, &t, &dy, row)
        });
        let dt = target.edge(move |dy| {
            let dy = dy.insert_axis(Axis(1));
            elementwise::broadcast_map(&log_p, &dy, log_p.shape(), |log_p, dy| -log_p * dy)
        });
        self.tape().record(OP, y, [dx, dt])
    }

    /// The negative log-likelihood, a scalar: the mean over the rows of [`nll_each`](Var::nll_each).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let log_p = tape.variable([[-1.0, -2.0], [-3.0, -4.0]]);
    /// assert_eq!(log_p.nll(&[0, 1]).item(), 2.5);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`nll_each`](Var::nll_each), and if there is no row.
    #[doc(alias("nll_loss", "NLLLoss"))]
    #[track_caller]
    pub fn nll(self, labels: &[usize]) -> Self {
        self.nll_each(labels).mean()
    }

    /// The negative log-likelihood of each row, of shape `[n]` (reduction = none), for log-probabilities
    /// `x: [n, classes]`: `yᵢ = -xᵢₖ` with `k = labels[i]`; `dxᵢⱼ = -[j = k] dyᵢ`. From logits,
    /// [`cross_entropy`](Var::cross_entropy) does both steps in one.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let log_p = tape.variable([[-1.0, -2.0], [-3.0, -4.0]]);
    /// assert_eq!(log_p.nll_each(&[0, 1]).value(), [1.0, 4.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` does not have the shape `[n, classes]`, there are not `n` labels, or a label is not a class.
    #[doc(alias("reduction", "nll_loss"))]
    #[track_caller]
    pub fn nll_each(self, labels: &[usize]) -> Self {
        let x = self.value();
        check_labels("nll", x.shape(), labels);
        let y = per_row(&x, |i, row| -row[labels[i]]);
        let (shape, labels) = (x.raw_dim(), labels.to_vec());
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(shape);
            for ((mut row, &label), &dy) in dx.rows_mut().into_iter().zip(&labels).zip(&dy) {
                row[label] = -dy;
            }
            dx
        });
        self.tape().record("nll", y, [dx])
    }
}

/// `y` after `f(yᵢ, xᵢ, dyᵢ)` has overwritten each of its rows.
fn for_each_row<F: Real>(
    mut y: Tensor<F>,
    x: &Tensor<F>,
    dy: &Tensor<F>,
    f: impl Fn(&mut [F], &[F], F),
) -> Tensor<F> {
    let mut dy = dy.iter();
    let with_dy = inlined!(|y: &mut [F], x: &[F]| f(y, x, *dy.next().expect("one for each row")));
    elementwise::for_each_lane(&mut y, x, Axis(1), with_dy);
    y
}

/// `f(i, xᵢ)` for every row.
fn per_row<F: Real>(x: &Tensor<F>, f: impl Fn(usize, &[F]) -> F) -> Tensor<F> {
    let x = layout::row_major(x.clone());
    let rows = x.as_slice().expect("in row-major order").chunks_exact(x.len_of(Axis(1)).max(1));
    let y: Array1<F> = rows.enumerate().map(|(i, row)| f(i, row)).collect();
    y.into_shared().into_dyn()
}

#[track_caller]
fn check_rows(op: &str, shape: &[usize]) {
    assert_eq!(shape.len(), 2, "`{op}` needs the shape [n, classes], not {shape:?}: reshape it first");
}

#[track_caller]
fn check_labels(op: &str, shape: &[usize], labels: &[usize]) {
    check_rows(op, shape);
    let (rows, classes) = (shape[0], shape[1]);
    assert_eq!(labels.len(), rows, "`{op}`: {} labels for {rows} rows", labels.len());
    if let Some(position) = labels.iter().position(|&label| label >= classes) {
        panic!(
            "`{op}`: label {} at position {position} is out of range: there are {classes} classes, counted from 0",
            labels[position]
        );
    }
}
