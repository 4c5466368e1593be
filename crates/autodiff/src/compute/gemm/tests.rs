//! Every kernel that this CPU has, against plain loops: at odd sizes, in every memory layout, between pages that fault.
#![allow(unsafe_code)]

use ndarray::{Array2, ShapeBuilder, s};
use region::{Allocation, Protection};

use super::*;

/// Sizes around those of a vector, a tile and a block.
const SIZES: [(usize, usize, usize); 18] = [
    (1, 1, 1),
    (1, 784, 33),
    (2, 17, 10),
    (3, 0, 5),
    (7, 401, 16),
    (8, 16, 9),
    (9, 16, 17),
    (12, 15, 32),
    (13, 400, 31),
    (24, 801, 33),
    (25, 33, 64),
    (31, 64, 10),
    (40, 3, 513),
    (130, 257, 545),
    (64, 500, 1030),
    (65, 30, 20),
    (64, 801, 1),
    (0, 4, 4),
];

type Product = Box<dyn Fn(Gemm<'_, f32>) + Sync>;

/// The kernels that this CPU has; those that are ours divide work as the product of this CPU does.
fn kernels() -> Vec<(&'static str, Product)> {
    let mut kernels: Vec<(_, Product)> = vec![
        ("of this CPU", Box::new(sgemm)),
        ("of any CPU", Box::new(portable::sgemm)),
        ("with the same bits everywhere", Box::new(reproducible::gemm)),
    ];
    kernels.extend(ours());
    kernels.extend(packed());
    kernels
}

#[cfg(target_arch = "x86_64")]
const SETS: [(&str, InstructionSet); 2] =
    [("with AVX2", InstructionSet::Avx2), ("with AVX-512", InstructionSet::Avx512)];

#[cfg(target_arch = "x86_64")]
fn ours() -> impl Iterator<Item = (&'static str, Product)> {
    SETS.into_iter().filter_map(|(name, set)| {
        let kernel = tiled::of(set)?;
        let product: Product = Box::new(move |product| {
            if product.a.ncols() == 0 {
                return sgemm(product);
            }
            let small_m = tiled::is_small_m(&product);
            product.divided(&|piece| kernel(small_m, piece));
        });
        Some((name, product))
    })
}

/// Those of a B that was packed before.
#[cfg(target_arch = "x86_64")]
fn packed() -> impl Iterator<Item = (&'static str, Product)> {
    SETS.into_iter().filter_map(|(name, set)| {
        tiled::of(set)?;
        let product: Product = Box::new(move |product| {
            let Gemm { a, b, beta, mut c, .. } = product;
            if beta == 0.0 {
                c.fill(0.0);
            }
            if let Some(panels) = tiled::panels(set, b) {
                panels.add_product(a, c);
            } else {
                assert!(b.is_empty());
            }
        });
        Some((name, product))
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn ours() -> impl Iterator<Item = (&'static str, Product)> {
    std::iter::empty()
}

#[cfg(not(target_arch = "x86_64"))]
fn packed() -> impl Iterator<Item = (&'static str, Product)> {
    std::iter::empty()
}

fn noise(rows: usize, columns: usize, seed: usize) -> Array2<f32> {
    let at = |(i, j): (usize, usize)| (i * 7919 + j * 104_729 + seed * 1_299_709) * 2_654_435_761 % 1009;
    Array2::from_shape_fn((rows, columns), |ij| at(ij) as f32 / 504.5 - 1.0)
}

/// How a matrix lies in memory; the numbers are the strides of its columns.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Rows,
    Columns,
    /// As the parts of dual numbers.
    EveryOther,
    EveryOtherTransposed,
    Spread,
    Reversed,
}

impl Layout {
    const ALL: [Self; 6] = [
        Self::Rows,
        Self::Columns,
        Self::EveryOther,
        Self::EveryOtherTransposed,
        Self::Spread,
        Self::Reversed,
    ];

    /// The elements that a matrix spans, and its strides if they are not of a reversed one.
    fn strides(self, rows: usize, columns: usize) -> [usize; 2] {
        match self {
            Self::Rows | Self::Reversed => [columns.max(1), 1],
            Self::Columns => [1, rows.max(1)],
            Self::EveryOther => [2 * columns.max(1), 2],
            Self::EveryOtherTransposed => [2, 2 * rows.max(1)],
            Self::Spread => [3 * columns.max(1) + 1, 3],
        }
    }
}

/// A matrix that lies at one end of some pages between two that nobody may touch.
struct Guarded {
    pages: Allocation,
    dim: (usize, usize),
    layout: Layout,
    start: usize,
}

impl Guarded {
    fn new(x: &Array2<f32>, layout: Layout, at_end: bool) -> Self {
        let page = region::page::size();
        let [row_stride, column_stride] = layout.strides(x.nrows(), x.ncols());
        let span =
            if x.is_empty() { 0 } else { (x.nrows() - 1) * row_stride + (x.ncols() - 1) * column_stride + 1 };
        let inside = (span * size_of::<f32>()).next_multiple_of(page).max(page);
        let pages = region::alloc(inside + 2 * page, Protection::READ_WRITE).unwrap();
        let first: *const u8 = pages.as_ptr();
        for guard in [first, first.wrapping_add(page + inside)] {
            // SAFETY: the pages are ours, and nothing has been put into them.
            unsafe { region::protect(guard, page, Protection::NONE).unwrap() };
        }
        let start =
            (page + if at_end { inside } else { 0 }) / size_of::<f32>() - if at_end { span } else { 0 };
        let mut guarded = Self { pages, dim: x.dim(), layout, start };
        guarded.view_mut().assign(x);
        guarded
    }

    fn view_mut(&mut self) -> ArrayViewMut2<'_, f32> {
        let start = self.pages.as_mut_ptr::<f32>().wrapping_add(self.start);
        let shape = self.dim.strides(self.layout.strides(self.dim.0, self.dim.1).into());
        // SAFETY: the pages hold the elements that the matrix spans, and are borrowed as long as the view.
        let mut view = unsafe { ArrayViewMut2::from_shape_ptr(shape, start) };
        if self.layout == Layout::Reversed {
            view.invert_axis(Axis(0));
        }
        view
    }

    fn view(&mut self) -> ArrayView2<'_, f32> {
        let view = self.view_mut();
        // SAFETY: as long as this view, nobody else has one.
        unsafe { view.raw_view().deref_into_view() }
    }
}

/// What a product should be, and how far a computed one may be from it: `|Ĉ - C| ≤ γ |A| |B|` with `γ = (k + 2) u`, as
/// in Higham, "Accuracy and Stability of Numerical Algorithms", section 3.5.
struct Expected {
    product: Array2<f64>,
    scale: Array2<f64>,
    gamma: f64,
}

impl Expected {
    fn new(a: &Array2<f32>, b: &Array2<f32>) -> Self {
        let (k, a, b) = (a.ncols(), a.mapv(f64::from), b.mapv(f64::from));
        let gamma = (k + 2) as f64 * f64::from(f32::EPSILON) / 2.0;
        Self { product: a.dot(&b), scale: a.mapv(f64::abs).dot(&b.mapv(f64::abs)), gamma }
    }

    /// Of a product that was added to `start`.
    fn check(&self, start: f32, c: ArrayView2<'_, f32>, what: &dyn Fn() -> String) {
        let start = f64::from(start);
        for ((&c, product), scale) in c.iter().zip(&self.product).zip(&self.scale) {
            let error = (f64::from(c) - (product + start)).abs();
            assert!(error <= self.gamma * (scale + start.abs()), "{}: {c} instead of {product}", what());
        }
    }
}

/// Each pair of layouts of A and B, with one of C; those of C take turns.
fn layouts() -> impl Iterator<Item = [Layout; 3]> {
    let pairs = Layout::ALL.into_iter().flat_map(|a| Layout::ALL.map(|b| [a, b]));
    let all = Layout::ALL.len();
    pairs.enumerate().map(move |(i, [a, b])| [a, b, Layout::ALL[(i + i / all) % all]])
}

/// Nothing outside of the operands is touched, and nothing within the extents of C is left out: a fault, or a NaN.
#[test]
fn products_are_right_between_guard_pages() {
    let kernels = kernels();
    for (number, (m, k, n)) in SIZES.into_iter().enumerate() {
        let (a, b) = (noise(m, k, 1), noise(k, n, 2));
        let expected = Expected::new(&a, &b);
        for [a_layout, b_layout, c_layout] in layouts() {
            let at_end = (number + c_layout as usize).is_multiple_of(2);
            let (mut a, mut b) = (Guarded::new(&a, a_layout, at_end), Guarded::new(&b, b_layout, at_end));
            let mut c = Guarded::new(&Array2::zeros((m, n)), c_layout, at_end);
            let (a, b) = (a.view(), b.view());
            for (name, kernel) in &kernels {
                for beta in [0.0, 1.0] {
                    c.view_mut().fill(if beta == 0.0 { f32::NAN } else { 0.25 });
                    kernel(Gemm { alpha: 1.0, a, b, beta, c: c.view_mut() });
                    let what =
                        || format!("{name}, {m}×{k}×{n}, {a_layout:?}, {b_layout:?}, {c_layout:?}, {beta}");
                    expected.check(0.25 * beta, c.view(), &what);
                }
            }
        }
    }
}

/// The elements around and between those of C, which are valid memory, stay as well.
#[test]
fn what_lies_beside_c_stays() {
    for (m, k, n) in SIZES {
        let (a, b) = (noise(m, k, 1), noise(k, n, 2));
        for (name, kernel) in kernels() {
            for [rows, columns] in [[1, 1], [1, 2], [2, 1], [2, 2]] {
                for [(a, m), (b, n)] in [[(a.view(), m), (b.view(), n)], [(b.t(), n), (a.t(), m)]] {
                    let mut frame = Array2::from_elem((rows * m + 2, columns * n + 3), 0.25);
                    let mut c = frame.slice_mut(s![1..=rows * m; rows, 1..=columns * n; columns]);
                    kernel(Gemm { alpha: 1.0, a, b, beta: 0.0, c: c.view_mut() });
                    c.fill(0.25);
                    assert!(frame.iter().all(|&x| x == 0.25), "{name}, {m}×{k}×{n} wrote beside C");
                }
            }
        }
    }
}

#[test]
fn alpha_scales_the_product() {
    let (a, b) = (noise(20, 30, 1), noise(30, 40, 2));
    let mut c = Array2::zeros((20, 40));
    sgemm(Gemm { alpha: -0.5, a: a.view(), b: b.view(), beta: 0.0, c: c.view_mut() });
    Expected::new(&(-0.5 * &a), &b).check(0.0, c.view(), &|| "α = -½".to_owned());
}

fn product(kernel: &Product, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Vec<u32> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    kernel(Gemm { alpha: 1.0, a, b, beta: 0.0, c: c.view_mut() });
    c.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn avx2_and_avx512_give_the_same_bits() {
    for (m, k, n) in SIZES {
        let a = noise(m, k, 1);
        for b_layout in Layout::ALL {
            let mut b = Guarded::new(&noise(k, n, 2), b_layout, true);
            let all: Vec<_> = ours().map(|(_, kernel)| product(&kernel, a.view(), b.view())).collect();
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{m}×{k}×{n}, {b_layout:?}");
        }
    }
}

#[test]
fn what_was_packed_before_gives_the_same_bits() {
    for (m, k, n) in SIZES {
        let (a, mut b) = (noise(m, k, 1), Guarded::new(&noise(k, n, 2), Layout::Rows, true));
        for ((name, kernel), (_, packed)) in ours().zip(packed()) {
            let same = product(&kernel, a.view(), b.view()) == product(&packed, a.view(), b.view());
            assert!(same || (1..=8).contains(&m) && n == 1, "{name}, {m}×{k}×{n}");
        }
    }
}

#[test]
fn a_packed_matrix_may_be_empty_and_is_as_the_others_if_asked() {
    for (m, k, n) in [(3, 0, 5), (3, 5, 0), (0, 5, 5), (3, 5, 7)] {
        let (a, b) = (noise(m, k, 1), noise(k, n, 2));
        let packed = PackedMatrix::new(b.view());
        assert_eq!(packed.dim(), (k, n));
        let mut c = Array2::from_elem((m, n), 0.25);
        packed.add_product(a.view(), c.view_mut());
        Expected::new(&a, &b).check(0.25, c.view(), &|| format!("{m}×{k}×{n}"));
    }
}

#[test]
#[should_panic(expected = "add_product: the shapes do not fit")]
fn a_packed_matrix_takes_what_fits() {
    PackedMatrix::new(noise(3, 4, 1).view()).add_product(noise(2, 2, 1).view(), noise(2, 4, 1).view_mut());
}

#[test]
fn a_row_does_not_depend_on_the_others() {
    let (a, columns) = (noise(100, 801, 1), 70);
    for (name, kernel) in ours().chain(packed()) {
        for b_layout in Layout::ALL {
            let mut b = Guarded::new(&noise(801, columns, 2), b_layout, true);
            let all = product(&kernel, a.view(), b.view());
            // Fewer rows, where B is contiguous along `k`, are summed in another order.
            let fewest = if b_layout == Layout::Columns { 9 } else { 1 };
            for rows in [37..37 + fewest, 37..46, 3..28, 20..90] {
                let part = product(&kernel, a.slice(s![rows.clone(), ..]), b.view());
                let same = part == all[rows.start * columns..rows.end * columns];
                assert!(same, "{name}, {b_layout:?}, rows {rows:?}");
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (name, kernel) in ours() {
        for (m, k, n) in [(130, 257, 545), (2000, 60, 33), (33, 60, 2000), (7, 784, 700), (64, 801, 130)] {
            let (a, b) = (noise(m, k, 1), noise(k, n, 2));
            let turned = b.t().as_standard_layout().into_owned();
            assert!(m * k * n >= PRODUCTS_TO_DIVIDE);
            for b in [b.view(), turned.t()] {
                let with = |threads: usize| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| product(&kernel, a.view(), b))
                };
                let alone = with(1);
                for threads in 2..=4 {
                    assert!(with(threads) == alone, "{name}, {m}×{k}×{n}, {threads} threads");
                }
            }
        }
    }
}
