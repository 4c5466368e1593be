use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// Runs an experiment at every point of a grid, on all threads, and returns the results in the order of the grid.
///
/// After each point `progress` gets the number of points done, on whichever thread and not always in order.
///
/// ```
/// use wengert_lab::{Landscape, Runner, grid, sweep};
/// use wengert_optim::RmsProp;
///
/// let grid = grid(&[0.1, 0.01], &[0.9, 0.99]);
/// let ends = sweep(&grid, |_| (), |&(lr, rho)| {
///     let rule = RmsProp { lr, rho, ..RmsProp::default() };
///     let path = Runner::at("", rule, [1.0, 1.0]).descend(Landscape::Rosenbrock, 500);
///     Landscape::Rosenbrock.value(path[path.len() - 1])
/// });
/// let best = (0..grid.len()).min_by(|&a, &b| ends[a].total_cmp(&ends[b])).unwrap();
/// println!("the best of {} is η = {}, ρ = {}", grid.len(), grid[best].0, grid[best].1);
/// ```
pub fn sweep<P: Sync, T: Send>(
    grid: &[P],
    progress: impl Fn(usize) + Sync,
    run: impl Fn(&P) -> T + Sync,
) -> Vec<T> {
    let done = AtomicUsize::new(0);
    let point = |point: &P| {
        let result = run(point);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        result
    };
    grid.par_iter().map(point).collect()
}

/// Every pair of one of `a` and one of `b`, the latter changing faster: a grid over two hyper-parameters, or, of grids,
/// over more.
#[doc(alias = "product")]
pub fn grid<A: Clone, B: Clone>(a: &[A], b: &[B]) -> Vec<(A, B)> {
    a.iter().flat_map(|a| b.iter().map(move |b| (a.clone(), b.clone()))).collect()
}
