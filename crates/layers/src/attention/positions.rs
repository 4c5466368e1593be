use ndarray::Array2;
use wengert_autodiff::Real;

/// Fixed encodings of the places in a sequence, `[steps, width]`, to be added to the embeddings (Vaswani et al., 2017):
/// `sin(t / 10000^(2i / width))` at place `2i` of step `t`, and the cosine of the same at `2i + 1`.
#[doc(alias("PositionalEncoding", "positional_encoding"))]
pub fn sinusoidal_positions<F: Real>(steps: usize, width: usize) -> Array2<F> {
    Array2::from_shape_fn((steps, width), |(t, i)| {
        let pair = (i - i % 2) as f64;
        let angle = t as f64 * 10_000_f64.powf(-pair / width as f64);
        F::from_f64(if i % 2 == 0 { angle.sin() } else { angle.cos() })
    })
}
