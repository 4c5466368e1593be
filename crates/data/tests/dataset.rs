//! Datasets and batches: nothing is lost, repeated, reordered or scaled otherwise than asked.

use ndarray::{Array3, ShapeBuilder};
use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert_data::{DataError, ImageDataset};

/// `n` images of 2×3; image `i` starts with the byte `i`.
fn dataset(n: usize) -> ImageDataset {
    let images = Array3::from_shape_fn((n, 2, 3), |(i, r, c)| (i + 40 * (3 * r + c)) as u8);
    ImageDataset::new(images, (0..n).map(|i| (i % 5) as u8).collect(), 5).unwrap()
}

/// The first byte of every image of a batch, read back from its scaled pixels.
fn firsts(batch: &wengert_data::Batch) -> Vec<usize> {
    batch.x.outer_iter().map(|image| (image[0] * 255.0).round() as usize).collect()
}

#[test]
fn counts_and_labels_are_checked() {
    let images = || Array3::zeros((3, 2, 2));
    let error = ImageDataset::new(images(), vec![0, 1], 2).unwrap_err();
    assert!(matches!(error, DataError::CountMismatch { images: 3, labels: 2 }), "{error:?}");
    assert_eq!(error.to_string(), "expected one label per image, found 3 images and 2 labels");
    let error = ImageDataset::new(images(), vec![0, 1, 2], 2).unwrap_err();
    assert_eq!(error.to_string(), "expected labels 0..2, found 2 at index 2");
    assert!(ImageDataset::new(images(), vec![0, 0, 0], 0).is_err());
    assert_eq!(ImageDataset::new(images(), vec![0, 1, 1], 2).unwrap().len(), 3);
}

#[test]
fn images_in_another_memory_order_are_the_same_images() {
    let images = Array3::from_shape_fn((2, 2, 3).f(), |(i, r, c)| (6 * i + 3 * r + c) as u8);
    let data = ImageDataset::new(images, vec![0, 0], 1).unwrap();
    assert_eq!(data.image(1).iter().copied().collect::<Vec<_>>(), [6, 7, 8, 9, 10, 11]);
    let batch = data.batches(2).next().unwrap();
    let pixels: Vec<_> = batch.x.iter().map(|x| (x * 255.0).round() as u8).collect();
    assert_eq!(pixels, (0..12).collect::<Vec<u8>>());
}

#[test]
fn split_and_subset_keep_images_with_their_labels() {
    let data = dataset(10);
    let (left, right) = data.split_at(7);
    assert_eq!((left.len(), right.len()), (7, 3));
    for i in 0..10 {
        let (part, at) = if i < 7 { (&left, i) } else { (&right, i - 7) };
        assert_eq!((part.image(at), part.labels()[at]), (data.image(i), data.labels()[i]));
    }
    let subset = right.subset(&[2, 0, 2]);
    assert_eq!(subset.labels(), [4, 2, 4]);
    assert_eq!((subset.image(0), subset.image(1)), (data.image(9), data.image(7)));
    assert_eq!(firsts(&right.batches(5).next().unwrap()), [7, 8, 9]);

    let (none, all) = data.split_at(0);
    assert!(none.is_empty() && all.len() == 10 && none.batches(4).next().is_none());
}

