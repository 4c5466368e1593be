//! Images of another size: an op where it is one of PyTorch's, else along each axis a product with the matrix of the
//! interpolation.

use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, Result, composed, direct};
use crate::value::tensor;

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, shape) = (call.x(0), call.x(0).shape());
    let axes = axes(call, shape.len());
    if let Some([h, w]) = of_image(&axes, shape.len()) {
        if [h, w].iter().all(|axis| axis.is_repeated(call)) {
            return direct(x.upsample_nearest2d([h.to / h.from, w.to / w.from]));
        }
        if let Some(align_corners) = bilinear(call, [h, w]) {
            return direct(x.upsample_bilinear2d([h.to, w.to], align_corners));
        }
    }
    let y = axes.iter().fold(x, |y, axis| axis.resized(call, y));
    composed(y)
}

/// How an axis is resized.
struct Axis {
    axis: usize,
    from: usize,
    to: usize,
    scale: f64,
    /// Whether the size was given and not the scale.
    sized: bool,
    region: (f64, f64),
}

/// The axes of images, if no other one is resized.
fn of_image(axes: &[Axis], rank: usize) -> Option<[&Axis; 2]> {
    let find = |number: usize| axes.iter().find(|axis| axis.axis == number);
    let others_stay = axes.iter().all(|axis| axis.axis >= 2 || (axis.from == axis.to && axis.scale == 1.0));
    find(2).zip(find(3)).filter(|_| rank == 4 && others_stay).map(|(h, w)| [h, w])
}

/// Whether [`Var::upsample_bilinear2d`] takes the same places, and by which of its two rules.
fn bilinear<F: Real>(call: &Call<'_, '_, F>, axes: [&Axis; 2]) -> Option<bool> {
    let smooth = call.int("antialias", 0) != 0 && axes.iter().any(|axis| axis.to < axis.from);
    let exact = axes.iter().all(|axis| axis.to as f64 == axis.scale * axis.from as f64);
    if call.text("mode", "nearest") != "linear" || smooth || !exact {
        return None;
    }
    match call.text("coordinate_transformation_mode", "half_pixel") {
        "half_pixel" | "half_pixel_symmetric" => Some(false),
        "pytorch_half_pixel" if axes.iter().all(|axis| axis.to > 1) => Some(false),
        "align_corners" => Some(true),
        _ => None,
    }
}

fn axes<F: Real>(call: &Call<'_, '_, F>, rank: usize) -> Vec<Axis> {
    let shape = call.x(0).shape();
    let upsample = call.node.op == "Upsample";
    let numbers = |index: usize| -> Option<Vec<f64>> {
        call.input(index)
            .map(|x| x.value().iter().map(|x| x.as_f64()).collect::<Vec<_>>())
            .filter(|x| !x.is_empty())
    };
    let (region, scales, sizes) =
        if upsample { (None, numbers(1), None) } else { (numbers(1), numbers(2), numbers(3)) };
    let chosen = call.ints("axes").unwrap_or_else(|| (0..rank as i64).collect());
    let chosen: Vec<_> = chosen.into_iter().map(|axis| axis.rem_euclid(rank as i64) as usize).collect();
    let of_sizes = sizes.as_ref().map(|sizes| {
        let ratios = || chosen.iter().zip(sizes).map(|(&axis, to)| to / shape[axis] as f64);
        match call.text("keep_aspect_ratio_policy", "stretch") {
            "not_larger" => Some(ratios().fold(f64::INFINITY, f64::min)),
            "not_smaller" => Some(ratios().fold(0.0, f64::max)),
            _ => None,
        }
    });
    let count = chosen.len();
    let axis = |(i, axis): (usize, usize)| {
        let from = shape[axis];
        let (scale, to) = match (&scales, &sizes, of_sizes) {
            (Some(scales), ..) => (scales[i], (from as f64 * scales[i]).floor() as usize),
            (_, _, Some(Some(scale))) => (scale, (scale * from as f64).round() as usize),
            (_, Some(sizes), _) => (sizes[i] / from as f64, sizes[i] as usize),
            _ => panic!("scales or sizes"),
        };
        let region = region.as_ref().map_or((0.0, 1.0), |region| (region[i], region[i + count]));
        Axis { axis, from, to, scale, sized: scales.is_none(), region }
    };
    chosen.into_iter().enumerate().map(axis).collect()
}

