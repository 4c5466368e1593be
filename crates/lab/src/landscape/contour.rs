use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::{Figure, Landscape};

/// How many cells the picture has along each axis.
const CELLS: usize = 64;

/// A side of the grid that a level line crosses: the column and row of its lower or left end, and whether it runs along
/// `x`.
type Side = (usize, usize, bool);

/// A level line: its level and its points.
type Line = (f64, Vec<(f64, f64)>);

impl Figure {
    /// Puts the level lines of a landscape behind the curves, as many as there are `levels`, by marching squares.
    #[must_use]
    pub fn over(
        mut self,
        landscape: Landscape,
        x: RangeInclusive<f64>,
        y: RangeInclusive<f64>,
        levels: &[f64],
    ) -> Self {
        let grid = Grid::new(landscape, x, y);
        self.contours.extend(levels.iter().flat_map(|&level| grid.lines(level)));
        self
    }
}

/// `n` levels between `low` and `high`, both positive and included, each the same multiple of the one before.
pub fn log_levels(low: f64, high: f64, n: usize) -> Vec<f64> {
    let last = n.saturating_sub(1).max(1) as f64;
    (0..n).map(|i| low * (high / low).powf(i as f64 / last)).collect()
}

/// The heights at the corners of a grid of [`CELLS`]² cells.
struct Grid {
    x: RangeInclusive<f64>,
    y: RangeInclusive<f64>,
    heights: Vec<f64>,
}

impl Grid {
    fn new(landscape: Landscape, x: RangeInclusive<f64>, y: RangeInclusive<f64>) -> Self {
        let mut grid = Self { x, y, heights: Vec::new() };
        let corners = (0..=CELLS).flat_map(|row| (0..=CELLS).map(move |column| (column, row)));
        grid.heights =
            corners.map(|(column, row)| landscape.value(grid.corner(column, row).into())).collect();
        grid
    }

    fn corner(&self, column: usize, row: usize) -> (f64, f64) {
        let along = |range: &RangeInclusive<f64>, i: usize| {
            range.start() + (range.end() - range.start()) * i as f64 / CELLS as f64
        };
        (along(&self.x, column), along(&self.y, row))
    }

    fn height(&self, column: usize, row: usize) -> f64 {
        self.heights[row * (CELLS + 1) + column]
    }

    /// Where on a side the height is `level`, as if it ran straight between the corners.
    fn crossing(&self, (column, row, along_x): Side, level: f64) -> (f64, f64) {
        let (next_column, next_row) = if along_x { (column + 1, row) } else { (column, row + 1) };
        let (a, b) = (self.height(column, row), self.height(next_column, next_row));
        let ((ax, ay), (bx, by)) = (self.corner(column, row), self.corner(next_column, next_row));
        let part = (level - a) / (b - a);
        (ax + part * (bx - ax), ay + part * (by - ay))
    }

    /// The pairs of sides that the level line joins within one cell.
    fn segments(&self, column: usize, row: usize, level: f64) -> Vec<(Side, Side)> {
        let above = |dx, dy| self.height(column + dx, row + dy) > level;
        let corners = [above(0, 0), above(1, 0), above(1, 1), above(0, 1)];
        let [bottom, right] = [(column, row, true), (column + 1, row, false)];
        let [top, left] = [(column, row + 1, true), (column, row, false)];
        let sides = [bottom, right, top, left];
        let crossed: Vec<Side> =
            (0..4).filter(|&i| corners[i] != corners[(i + 1) % 4]).map(|i| sides[i]).collect();
        match crossed[..] {
            [a, b] => vec![(a, b)],
            // A saddle: the height in the middle says which corners belong together.
            [..] if crossed.len() == 4 => {
                let sum = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(dx, dy)| self.height(column + dx, row + dy));
                let middle_above = sum.iter().sum::<f64>() / 4.0 > level;
                if middle_above == corners[0] {
                    vec![(bottom, right), (top, left)]
                } else {
                    vec![(bottom, left), (top, right)]
                }
            }
            _ => Vec::new(),
        }
    }

    /// All lines of one level. Those that end at the border come first, or the search for rings would begin in the
    /// middle of one.
    fn lines(&self, level: f64) -> Vec<Line> {
        let mut neighbours: BTreeMap<Side, Vec<Side>> = BTreeMap::new();
        let cells = (0..CELLS).flat_map(|row| (0..CELLS).map(move |column| (column, row)));
        for (a, b) in cells.flat_map(|(column, row)| self.segments(column, row, level)) {
            neighbours.entry(a).or_default().push(b);
            neighbours.entry(b).or_default().push(a);
        }
        let ends = neighbours.iter().filter(|(_, next)| next.len() == 1).map(|(&side, _)| side);
        let starts: Vec<Side> = ends.chain(neighbours.keys().copied()).collect();
        let mut lines = Vec::new();
        for start in starts {
            let chain = walk(start, &mut neighbours);
            if chain.len() > 1 {
                lines.push((level, chain.into_iter().map(|side| self.crossing(side, level)).collect()));
            }
        }
        lines
    }
}

/// Follows a line from `start` and forgets the segments it used.
fn walk(start: Side, neighbours: &mut BTreeMap<Side, Vec<Side>>) -> Vec<Side> {
    let mut chain = vec![start];
    let mut here = start;
    while let Some(next) = neighbours.get_mut(&here).and_then(Vec::pop) {
        if let Some(back) = neighbours.get_mut(&next)
            && let Some(used) = back.iter().position(|&side| side == here)
        {
            back.swap_remove(used);
        }
        chain.push(next);
        here = next;
    }
    chain
}
