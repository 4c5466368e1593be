//! Handwritten-looking digits, made by drawing them: data for training that needs no download.
//!
//! How one digit is made:
//!
//! 1. **A style.** Every digit can be written in several ways: a seven with or without a bar, a four open or closed. A
//!    style is a few strokes, each a list of points in a box of height 1 (`strokes.rs`), and some are more common than
//!    others.
//! 2. **An unsteady hand.** Each point is moved a little, at random; a smooth curve is drawn through the points
//!    (`curve.rs`), except where a point stands twice, which makes a corner.
//! 3. **A habit.** The whole digit is bent by three long sine waves, turned, slanted and stretched (`hand.rs`). Slant
//!    and stretch are what makes the digits hard for a linear classifier: the same stroke passes through other pixels.
//! 4. **A pen.** A pixel's ink depends on its distance from the stroke: full within the pen's radius, fading to nothing
//!    over a soft edge (`raster.rs`). The radius differs from pen to pen and swells with the pressure along the stroke;
//!    the paper takes the ink unevenly.
//! 5. **MNIST's preparation.** The ink is scaled to fit a box of 20 × 20 pixels and put into the 28 × 28 image so that
//!    its centre of mass lies in the middle. It matters most of all for a network that is then shown real digits.
//!
//! How hard they are: the network of the example `mnist`, trained on 40,000 of them for ten epochs, reads 98.3 % of
//! 5,000 others, and 91.4 % of MNIST's test images, none of which it has ever seen (`--data synthetic --test DIR`). A
//! linear classifier trained on 20,000 reads 90.1 % of the generated ones.
//!
//! The numbers are the same on every platform: the generator is ChaCha, sines come from `libm`, and no sum depends on
//! the number of threads.

mod curve;
mod hand;
mod raster;
mod strokes;

use chacha20::ChaCha8Rng;
use ndarray::{Array2, Array3};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use crate::ImageDataset;
use hand::{Hand, Pen};

/// Rows, and columns, of an image.
const SIZE: usize = 28;
/// Labels are dealt in hands of ten, each holding every digit once; their random streams begin here, images' at 0.
const LABEL_STREAMS: u64 = 1 << 63;

/// `n` images of digits, 28 × 28 bytes, 0 for the background and 255 for ink, with labels 0 to 9.
///
/// Every ten images, from the first on, hold each digit once, in random order. Image `i` depends on `seed` and `i`
/// alone: neither on `n`, nor on the number of threads, nor on the platform.
pub fn digits(n: usize, seed: u64) -> ImageDataset {
    let labels: Vec<u8> = (0..n.div_ceil(10)).flat_map(|deal| shuffled_digits(seed, deal)).take(n).collect();
    let mut pixels = vec![0; n * SIZE * SIZE];
    pixels.par_chunks_mut(SIZE * SIZE).zip(&labels).enumerate().for_each(|(i, (image, &label))| {
        draw(label, &mut stream(seed, i as u64), image);
    });
    let images = Array3::from_shape_vec((n, SIZE, SIZE), pixels).expect("one chunk per image");
    ImageDataset::new(images, labels, 10).expect("one label below 10 per image")
}

/// A drawing as an image like those of [`digits`], `[28, 28]`: for digits that somebody draws with a mouse or a finger.
/// Its strokes are lists of points `[x, y]`, with `y` downwards and in any unit, for size and place are made those of
/// MNIST. The pen is of mean width and steady. Without a point the image is blank.
///
/// ```
/// let one = wengert_data::synthetic::drawing(&[vec![[5.0, 0.0], [5.0, 90.0]]]);
/// assert_eq!((one[[14, 13]], one[[14, 2]]), (255, 0)); // ink in the middle, none at the left
/// ```
///
/// # Panics
///
/// If a coordinate is not a number, or beyond 1e18.
pub fn drawing(strokes: &[Vec<[f32; 2]>]) -> Array2<u8> {
    for &x in strokes.iter().flatten().flatten() {
        assert!(x.abs() <= 1e18, "a coordinate of the drawing is {x}");
    }
    // A stroke of one point is a dot.
    let dotted = |stroke: &Vec<_>| if let [point] = stroke[..] { vec![point; 2] } else { stroke.clone() };
    let strokes: Vec<_> = strokes.iter().filter(|stroke| !stroke.is_empty()).map(dotted).collect();
    let mut image = vec![0; SIZE * SIZE];
    if !strokes.is_empty() {
        raster::ink(&strokes, &Pen::steady(), &mut stream(0, 0), &mut image);
    }
    Array2::from_shape_vec((SIZE, SIZE), image).expect("28 × 28 pixels")
}

/// One of the 2⁶⁴ independent streams of random numbers that ChaCha has for each seed.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

fn shuffled_digits(seed: u64, deal: usize) -> [u8; 10] {
    let mut digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    digits.shuffle(&mut stream(seed, LABEL_STREAMS + deal as u64));
    digits
}

/// Draws `digit` into `image`, which is all 0.
fn draw(digit: u8, rng: &mut ChaCha8Rng, image: &mut [u8]) {
    let hand = Hand::random(rng);
    let strokes: Vec<_> = strokes::random_style(digit, rng)
        .iter()
        .map(|stroke| {
            let points = hand.jitter(stroke, rng);
            curve::trace(&points).into_iter().map(|point| hand.deform(point)).collect()
        })
        .collect();
    raster::ink(&strokes, &hand.pen, rng, image);
}

/// Uniform in `low..high`.
fn uniform(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// Bell-shaped around 0 with standard deviation `std` and nothing beyond three of them: the sum of three uniform
/// numbers, because a logarithm would differ in its last bit between platforms.
fn bell(rng: &mut ChaCha8Rng, std: f32) -> f32 {
    2.0 * std * (uniform(rng, -0.5, 0.5) + uniform(rng, -0.5, 0.5) + uniform(rng, -0.5, 0.5))
}
