//! Which rows are for training and which for the test: by chance, by group, class by class.
//!
//! Each function returns the indices of two parts, both in ascending order, for
//! [`Dataset::subset`](crate::Dataset::subset) and [`ImageDataset::subset`](crate::ImageDataset::subset). Every row is
//! in one of them. The generator alone decides; a part of a part is validation data.
//!
//! ```
//! use rand::{SeedableRng, rngs::StdRng};
//! use wengert_data::split;
//!
//! let rng = &mut StdRng::seed_from_u64(0);
//! let (train, test) = split::random(10, 0.8, rng);
//! assert_eq!((train.len(), test.len()), (8, 2));
//!
//! // Two visits of each patient: nobody is in both parts.
//! let (train, test) = split::by_group(&["Ann", "Bob", "Cid", "Ann", "Bob", "Cid"], 0.7, rng);
//! assert_eq!((train.len(), test.len()), (4, 2));
//! ```

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;

/// `n` rows by chance: `n * fraction`, rounded to the nearest (a half up), in the first part.
///
/// # Panics
///
/// If `fraction` is not between 0 and 1.
#[track_caller]
#[doc(alias("train_test_split", "random_split"))]
pub fn random(n: usize, fraction: f64, rng: &mut dyn Rng) -> (Vec<usize>, Vec<usize>) {
    let mut rows: Vec<_> = (0..n).collect();
    rows.shuffle(rng);
    let second = rows.split_off(share(n, fraction));
    ascending(rows, second)
}

/// Whole groups by chance, row `i` being of the group `groups[i]`: `groups * fraction` of them, rounded to the nearest
/// (a half up), in the first part. Their sizes do not matter, so that parts of unequal groups are of other sizes than
/// [`random`]'s.
///
/// # Panics
///
/// If `fraction` is not between 0 and 1.
#[track_caller]
#[doc(alias = "GroupShuffleSplit")]
pub fn by_group<G: Ord>(groups: &[G], fraction: f64, rng: &mut dyn Rng) -> (Vec<usize>, Vec<usize>) {
    let mut rows = rows_of(groups);
    rows.shuffle(rng);
    let second = rows.split_off(share(rows.len(), fraction));
    ascending(rows.concat(), second.concat())
}

/// By chance within each class, row `i` being of the class `classes[i]`: `n * fraction` rows, rounded to the nearest (a
/// half up), in the first part, and of each class its size times `fraction`, rounded up or down. Up are rounded those
/// with the largest remainders, of equal ones the first in order.
///
/// # Panics
///
/// If `fraction` is not between 0 and 1.
#[track_caller]
#[doc(alias = "StratifiedShuffleSplit")]
pub fn stratified<C: Ord>(classes: &[C], fraction: f64, rng: &mut dyn Rng) -> (Vec<usize>, Vec<usize>) {
    let total = share(classes.len(), fraction);
    let mut rows = rows_of(classes);
    let shares: Vec<f64> = rows.iter().map(|rows| rows.len() as f64 * fraction).collect();
    let mut counts: Vec<_> = shares.iter().map(|share| *share as usize).collect();
    let mut by_remainder: Vec<_> = (0..rows.len()).collect();
    by_remainder.sort_by(|&a, &b| shares[b].fract().total_cmp(&shares[a].fract()));
    let left = total - counts.iter().sum::<usize>();
    by_remainder.into_iter().take(left).for_each(|class| counts[class] += 1);

    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (rows, count) in rows.iter_mut().zip(counts) {
        rows.shuffle(rng);
        first.extend_from_slice(&rows[..count]);
        second.extend_from_slice(&rows[count..]);
    }
    ascending(first, second)
}

#[track_caller]
fn share(n: usize, fraction: f64) -> usize {
    assert!((0.0..=1.0).contains(&fraction), "a fraction of {fraction}: expected a number from 0 to 1");
    (n as f64 * fraction).round() as usize
}

/// The rows of each group, groups in order.
fn rows_of<G: Ord>(groups: &[G]) -> Vec<Vec<usize>> {
    let mut rows = BTreeMap::<&G, Vec<usize>>::new();
    for (row, group) in groups.iter().enumerate() {
        rows.entry(group).or_default().push(row);
    }
    rows.into_values().collect()
}

fn ascending(mut first: Vec<usize>, mut second: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    first.sort_unstable();
    second.sort_unstable();
    (first, second)
}
