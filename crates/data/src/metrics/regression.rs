use ndarray::{ArrayBase, Axis, Data, Dimension};

/// Errors of predicted numbers: R², mean absolute, mean squared and root mean squared error. Of several outputs per
/// sample each counts alike, as in scikit-learn.
///
/// NaN in a prediction or target makes the results NaN.
///
/// ```
/// use ndarray::array;
/// use wengert_data::metrics::Regression;
///
/// let mut errors = Regression::default();
/// errors.update(&array![1.0, 2.0, 4.0], &array![1.0, 2.0, 3.0]);
/// assert_eq!((errors.r2(), errors.mae(), errors.mse()), (0.5, 1.0 / 3.0, 1.0 / 3.0));
/// ```
#[derive(Clone, Debug, Default)]
#[doc(alias("r2_score", "mean_absolute_error", "mean_squared_error", "RMSE"))]
pub struct Regression {
    count: usize,
    outputs: Vec<Output>,
}

/// Sums over one output.
#[derive(Clone, Debug, Default)]
struct Output {
    absolute: f64,
    squared: f64,
    /// The first target; the mean of the targets less the first; the sum of their squared distances from the mean.
    first: f64,
    mean: f64,
    spread: f64,
}

impl Regression {
    /// Adds a batch: predictions and targets of the same shape, `[n]`, `[n, outputs]`, or more axes that count as
    /// outputs.
    ///
    /// # Panics
    ///
    /// If the shapes differ (`[n]` and `[n, 1]` too), or the number of outputs is not that of earlier batches.
    #[track_caller]
    pub fn update<A, B, S, T, D, E>(&mut self, predictions: &ArrayBase<S, D>, targets: &ArrayBase<T, E>)
    where
        A: Copy + Into<f64>,
        B: Copy + Into<f64>,
        S: Data<Elem = A>,
        T: Data<Elem = B>,
        D: Dimension,
        E: Dimension,
    {
        let (shape, other) = (predictions.shape(), targets.shape());
        assert!(
            shape == other && !shape.is_empty(),
            "predictions of shape {shape:?} for targets of {other:?}"
        );
        self.expect(shape[1..].iter().product());
        let (predictions, targets) = (predictions.view().into_dyn(), targets.view().into_dyn());
        for (row, target) in predictions.axis_iter(Axis(0)).zip(targets.axis_iter(Axis(0))) {
            self.count += 1;
            for (output, (&y, &t)) in self.outputs.iter_mut().zip(row.iter().zip(target.iter())) {
                output.add(y.into(), t.into(), self.count as f64);
            }
        }
    }

    /// Adds what `other` has seen.
    ///
    /// # Panics
    ///
    /// If it has another number of outputs.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other.clone();
            return;
        }
        self.expect(other.outputs.len());
        let (n, m) = (self.count as f64, other.count as f64);
        for (a, b) in self.outputs.iter_mut().zip(&other.outputs) {
            a.absolute += b.absolute;
            a.squared += b.squared;
            let distance = (b.first - a.first) + (b.mean - a.mean);
            a.mean += distance * (m / (n + m));
            a.spread += b.spread + distance * distance * (n * m / (n + m));
        }
        self.count += other.count;
    }

    #[track_caller]
    fn expect(&mut self, outputs: usize) {
        if self.count == 0 {
            self.outputs = vec![Output::default(); outputs];
        }
        assert!(self.outputs.len() == outputs, "{outputs} outputs after {}", self.outputs.len());
    }

    /// The coefficient of determination `1 - Σ(y - t)² / Σ(t - mean)²`: 1 is perfect, 0 as good as the mean of the
    /// targets. Where all targets are equal it is 1 if the predictions are exact and 0 if not; of fewer than two
    /// samples NaN.
    pub fn r2(&self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        self.mean_over_outputs(|output| match (output.squared, output.spread) {
            (0.0, _) => 1.0,
            (squared, 0.0) if !squared.is_nan() => 0.0,
            (squared, spread) => 1.0 - squared / spread,
        })
    }

    /// The mean absolute error; NaN before the first sample.
    #[doc(alias = "L1")]
    pub fn mae(&self) -> f64 {
        self.mean_over_outputs(|output| output.absolute / self.count as f64)
    }

    /// The mean squared error; NaN before the first sample.
    pub fn mse(&self) -> f64 {
        self.mean_over_outputs(|output| output.squared / self.count as f64)
    }

    /// The root of the mean squared error, of several outputs the mean of their roots; NaN before the first sample.
    pub fn rmse(&self) -> f64 {
        self.mean_over_outputs(|output| (output.squared / self.count as f64).sqrt())
    }

    /// How many samples there were.
    pub fn count(&self) -> usize {
        self.count
    }

    fn mean_over_outputs(&self, of: impl Fn(&Output) -> f64) -> f64 {
        self.outputs.iter().map(of).sum::<f64>() / self.outputs.len() as f64
    }
}

impl Output {
    /// The sample number `count`.
    fn add(&mut self, y: f64, t: f64, count: f64) {
        self.absolute += (y - t).abs();
        self.squared += (y - t) * (y - t);
        if count == 1.0 {
            self.first = t;
        }
        // Welford's way, and less the first: nothing cancels beside a large mean.
        let t = t - self.first;
        let distance = t - self.mean;
        self.mean += distance / count;
        self.spread += distance * (t - self.mean);
    }
}
