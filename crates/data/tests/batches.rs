//! Batches of any arrays: every kind and rank, split, shuffled, standardised, made ahead by threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ndarray::{Array, Array1, Array2, Array4, ArrayD, Axis, IxDyn, ShapeBuilder, arr0, arr1, array};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_data::{Batches, DataError, Dataset, Rows, Standardization, labels, split};

/// `n` samples: input `i` is `[i, i + 0.5]`, and so is the target `i`.
fn counting(n: usize) -> Dataset<Array2<f64>, Vec<usize>> {
    let x = Array2::from_shape_fn((n, 2), |(i, j)| i as f64 + 0.5 * j as f64);
    Dataset::new(x, (0..n).collect()).unwrap()
}

/// Element `i` in row-major order is `i % 100`, in every type.
#[test]
fn numbers_of_every_type_and_rank_become_f32_of_the_same_shape() {
    fn check<A: wengert_data::Scalar<Batch = ndarray::ArcArray<f32, IxDyn>>>(convert: impl Fn(u8) -> A) {
        for shape in [&[5][..], &[5, 1], &[5, 0], &[5, 3], &[5, 2, 3], &[5, 2, 1, 3, 2]] {
            let elements: usize = shape.iter().product();
            let values = || (0..elements).map(|i| convert((i % 100) as u8)).collect::<Vec<_>>();
            let width = elements / 5;
            let expected = |rows: &[usize]| -> Vec<f32> {
                rows.iter()
                    .flat_map(|row| (0..width).map(move |i| ((row * width + i) % 100) as f32))
                    .collect()
            };
            let rows = ArrayD::from_shape_vec(shape, values()).unwrap();
            // The same array in two other orders of memory.
            let mut fortran = ArrayD::from_shape_fn(IxDyn(shape).f(), |at| rows[at]);
            let mut reversed = rows.clone();
            reversed.invert_axis(Axis(0));
            fortran.swap_axes(0, shape.len() - 1);
            fortran.swap_axes(0, shape.len() - 1);
            for (array, order) in [(&rows, [3, 0, 3]), (&fortran, [3, 0, 3]), (&reversed, [1, 4, 1])] {
                let batch = array.gather(&order);
                assert_eq!(batch.shape(), [&[3], &shape[1..]].concat());
                assert_eq!(batch.iter().copied().collect::<Vec<_>>(), expected(&[3, 0, 3]), "{shape:?}");
            }
        }
    }
    check::<u8>(|x| x);
    check::<i8>(|x| x as i8);
    check::<u16>(u16::from);
    check::<i16>(i16::from);
    check::<u32>(u32::from);
    check::<i32>(i32::from);
    check::<u64>(u64::from);
    check::<i64>(i64::from);
    check::<f32>(f32::from);
    check::<f64>(f64::from);
}

#[test]
fn indices_and_flags_keep_their_meaning() {
    let indices = Array2::from_shape_fn((3, 2), |(i, j)| 2 * i + j);
    assert_eq!(indices.gather(&[2, 0]), array![[4, 5], [0, 1]].into_dyn());
    assert_eq!(vec![7, 8, 9].gather(&[2, 0, 2]), [9, 7, 9]);
    assert_eq!(arr1(&[true, false]).gather(&[1, 0]), arr1(&[0.0_f32, 1.0]).into_dyn());
    // 2²⁴ + 1 lies between two `f32`.
    assert_eq!(arr1(&[16_777_217_i64, -3]).gather(&[0, 1]), arr1(&[16_777_216.0_f32, -3.0]).into_dyn());
}

