use ndarray::{ArcArray, Array2, Axis, IxDyn, Slice};

use crate::Rows;

/// The inputs of a table. One-hot numbers are made when a batch is.
#[derive(Clone, Debug)]
pub struct Features {
    rows: usize,
    pieces: Vec<Piece>,
    categories: Vec<Vec<usize>>,
}

/// Of some rows, numbers and indices beside each other.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FeatureBatch {
    /// `[b, numbers]`: the numbers and one-hot categories in the order of the file's columns;
    /// [`Encoder::numbers`](super::Encoder::numbers) has their names.
    pub numbers: ArcArray<f32, IxDyn>,
    /// For each of [`Encoder::embeddings`](super::Encoder::embeddings) the `b` indices.
    pub categories: Vec<Vec<usize>>,
}

/// A column that becomes numbers.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Number(Vec<f32>),
    /// How many numbers, and which of them is 1, counted from 1; 0 for none.
    OneHot(usize, Vec<usize>),
}

impl Features {
    pub(super) fn new(rows: usize, pieces: Vec<Piece>, categories: Vec<Vec<usize>>) -> Self {
        Self { rows, pieces, categories }
    }
}

impl Rows for Features {
    type Batch = FeatureBatch;

    fn len(&self) -> usize {
        self.rows
    }

    fn gather(&self, indices: &[usize]) -> FeatureBatch {
        let width = |piece: &Piece| match piece {
            Piece::Number(_) => 1,
            Piece::OneHot(width, _) => *width,
        };
        let mut numbers = Array2::zeros((indices.len(), self.pieces.iter().map(width).sum()));
        let mut start = 0;
        for piece in &self.pieces {
            let mut part = numbers.slice_axis_mut(Axis(1), Slice::from(start..start + width(piece)));
            for (mut row, &index) in part.rows_mut().into_iter().zip(indices) {
                match piece {
                    Piece::Number(values) => row[0] = values[index],
                    Piece::OneHot(_, places) if places[index] > 0 => row[places[index] - 1] = 1.0,
                    Piece::OneHot(..) => {}
                }
            }
            start += width(piece);
        }
        let categories = self.categories.iter().map(|category| category.gather(indices)).collect();
        FeatureBatch { numbers: numbers.into_dyn().into_shared(), categories }
    }
}