impl Axis {
    /// Whether each pixel is repeated equally often.
    fn is_repeated<F: Real>(&self, call: &Call<'_, '_, F>) -> bool {
        let one_hot = |at: usize| (0..self.from).map(|i| f64::from(i == at)).collect::<Vec<_>>();
        let cropped = call.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
        let times = self.to / self.from;
        let repeats = |p: usize| self.weights(call, self.source(call, p)) == one_hot(p / times);
        !cropped && times > 0 && self.to.is_multiple_of(self.from) && (0..self.to).all(repeats)
    }

    fn resized<'t, F: Real>(&self, call: &Call<'_, 't, F>, x: Var<'t, F>) -> Var<'t, F> {
        let cropped = call.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
        if self.from == self.to && self.scale == 1.0 && !cropped {
            return x;
        }
        let value = call.float("extrapolation_value", 0.0);
        let (mut matrix, mut shift) = (Vec::new(), Vec::new());
        for place in 0..self.to {
            let at = self.source(call, place);
            let outside = cropped && !(0.0..=(self.from - 1) as f64).contains(&at);
            shift.push(if outside { value } else { 0.0 });
            matrix.extend(if outside { vec![0.0; self.from] } else { self.weights(call, at) });
        }
        let matrix = x.tape().constant(tensor(&[self.to, self.from], matrix));
        let axis = self.axis as isize;
        let y = x.transpose(axis, -1).linear(matrix, Some(x.tape().constant(tensor(&[self.to], shift))));
        y.transpose(axis, -1)
    }

    /// Where a pixel of the result lies in the input.
    fn source<F: Real>(&self, call: &Call<'_, '_, F>, place: usize) -> f64 {
        let (x, from) = (place as f64, self.from as f64);
        // With a scale that does not divide, a fraction of a pixel more than there is.
        let to = if call.text("coordinate_transformation_mode", "") == "align_corners" && !self.sized {
            self.scale * from
        } else {
            self.to as f64
        };
        let default = if call.node.op == "Upsample" { "asymmetric" } else { "half_pixel" };
        match call.text("coordinate_transformation_mode", default) {
            "asymmetric" => x / self.scale,
            "align_corners" if self.to == 1 => 0.0,
            "align_corners" => x * (from - 1.0) / (to - 1.0),
            "pytorch_half_pixel" if self.to == 1 => 0.0,
            "half_pixel_symmetric" => {
                let adjusted = to / (self.scale * from);
                (from / 2.0) * (1.0 - adjusted) + (x + 0.5) / self.scale - 0.5
            }
            "tf_crop_and_resize" => {
                let (start, end) = self.region;
                if self.to == 1 {
                    0.5 * (start + end) * (from - 1.0)
                } else {
                    start * (from - 1.0) + x * (end - start) * (from - 1.0) / (to - 1.0)
                }
            }
            _ => (x + 0.5) / self.scale - 0.5,
        }
    }

    /// How much each pixel of the input weighs in one at this place.
    fn weights<F: Real>(&self, call: &Call<'_, '_, F>, at: f64) -> Vec<f64> {
        let mut weights = vec![0.0; self.from];
        let last = self.from as i64 - 1;
        let mode = call.text("mode", "nearest");
        if mode == "nearest" {
            let default = if call.node.op == "Upsample" { "floor" } else { "round_prefer_floor" };
            let nearest = match call.text("nearest_mode", default) {
                "round_prefer_floor" => (at - 0.5).ceil(),
                "round_prefer_ceil" => (at + 0.5).floor(),
                "ceil" => at.ceil(),
                _ => at.floor(),
            };
            weights[(nearest as i64).clamp(0, last) as usize] = 1.0;
            return weights;
        }
        let cubic = call.float("cubic_coeff_a", -0.75);
        let kernel = |x: f64| if mode == "cubic" { cubic_kernel(cubic, x) } else { (1.0 - x.abs()).max(0.0) };
        let reach = if mode == "cubic" { 2.0 } else { 1.0 };
        let stretch = if call.int("antialias", 0) != 0 { self.scale.min(1.0) } else { 1.0 };
        let reach = reach / stretch;
        let outside_counts = call.int("exclude_outside", 0) == 0;
        for pixel in (at - reach).floor() as i64..=(at + reach).ceil() as i64 {
            if outside_counts || (0..=last).contains(&pixel) {
                weights[pixel.clamp(0, last) as usize] += kernel((pixel as f64 - at) * stretch);
            }
        }
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    }
}

/// Keys' kernel.
fn cubic_kernel(a: f64, x: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}