#[test]
fn several_inputs_and_targets_travel_together() {
    let numbers = Array2::from_shape_fn((6, 3), |(i, _)| i as f32);
    let categories: Vec<usize> = (0..6).map(|i| 10 * i).collect();
    let data =
        Dataset::new((numbers, categories), (arr1(&[0_u8, 1, 2, 3, 4, 5]), (0..6).collect::<Vec<_>>()));
    let rng = &mut StdRng::seed_from_u64(1);
    let mut seen = Vec::new();
    for batch in data.unwrap().batches(4).shuffle(rng) {
        let ((numbers, categories), (values, labels)) = (batch.x, batch.y);
        for (row, &label) in labels.iter().enumerate() {
            let expected = (label as f32, 10 * label, label as f32);
            assert_eq!((numbers[[row, 2]], categories[row], values[[row]]), expected);
            seen.push(label);
        }
    }
    seen.sort();
    assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn arrays_that_do_not_pair_up_are_refused() {
    let x = |n| Array2::<f32>::zeros((n, 2));
    let error = Dataset::new(x(3), vec![0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "expected the same number of rows of inputs and targets, found [3, 4]");
    let error = Dataset::new((x(3), x(3), x(2)), vec![0; 3]).unwrap_err();
    assert!(matches!(error, DataError::RowMismatch { rows } if rows == [3, 3, 2, 3]));
    let error = Dataset::new(x(3), (vec![0; 3], (vec![0; 3], vec![0; 2]))).unwrap_err();
    assert!(matches!(error, DataError::RowMismatch { rows } if rows == [3, 3, 3, 2]));
    assert!(Dataset::new(x(0), vec![]).unwrap().batches(2).next().is_none());
}

#[test]
fn labels_of_every_integer_type_are_checked() {
    assert_eq!(labels(&arr1(&[2_i64, 0, 1]), 3).unwrap(), [2, 0, 1]);
    assert_eq!(labels(&array![[2_u8, 0], [1, 1]], 3).unwrap(), [2, 0, 1, 1]);
    let message = |error: DataError| error.to_string();
    assert_eq!(
        message(labels(&arr1(&[0_i32, -1]), 3).unwrap_err()),
        "expected classes 0..3, found -1 at index 1"
    );
    assert_eq!(message(labels(&arr1(&[3_u16]), 3).unwrap_err()), "expected classes 0..3, found 3 at index 0");
    assert_eq!(
        message(labels(&arr1(&[u64::MAX]), 3).unwrap_err()),
        format!("expected classes 0..3, found {} at index 0", u64::MAX)
    );
    assert!(labels(&arr1(&[0_u8]), 0).is_err());
}

#[test]
fn a_subset_of_a_subset_picks_from_the_subset() {
    let data = counting(10).subset(&[9, 7, 5, 3]).subset(&[3, 0, 0]);
    assert_eq!((data.len(), data.all().y), (3, vec![3, 9, 9]));
    let batches: Vec<_> = data.batches(2).map(|batch| (batch.x[[0, 1]], batch.y)).collect();
    assert_eq!(batches, [(3.5, vec![3, 9]), (9.5, vec![9])]);
    assert!(catch_unwind(|| counting(10).subset(&[1]).subset(&[1])).is_err());
    assert!(catch_unwind(|| counting(10).subset(&[1]).gather(&[1])).is_err());
    assert!(catch_unwind(|| Array2::<f32>::zeros((3, 0)).gather(&[3])).is_err());
}

/// Sizes, whether the last is dropped, batches skipped: from one iterator for all kinds of data and numbers of threads.
#[test]
fn any_number_of_threads_gives_the_same_batches() {
    let data = counting(23);
    for (size, whole, skipped) in [
        (1, false, 0),
        (4, false, 0),
        (4, true, 0),
        (4, false, 3),
        (4, true, 9),
        (23, true, 0),
        (50, false, 0),
    ] {
        let batches = || {
            let batches = data.batches(size).shuffle(&mut StdRng::seed_from_u64(5));
            if whole { batches.drop_last() } else { batches }
        };
        let plain: Vec<_> = batches().skip(skipped).map(|batch| (batch.x, batch.y)).collect();
        for workers in [0, 1, 2, 4, 100] {
            let ahead = batches().prefetch(workers);
            assert_eq!(ahead.len(), batches().len());
            let ahead: Vec<_> = ahead.skip(skipped).map(|batch| (batch.x, batch.y)).collect();
            assert_eq!(ahead, plain, "{size} {whole} {skipped} {workers}");
        }
    }
}

#[test]
fn what_is_random_follows_the_batch_and_not_the_thread() {
    let data = counting(40);
    let noise = |workers: usize, skipped: usize, late: bool| -> Vec<u64> {
        let rng = &mut StdRng::seed_from_u64(3);
        let mut batches = data.batches(4);
        // Skipped before there are threads, before the first batch, or in the middle.
        if !late && skipped > 0 {
            batches.nth(skipped - 1);
        }
        let mut ahead = batches.prefetch_map(workers, rng, |_, rng| rng.random::<u64>());
        let first = if late { ahead.next() } else { None };
        let rest: Vec<_> = ahead.skip(if late { skipped } else { 0 }).collect();
        first.into_iter().chain(rest).collect()
    };
    let all = noise(0, 0, false);
    assert_eq!(all.len(), 10);
    let mut different = all.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 10);
    for workers in [0, 1, 3, 4] {
        assert_eq!(noise(workers, 0, false), all);
        assert_eq!(noise(workers, 4, false), all[4..]);
        let late = noise(workers, 4, true);
        assert_eq!((late[0], &late[1..]), (all[0], &all[5..]));
    }
}

#[test]
fn a_panic_of_a_thread_comes_out_where_its_batch_is_asked_for() {
    let data = counting(40);
    for workers in [0, 1, 4] {
        let rng = &mut StdRng::seed_from_u64(0);
        let mut batches = data.batches(4).prefetch_map(workers, rng, |batch, _| {
            assert!(batch.y[0] != 24, "the seventh batch is cursed");
            batch.y[0]
        });
        let good: Vec<_> = batches.by_ref().take(6).collect();
        assert_eq!(good, [0, 4, 8, 12, 16, 20]);
        let panic = catch_unwind(AssertUnwindSafe(|| batches.next())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"the seventh batch is cursed"), "{workers} threads");
        if workers > 0 {
            assert!(batches.next().is_none(), "the epoch has ended");
        }
    }
}

