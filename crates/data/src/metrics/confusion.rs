use ndarray::{Array2, ArrayBase, ArrayView2, Axis, Data, Dimension};

use super::{argmax, ratio, rows};

/// How often each class was predicted as which, and what follows: accuracy, precision, recall, F1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias("confusion_matrix", "precision_recall_fscore_support"))]
pub struct Confusion {
    /// A row per label, a column per prediction.
    counts: Array2<usize>,
    /// Of each label, the samples without a prediction.
    unpredicted: Vec<usize>,
}

/// How the numbers of the classes become one, as in scikit-learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// The mean over the classes that are a label or a prediction of some sample.
    Macro,
    /// From the counts of all classes together. If every sample has a prediction, this is the accuracy.
    Micro,
    /// The mean over the classes, each weighted by how many samples have it as label.
    Weighted,
}

/// What the samples say of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Samples of the class that are predicted as such.
    pub true_positives: usize,
    /// Samples of other classes that are predicted as this one.
    pub false_positives: usize,
    /// Samples of the class that are predicted as another, or not at all.
    pub false_negatives: usize,
}

impl ClassCounts {
    /// `tp / (tp + fp)`; 0 if nothing was predicted as this class.
    pub fn precision(self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// `tp / (tp + fn)`; 0 if no sample is of this class.
    #[doc(alias("sensitivity", "true positive rate"))]
    pub fn recall(self) -> f64 {
        ratio(self.true_positives, self.support())
    }

    /// `2 tp / (2 tp + fp + fn)`, the harmonic mean of precision and recall; 0 if the class does not occur.
    pub fn f1(self) -> f64 {
        let twice = 2 * self.true_positives;
        ratio(twice, twice + self.false_positives + self.false_negatives)
    }

    /// How many samples are of this class.
    pub fn support(self) -> usize {
        self.true_positives + self.false_negatives
    }
}

impl Confusion {
    /// Of `classes` classes.
    pub fn new(classes: usize) -> Self {
        Self { counts: Array2::zeros((classes, classes)), unpredicted: vec![0; classes] }
    }

    /// Adds a batch: scores `[n, classes]` of any kind, of which [`argmax`] is the prediction, and `n` labels.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or a label is not below `classes`.
    #[track_caller]
    pub fn update<A, S, D>(&mut self, scores: &ArrayBase<S, D>, labels: &[usize])
    where
        A: Copy + PartialOrd,
        S: Data<Elem = A>,
        D: Dimension,
    {
        let rows = rows(scores, labels);
        let classes = self.unpredicted.len();
        assert!(rows.ncols() == classes, "scores of shape {:?} for {classes} classes", scores.shape());
        for (row, &label) in rows.rows().into_iter().zip(labels) {
            self.record(label, argmax(row));
        }
    }

    /// Adds one sample; `None` if there is no prediction.
    ///
    /// # Panics
    ///
    /// If one of them is not below the number of classes.
    #[track_caller]
    pub fn record(&mut self, label: usize, predicted: Option<usize>) {
        let classes = self.unpredicted.len();
        assert!(label < classes, "label {label} of {classes} classes");
        match predicted {
            Some(class) if class < classes => self.counts[[label, class]] += 1,
            Some(class) => panic!("prediction {class} of {classes} classes"),
            None => self.unpredicted[label] += 1,
        }
    }

    /// Adds what `other` has seen.
    ///
    /// # Panics
    ///
    /// If it has another number of classes.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        let (a, b) = (self.unpredicted.len(), other.unpredicted.len());
        assert!(a == b, "confusion matrices of {a} and of {b} classes");
        self.counts += &other.counts;
        self.unpredicted.iter_mut().zip(&other.unpredicted).for_each(|(a, b)| *a += b);
    }

    /// `[classes, classes]`: row `i`, column `j` is the number of samples of class `i` that are predicted as `j`.
    pub fn counts(&self) -> ArrayView2<'_, usize> {
        self.counts.view()
    }

    /// How many samples had no prediction, since NaN was among their scores.
    pub fn unpredicted(&self) -> usize {
        self.unpredicted.iter().sum()
    }

    /// The share of samples that are predicted as what they are; 0 before the first.
    pub fn accuracy(&self) -> f64 {
        ratio(self.counts.diag().sum(), self.counts.sum() + self.unpredicted())
    }

    /// What the samples say of `class`.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    #[track_caller]
    pub fn class(&self, class: usize) -> ClassCounts {
        let classes = self.unpredicted.len();
        assert!(class < classes, "class {class} of {classes}");
        let true_positives = self.counts[[class, class]];
        let sum = |axis| self.counts.index_axis(Axis(axis), class).sum();
        ClassCounts {
            true_positives,
            false_positives: sum(1) - true_positives,
            false_negatives: sum(0) - true_positives + self.unpredicted[class],
        }
    }

    /// [`ClassCounts::precision`] of all classes.
    pub fn precision(&self, average: Average) -> f64 {
        self.average(average, ClassCounts::precision)
    }

    /// [`ClassCounts::recall`] of all classes.
    pub fn recall(&self, average: Average) -> f64 {
        self.average(average, ClassCounts::recall)
    }

    /// [`ClassCounts::f1`] of all classes.
    pub fn f1(&self, average: Average) -> f64 {
        self.average(average, ClassCounts::f1)
    }

    fn average(&self, average: Average, of: fn(ClassCounts) -> f64) -> f64 {
        let classes = (0..self.unpredicted.len()).map(|class| self.class(class));
        let present: Vec<_> = classes.filter(|&class| class != ClassCounts::default()).collect();
        let mean = |weight: fn(&ClassCounts) -> usize| {
            let total: usize = present.iter().map(weight).sum();
            let sum: f64 = present.iter().map(|class| weight(class) as f64 * of(*class)).sum();
            if total == 0 { 0.0 } else { sum / total as f64 }
        };
        match average {
            Average::Macro => mean(|_| 1),
            Average::Weighted => mean(|class| class.support()),
            Average::Micro => of(present.iter().fold(ClassCounts::default(), |sum, class| ClassCounts {
                true_positives: sum.true_positives + class.true_positives,
                false_positives: sum.false_positives + class.false_positives,
                false_negatives: sum.false_negatives + class.false_negatives,
            })),
        }
    }
}
