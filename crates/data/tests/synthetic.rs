//! The generated digits: the same everywhere, laid out as MNIST's, and neither trivial nor noise.

use ndarray::Array2;
use sha2::{Digest, Sha256};
use wengert_data::{ImageDataset, synthetic};

/// Guards against an accidental change, and against platforms that compute otherwise: the digest says nothing about how
/// good the digits are. Update it when the generator is changed on purpose.
#[test]
fn the_same_seed_gives_the_same_bytes_on_every_platform() {
    let digits = synthetic::digits(100, 0);
    let mut hash = Sha256::new();
    for i in 0..100 {
        hash.update(digits.image(i).as_slice().unwrap());
    }
    hash.update(digits.labels());
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "ff2aa360b87820a466c1a513abedff1e89fefb270a5074af8c53e9aa099bb4a2");
}

#[test]
fn an_image_depends_on_the_seed_and_its_number_alone() {
    let (few, many) = (synthetic::digits(23, 5), synthetic::digits(87, 5));
    for i in 0..23 {
        assert_eq!((few.image(i), few.labels()[i]), (many.image(i), many.labels()[i]), "image {i}");
    }
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let with = |threads| pool(threads).install(|| synthetic::digits(50, 1));
    let (one, two) = (with(1), with(2));
    assert!((0..50).all(|i| one.image(i) == two.image(i)));
    let other = synthetic::digits(23, 6);
    assert!((0..23).all(|i| few.image(i) != other.image(i)), "another seed");
}

#[test]
fn every_ten_images_hold_each_digit_once_and_no_two_images_are_alike() {
    let digits = synthetic::digits(500, 2);
    for deal in digits.labels().chunks(10) {
        let mut deal = deal.to_vec();
        deal.sort_unstable();
        assert_eq!(deal, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    let orders: std::collections::BTreeSet<_> = digits.labels().chunks(10).collect();
    assert!(orders.len() > 45, "the order is random: {} of 50 differ", orders.len());
    for i in 0..500 {
        assert!((0..i).all(|j| digits.image(i) != digits.image(j)), "image {i}");
    }
}

/// MNIST's own preparation: the ink fits a box of 20 × 20, and its centre of mass lies in the centre of the image.
#[test]
fn the_ink_is_laid_out_as_in_mnist() {
    let digits = synthetic::digits(1000, 3);
    for i in 0..1000 {
        let image = digits.image(i);
        let (mut mass, mut moment) = (0.0, [0.0; 2]);
        let (mut low, mut high) = ([27; 2], [0; 2]);
        for ((y, x), &pixel) in image.indexed_iter().filter(|(_, pixel)| **pixel > 0) {
            mass += f64::from(pixel);
            for (k, at) in [x, y].into_iter().enumerate() {
                moment[k] += f64::from(pixel) * (at as f64 + 0.5);
                low[k] = low[k].min(at);
                high[k] = high[k].max(at);
            }
        }
        let extent = [0, 1].map(|k| high[k] - low[k] + 1);
        assert!(extent[0].max(extent[1]) <= 20, "image {i} is {extent:?} pixels large");
        assert!(extent[0].max(extent[1]) >= 18, "image {i} is {extent:?} pixels large");
        // Whole pixels reach within half a pixel, unless the border of the image is in the way.
        let off = moment.map(|m| (m / mass - 14.0).abs());
        let at_border = (0..2).any(|k| low[k] == 0 || high[k] == 27);
        assert!(off[0].max(off[1]) <= 0.75 || at_border, "image {i}: the centre of mass is off by {off:?}");
        assert!((5.0..60.0).contains(&(mass / 784.0)), "image {i}: mean grey {}", mass / 784.0);
    }
}

/// MNIST's test images are read to 82 % by the nearest mean image; these should be no easier than 92 %, and far from
/// the 10 % of noise.
#[test]
fn the_nearest_mean_image_is_neither_perfect_nor_useless() {
    let (train, test) = synthetic::digits(3000, 4).split_at(2000);
    let mut means = Array2::<f64>::zeros((10, 784));
    let flat =
        |data: &ImageDataset, i: usize| data.image(i).iter().map(|&p| f64::from(p)).collect::<Vec<_>>();
    for (i, &label) in train.labels().iter().enumerate() {
        let mut mean = means.row_mut(label.into());
        mean += &ndarray::Array1::from(flat(&train, i));
    }
    means /= 200.0;
    let nearest = |image: &[f64]| {
        let distance =
            |class: usize| means.row(class).iter().zip(image).map(|(m, p)| (m - p).powi(2)).sum::<f64>();
        (0..10).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap()
    };
    let correct = test
        .labels()
        .iter()
        .enumerate()
        .filter(|&(i, &label)| nearest(&flat(&test, i)) == usize::from(label));
    let accuracy = correct.count() as f64 / 1000.0;
    assert!((0.5..0.92).contains(&accuracy), "{accuracy}");
}

/// What a mouse draws comes in any size and at any place, and from hands of any habit.
#[test]
fn a_drawing_is_placed_as_a_digit_is() {
    let seven = [[35.0, 20.0], [65.0, 20.0], [60.0, 40.0], [45.0, 85.0]];
    let image = synthetic::drawing(&[seven.to_vec()]);
    assert_eq!(image.dim(), (28, 28));
    // Powers of two, so that no rounding differs.
    let moved = seven.map(|[x, y]| [4.0 * x + 256.0, 4.0 * y - 512.0]);
    assert_eq!(synthetic::drawing(&[moved.to_vec()]), image);
    let without_points = synthetic::drawing(&[vec![], seven.to_vec(), vec![]]);
    assert_eq!(without_points, image);

    let inked: Vec<_> = image.indexed_iter().filter(|(_, ink)| **ink > 0).map(|((y, _), _)| y).collect();
    let (low, high) = (*inked.iter().min().unwrap(), *inked.iter().max().unwrap());
    assert!((19..=20).contains(&(high - low + 1)), "MNIST's digits are 20 pixels high, not {low} to {high}");

    assert!(synthetic::drawing(&[]).iter().all(|&ink| ink == 0));
    // A dot, as a point, as a click, as a mouse that shook: in the middle, and round.
    for dot in [vec![[5.0, 7.0]], vec![[5.0, 7.0]; 3], vec![[1e18, -1e18]], vec![[0.0, 1e-30], [1e-30, 0.0]]]
    {
        let image = synthetic::drawing(std::slice::from_ref(&dot));
        assert_eq!(image.iter().filter(|&&ink| ink > 0).count() % 4, 0, "{dot:?} gives {image}");
        let middle = image.slice(ndarray::s![13..15, 13..15]);
        assert!(middle.iter().all(|&ink| ink == middle[[0, 0]] && ink > 100), "{dot:?} gives {image}");
    }
}

#[test]
#[should_panic(expected = "a coordinate of the drawing is NaN")]
fn a_drawing_has_coordinates_that_are_numbers() {
    synthetic::drawing(&[vec![[0.0, f32::NAN]]]);
}