/// The threads hold a clone of the data, and so of this.
#[derive(Clone)]
struct Counted(Arc<AtomicUsize>);

impl Rows for Counted {
    type Batch = usize;

    fn len(&self) -> usize {
        1000
    }

    fn gather(&self, indices: &[usize]) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst);
        indices[0]
    }
}

#[test]
fn threads_run_ahead_by_two_batches_each_and_end_with_the_iterator() {
    for workers in [1, 4] {
        let data = Counted(Arc::default());
        let mut batches = Batches::new(&data, 1).prefetch(workers);
        assert_eq!(data.0.load(Ordering::SeqCst), 0, "nothing starts before the first is asked for");
        assert_eq!(batches.next(), Some(0));
        // One was taken; each thread then makes one to wait, and one to follow.
        let most = 2 * workers + 1;
        let start = Instant::now();
        while data.0.load(Ordering::SeqCst) < most && start.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(data.0.load(Ordering::SeqCst), most);
        drop(batches);
        assert_eq!(Arc::strong_count(&data.0), 1, "threads are gone when `drop` returns");
    }
}

#[test]
fn standardised_numbers_have_mean_0_and_deviation_1_in_every_place() {
    let x =
        Array4::from_shape_fn((6, 2, 3, 1), |(n, c, i, _)| (n * n) as f64 * (c + 1) as f64 + 1e6 * i as f64);
    for (axes, shape) in [(&[0][..], &[2, 3, 1][..]), (&[0, 2, 3], &[2, 1, 1]), (&[3, 0, 1, 2], &[1, 1, 1])] {
        let by = Standardization::fit_over(&x, axes).unwrap();
        assert_eq!(by.mean().shape(), shape);
        let z = by.apply(&x).mapv(f64::from);
        let mean = |z: ArrayD<f64>| {
            axes.iter().fold(z, |z, &axis| z.mean_axis(Axis(axis)).unwrap().insert_axis(Axis(axis)))
        };
        assert!(mean(z.clone().into_owned()).iter().all(|mean| mean.abs() < 1e-6));
        assert!(mean(z.mapv(|z| z * z).into_owned()).iter().all(|square| (square - 1.0).abs() < 1e-6));
        let back = by.invert(&z);
        let largest = by.std().iter().copied().fold(0.0, f64::max);
        let near = |(&back, &x): (&f32, &f64)| (f64::from(back) - x).abs() <= 1e-6 * (largest + x.abs());
        assert!(back.iter().zip(&x).all(near));
    }
}

/// Equal numbers have deviation 0, also where their sum is rounded; 1e9 does not drown a deviation of 1.
#[test]
fn deviations_are_right_for_constants_and_beside_a_large_mean() {
    for constant in [0.1, -7.3e9, 1.0 / 3.0, 0.0] {
        let by = Standardization::fit(&Array1::from_elem(1001, constant)).unwrap();
        assert_eq!((by.mean(), by.std()), (arr0(constant).into_dyn().view(), arr0(1.0).into_dyn().view()));
    }
    let by = Standardization::fit(&Array1::from_shape_fn(1000, |i| 1e9 + (i % 2 * 2) as f64)).unwrap();
    assert_eq!((by.mean()[[]], by.std()[[]]), (1e9 + 1.0, 1.0));
    for bad in [f64::NAN, f64::INFINITY, -1e200] {
        let error = Standardization::fit(&array![[1.0, 2.0], [3.0, bad]]).unwrap_err();
        assert!(matches!(error, DataError::NotFinite { index: 3, .. }), "{error}");
    }
}

#[test]
fn standardised_batches_are_the_bits_of_the_standardised_array() {
    let bytes = Array::from_shape_fn((9, 3, 4), |(n, c, i)| (31 * n + 7 * c + i) as u8);
    let per_channel = Standardization::fit_over(&bytes, &[0, 2]).unwrap();
    let to_one = Standardization::new(arr0(0.0), arr0(255.0));
    for by in [per_channel, to_one] {
        let eager = by.apply(&bytes);
        let data = Dataset::new(by.rows(bytes.clone()), vec![0; 9]).unwrap();
        let lazy: Vec<f32> = data.batches(4).flat_map(|batch| batch.x).collect();
        assert_eq!(lazy, eager.iter().copied().collect::<Vec<_>>());

        // And another program that reads it back.
        let json = serde_json::to_string(&by).unwrap();
        let again: Standardization = serde_json::from_str(&json).unwrap();
        assert_eq!((&again, again.apply(&bytes)), (&by, eager));
    }
    let numbers = array![[0.0_f32, 255.0], [51.0, 102.0]];
    let to_one = Standardization::new(arr0(0.0), arr0(255.0)).apply(&numbers);
    assert_eq!(to_one, array![[0.0_f32, 1.0], [0.2, 0.4]].into_dyn());
}

