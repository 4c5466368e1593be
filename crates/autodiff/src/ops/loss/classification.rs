//! Losses of a classifier: one number per row of `x: [n, classes]`, and the mean over the rows.

use ndarray::{Array1, Axis, aview1};

use crate::compute::{buffers, elementwise, inlined, layout, vectorized};
use crate::ops::softmax::log_softmax;
use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// The mean over the rows of [`cross_entropy_each`](Var::cross_entropy_each), for logits `[n, classes]` and `n`
    /// labels: the usual loss of a classifier.
    ///
    /// ```
    /// # use wengert_autodiff::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let logits = tape.variable(Tensor::<f32>::zeros(vec![2, 4]));
    /// let loss = logits.cross_entropy(&[3, 0]);
    /// assert_eq!(loss.item(), 4_f32.ln()); // every class is equally likely
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_each`](Var::cross_entropy_each), and if there is no row.
    #[track_caller]
    pub fn cross_entropy(self, labels: &[usize]) -> Self {
        self.cross_entropy_each(labels).mean()
    }

    /// `yᵢ = -ln pᵢₖ` with `p = softmax(x)` along the rows and `k = labels[i]`; `dxᵢⱼ = (pᵢⱼ - [j = k]) dyᵢ`.
    ///
    /// # Panics
    ///
    /// If the logits do not have the shape `[n, classes]`, there are not `n` labels, or a label is not a class.
    #[track_caller]
    pub fn cross_entropy_each(self, labels: &[usize]) -> Self {
        self.cross_entropy_smooth_each(labels, 0.0)
    }

    /// The mean over the rows of [`cross_entropy_smooth_each`](Var::cross_entropy_smooth_each).
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_smooth_each`](Var::cross_entropy_smooth_each), and if there is no row.
    #[track_caller]
    pub fn cross_entropy_smooth(self, labels: &[usize], smoothing: f64) -> Self {
        self.cross_entropy_smooth_each(labels, smoothing).mean()
    }

    /// Cross entropy with label smoothing (Szegedy et al., 2016): a share `ε` of each label, the `smoothing`, is spread
    /// evenly over all `K` classes. `qᵢⱼ = (1 - ε) [j = labels[i]] + ε/K`, `yᵢ = -Σⱼ qᵢⱼ ln pᵢⱼ` with `p = softmax(x)`
    /// along the rows; `dx = (p - q) dy`.
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_each`](Var::cross_entropy_each), and if the smoothing is not within 0 and 1.
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
            let spread = if everywhere > F::ZERO { everywhere * aview1(row).sum() } else { F::ZERO };
            -on_label * row[labels[i]] - spread
        });
        let labels = labels.to_vec();
        let dx = self.edge(move |dy| {
            let mut dx = elementwise::map(&log_p, F::fast_exp);
            buffers::recycle(log_p);
            let classes = dx.len_of(Axis(1)).max(1);
            let rows = dx.as_slice_mut().expect("in row-major order").chunks_exact_mut(classes);
            vectorized(inlined!(|| {
                for ((row, &label), &dy) in rows.zip(&labels).zip(&dy) {
                    row.iter_mut().for_each(|p| *p = (*p - everywhere) * dy);
                    row[label] -= on_label * dy;
                }
            }));
            dx
        });
        self.tape().record("cross_entropy", y, [dx])
    }

    /// The mean over the rows of [`cross_entropy_soft_each`](Var::cross_entropy_soft_each).
    ///
    /// # Panics
    ///
    /// As [`cross_entropy_soft_each`](Var::cross_entropy_soft_each), and if there is no row.
    #[track_caller]
    pub fn cross_entropy_soft(self, target: Self) -> Self {
        self.cross_entropy_soft_each(target).mean()
    }

    /// Cross entropy with a distribution over the classes in place of each label, `target: [n, classes]`:
    /// `yᵢ = -Σⱼ tᵢⱼ ln pᵢⱼ` with `p = softmax(x)` along the rows and `0 ln 0 = 0`; `dx = (p Σⱼ tᵢⱼ - t) dy`,
    /// `dt = -ln p dy`.
    ///
    /// # Panics
    ///
    /// If the logits do not have the shape `[n, classes]`, or the target has another.
    #[track_caller]
    pub fn cross_entropy_soft_each(self, target: Self) -> Self {
        const OP: &str = "cross_entropy_soft";
        self.same_tape(OP, target);
        self.same_shape(OP, target);
        let (x, t) = (self.value(), target.value());
        check_rows(OP, x.shape());
        let log_p = log_softmax(&x, Axis(1));
        let term = |log_p: F, t: F| if t == F::ZERO { t } else { -t * log_p };
        let y = elementwise::broadcast_map(&log_p, &t, x.shape(), term).sum_axis(Axis(1)).into_shared();
        let saved = log_p.clone();
        let dx = self.edge(move |dy| {
            let row = inlined!(|log_p: &mut [F], t: &[F], dy: F| {
                let total = aview1(t).sum();
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

    /// The mean over the rows of [`nll_each`](Var::nll_each).
    ///
    /// # Panics
    ///
    /// As [`nll_each`](Var::nll_each), and if there is no row.
    #[track_caller]
    pub fn nll(self, labels: &[usize]) -> Self {
        self.nll_each(labels).mean()
    }

    /// The negative log-likelihood, for log-probabilities `x: [n, classes]`: `yᵢ = -xᵢₖ` with `k = labels[i]`;
    /// `dxᵢⱼ = -[j = k] dyᵢ`. From logits, [`cross_entropy`](Var::cross_entropy) does both steps in one.
    ///
    /// # Panics
    ///
    /// If `x` does not have the shape `[n, classes]`, there are not `n` labels, or a label is not a class.
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