#[test]
fn batches_in_order_hold_every_image_once() {
    let data = dataset(10);
    let batches: Vec<_> = data.batches(4).collect();
    assert_eq!(batches.iter().map(|b| b.x.shape().to_vec()).collect::<Vec<_>>(), [[4, 6], [4, 6], [2, 6]]);
    assert_eq!(batches.iter().flat_map(firsts).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!(batches[2].labels, [3, 4]);
    assert_eq!(data.batches(4).drop_last().map(|b| b.labels.len()).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(data.batches(11).drop_last().count(), 0);
    assert_eq!(data.batches(usize::MAX).count(), 1);
}

#[test]
fn the_number_of_batches_is_known_and_counts_down() {
    let data = dataset(10);
    for (mut batches, mut left) in
        [(data.batches(4), 3), (data.batches(4).drop_last(), 2), (data.batches(5), 2)]
    {
        assert_eq!(batches.len(), left);
        while batches.next().is_some() {
            left -= 1;
            assert_eq!(batches.len(), left);
        }
        assert_eq!(left, 0);
    }
}

#[test]
fn batches_that_are_skipped_leave_the_others() {
    let data = dataset(10);
    for (size, whole) in [(4, false), (4, true), (5, false), (1, false), (11, false), (usize::MAX, false)] {
        let batches = || if whole { data.batches(size).drop_last() } else { data.batches(size) };
        let all: Vec<_> = batches().map(|batch| firsts(&batch)).collect();
        for n in 0..12 {
            let rest: Vec<_> = batches().skip(n).map(|batch| firsts(&batch)).collect();
            assert_eq!(rest, all[n.min(all.len())..], "{n} batches of {size}");
        }
        assert!(batches().nth(usize::MAX).is_none());
    }
}

#[test]
fn shuffling_is_a_permutation_given_by_the_seed() {
    let data = dataset(100);
    let order = |seed| -> Vec<usize> {
        let rng = &mut StdRng::seed_from_u64(seed);
        data.batches(7).shuffle(rng).flat_map(|batch| firsts(&batch)).collect()
    };
    let (a, b) = (order(0), order(1));
    assert_eq!(a, order(0));
    assert_ne!(a, b);
    for mut order in [a, b] {
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
    // Labels travel with their images, and a second epoch from one generator is another order.
    let rng = &mut StdRng::seed_from_u64(0);
    let mut epoch = || -> Vec<_> {
        let batches = data.batches(7).shuffle(rng);
        batches.flat_map(|batch| firsts(&batch).into_iter().zip(batch.labels)).collect()
    };
    let (first, second) = (epoch(), epoch());
    assert!(first.iter().all(|&(image, label)| image % 5 == label));
    assert_ne!(first, second);
}

#[test]
fn every_byte_is_scaled_to_within_a_rounding_of_its_255th() {
    let images = Array3::from_shape_fn((1, 16, 16), |(_, r, c)| (16 * r + c) as u8);
    let data = ImageDataset::new(images, vec![0], 1).unwrap();
    let batch = data.batches(1).next().unwrap();
    let x: Vec<f32> = batch.x.iter().copied().collect();
    for (byte, &x) in x.iter().enumerate() {
        let exact = byte as f64 / 255.0;
        assert!((f64::from(x) - exact).abs() <= exact * f64::from(f32::EPSILON), "{byte}: {x}");
    }
    assert_eq!((x[0], x[255]), (0.0, 1.0));
}

#[test]
fn standardised_pixels_have_mean_0_and_deviation_1() {
    let data = dataset(50);
    let stats = data.pixel_stats();
    let x: Vec<f64> =
        data.batches(8).standardize(stats).flat_map(|batch| batch.x.into_iter().map(f64::from)).collect();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "mean {mean}, variance {variance}");
}

#[test]
fn pixel_stats_of_known_images() {
    let stats = |bytes: Vec<u8>| {
        let n = bytes.len();
        let images = Array3::from_shape_vec((n, 1, 1), bytes).unwrap();
        let data = ImageDataset::new(images, vec![0; n], 1).unwrap();
        let x: Vec<f32> = data.batches(9).standardize(data.pixel_stats()).flat_map(|b| b.x).collect();
        (data.pixel_stats().mean, data.pixel_stats().std, x)
    };
    assert_eq!(stats(vec![0, 255]), (0.5, 0.5, vec![-1.0, 1.0]));
    assert_eq!(stats(vec![]), (0.0, 0.0, vec![]));
    let (mean, std, x) = stats(vec![51, 51, 51]);
    assert_eq!((mean, std), (0.2, 0.0));
    assert!(x.iter().all(|x| x.abs() < 1e-7), "one grey is centred, not divided by zero: {x:?}");
}

#[test]
fn images_without_pixels_still_make_batches() {
    let data = ImageDataset::new(Array3::zeros((3, 0, 28)), vec![0; 3], 1).unwrap();
    assert_eq!(data.batches(2).map(|b| b.x.shape().to_vec()).collect::<Vec<_>>(), [[2, 0], [1, 0]]);
    assert_eq!(data.pixel_stats().std, 0.0);
}

#[test]
#[should_panic(expected = "batches(0)")]
fn a_batch_of_nothing_is_a_programmer_error() {
    _ = dataset(3).batches(0);
}

#[test]
#[should_panic(expected = "index 3 in a dataset of 3")]
fn subset_outside_the_dataset_panics() {
    _ = dataset(3).subset(&[0, 3]);
}

#[test]
#[should_panic(expected = "split_at(4) of a dataset of 3")]
fn split_outside_the_dataset_panics() {
    _ = dataset(3).split_at(4);
}

#[test]
fn images_made_ahead_by_threads_are_the_same() {
    let data = dataset(50);
    for stats in [None, Some(data.pixel_stats())] {
        let batches = || {
            let batches = data.batches(8).shuffle(&mut StdRng::seed_from_u64(4));
            if let Some(stats) = stats { batches.standardize(stats) } else { batches }
        };
        let plain: Vec<_> = batches().map(|batch| (batch.x, batch.labels)).collect();
        for workers in [0, 1, 4] {
            let ahead: Vec<_> = batches().prefetch(workers).map(|batch| (batch.x, batch.labels)).collect();
            assert_eq!(ahead, plain);
        }
    }
}