#[test]
fn a_file_cannot_make_a_standardization_that_divides_by_zero() {
    let file = |mean: &str, std: &str| {
        let array = |data: &str, n: usize| format!(r#"{{"v":1,"dim":[{n}],"data":[{data}]}}"#);
        let count = |data: &str| data.split(',').count();
        let json = format!(r#"{{"mean":{},"std":{}}}"#, array(mean, count(mean)), array(std, count(std)));
        serde_json::from_str::<Standardization>(&json)
    };
    assert!(file("1.0,2.0", "1.0,0.5").is_ok());
    for (mean, std) in
        [("1.0", "0.0"), ("1.0", "-1.0"), ("1.0,2.0", "1.0"), ("1e999", "1.0"), ("1.0", "1e999")]
    {
        assert!(file(mean, std).is_err(), "{mean} {std}");
    }
}

/// Of which counts: halves go up, and products such as 0.29 · 100, which is 28.999999999999996, to the nearest.
#[test]
fn splits_are_partitions_of_the_documented_sizes() {
    let rng = &mut StdRng::seed_from_u64(0);
    for (n, fraction, first) in [
        (10, 0.8, 8),
        (10, 0.0, 0),
        (10, 1.0, 10),
        (0, 0.5, 0),
        (1, 0.5, 1),
        (5, 0.5, 3),
        (7, 0.7, 5),
        (100, 0.29, 29),
        (3, 0.1, 0),
    ] {
        let (a, b) = split::random(n, fraction, rng);
        assert_eq!((a.len(), b.len()), (first, n - first), "{n} {fraction}");
        assert!(a.is_sorted() && b.is_sorted());
        let mut all = [a, b].concat();
        all.sort();
        assert_eq!(all, (0..n).collect::<Vec<_>>());
    }
    let again = |seed| split::random(50, 0.5, &mut StdRng::seed_from_u64(seed));
    assert_eq!(again(1), again(1));
    assert_ne!(again(1), again(2));
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(catch_unwind(|| split::random(3, bad, &mut StdRng::seed_from_u64(0))).is_err());
    }
}

#[test]
fn no_group_is_in_both_parts() {
    let groups: Vec<u32> = (0..200_u32).map(|i| i * i % 37).collect();
    let distinct = |rows: &[usize]| {
        let mut found: Vec<_> = rows.iter().map(|&row| groups[row]).collect();
        found.sort();
        found.dedup();
        found
    };
    let count = distinct(&(0..200).collect::<Vec<_>>()).len();
    assert_eq!(count, 19, "squares modulo a prime");
    for seed in 0..20 {
        let (a, b) = split::by_group(&groups, 0.7, &mut StdRng::seed_from_u64(seed));
        assert_eq!((a.len() + b.len(), distinct(&a).len()), (200, 13));
        assert!(distinct(&a).iter().all(|group| !distinct(&b).contains(group)));
    }
}

#[test]
fn every_class_keeps_its_share() {
    // Sizes, fraction, and how many of each class go first: shares rounded so that the total is right.
    for (sizes, fraction, expected) in [
        (&[10, 20, 30][..], 0.8, &[8, 16, 24][..]),
        (&[5, 5], 0.5, &[3, 2]),
        (&[3, 3, 3], 0.5, &[2, 2, 1]),
        (&[1, 99], 0.9, &[1, 89]),
        (&[100, 100], 0.29, &[29, 29]),
        (&[1, 1, 1, 1], 0.25, &[1, 0, 0, 0]),
        (&[4], 0.0, &[0]),
        (&[], 0.5, &[]),
    ] {
        let classes: Vec<usize> =
            sizes.iter().enumerate().flat_map(|(class, &size)| vec![class; size]).collect();
        for seed in 0..5 {
            let (a, b) = split::stratified(&classes, fraction, &mut StdRng::seed_from_u64(seed));
            let count = |class| a.iter().filter(|&&row| classes[row] == class).count();
            assert_eq!((0..sizes.len()).map(count).collect::<Vec<_>>(), expected, "{sizes:?} {fraction}");
            let mut all = [a, b].concat();
            all.sort();
            assert_eq!(all, (0..classes.len()).collect::<Vec<_>>());
        }
    }
}
