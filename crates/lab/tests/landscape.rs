//! Landscapes: the derivatives against central differences, the minima, the level lines.

use wengert_lab::{Axis, Figure, Landscape, Runner, circle, eigenvalues, log_levels};
use wengert_optim::Sgd;

const ALL: [Landscape; 8] = [
    Landscape::Quadratic { kappa: 30.0, angle: 0.7 },
    Landscape::Rosenbrock,
    Landscape::Beale,
    Landscape::Himmelblau,
    Landscape::Saddle,
    Landscape::TwoWells { tilt: 0.3 },
    Landscape::SteepToFlat,
    Landscape::Drifting { velocity: [0.1, -0.2], step: 7 },
];

fn moved([x, y]: [f64; 2], axis: usize, h: f64) -> [f64; 2] {
    if axis == 0 { [x + h, y] } else { [x, y + h] }
}

#[test]
fn derivatives_are_central_differences() {
    let h = 1e-5;
    for landscape in ALL {
        for at in circle([0.3, -0.4], 1.3, 7) {
            let (gradient, hessian) = (landscape.gradient(at), landscape.hessian(at));
            for axis in 0..2 {
                let [up, down] = [moved(at, axis, h), moved(at, axis, -h)];
                let slope = (landscape.value(up) - landscape.value(down)) / (2.0 * h);
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
                assert!(close(gradient[axis], slope), "{landscape:?} at {at:?}: {gradient:?}, {slope}");
                for other in 0..2 {
                    let bend = (landscape.gradient(up)[other] - landscape.gradient(down)[other]) / (2.0 * h);
                    assert!(
                        close(hessian[axis][other], bend),
                        "{landscape:?} at {at:?}: {hessian:?}, {bend}"
                    );
                }
            }
        }
    }
}

#[test]
fn minima_are_where_the_books_say() {
    let minima = [
        (Landscape::Quadratic { kappa: 9.0, angle: 1.0 }, [0.0, 0.0]),
        (Landscape::Rosenbrock, [1.0, 1.0]),
        (Landscape::Beale, [3.0, 0.5]),
        (Landscape::Himmelblau, [3.0, 2.0]),
        (Landscape::Drifting { velocity: [0.5, 0.25], step: 4 }, [2.0, 1.0]),
    ];
    for (landscape, at) in minima {
        assert_eq!(landscape.value(at), 0.0, "{landscape:?}");
        assert_eq!(landscape.gradient(at), [0.0, 0.0], "{landscape:?}");
        assert!(eigenvalues(landscape.hessian(at))[1] > 0.0, "{landscape:?}");
    }
    assert_eq!(eigenvalues(Landscape::Saddle.hessian([5.0, 5.0])), [1.0, -1.0]);
}

#[test]
fn a_quadratic_has_the_condition_number_and_the_axes_it_is_given() {
    let valley = Landscape::Quadratic { kappa: 50.0, angle: 0.4 };
    let [steep, flat] = eigenvalues(valley.hessian([0.0, 0.0]));
    assert!((steep / flat - 50.0).abs() < 1e-12);
    let along_the_steep_axis = [f64::cos(0.4), f64::sin(0.4)];
    assert!((valley.value(along_the_steep_axis) - 25.0).abs() < 1e-12);
}

#[test]
fn level_lines_lie_on_their_level_and_rings_close() {
    let bowl = Landscape::Quadratic { kappa: 1.0, angle: 0.0 };
    let figure = Figure::new("bowl", Axis::linear("x"), Axis::linear("y"));
    let figure = figure.over(bowl, -2.0..=2.0, -2.0..=2.0, &[0.5, 1.125, 3.0]);
    let rings: Vec<_> = figure.contours.iter().filter(|(level, _)| *level < 2.0).collect();
    assert_eq!(rings.len(), 2, "one ring for each level within the frame");
    for (level, ring) in rings {
        assert_eq!(ring.first(), ring.last(), "a ring closes");
        let radius = (2.0 * level).sqrt();
        let length: f64 =
            ring.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
        assert!((length / (std::f64::consts::TAU * radius) - 1.0).abs() < 0.01);
        assert!(ring.iter().all(|&(x, y)| (x.hypot(y) - radius).abs() < 2e-3));
    }
    // √6 is beyond the sides of the frame, but not beyond its corners.
    assert_eq!(figure.contours.iter().filter(|(level, _)| *level == 3.0).count(), 4);
}

#[test]
fn level_lines_of_a_saddle_do_not_cross() {
    let figure = Figure::new("saddle", Axis::linear("x"), Axis::linear("y"));
    let figure = figure.over(Landscape::Saddle, -1.0..=1.0, -0.99..=1.0, &[-0.1, 0.1]);
    assert_eq!(figure.contours.len(), 4, "two branches for each level");
}

#[test]
fn levels_are_a_geometric_sequence() {
    let levels = log_levels(0.1, 1000.0, 5);
    assert!(levels.iter().zip([0.1, 1.0, 10.0, 100.0, 1000.0]).all(|(a, b)| (a / b - 1.0).abs() < 1e-12));
}

#[test]
fn a_path_stops_before_it_is_not_finite() {
    let too_large = Sgd { lr: 1.0, ..Sgd::default() };
    let path = Runner::at("descent", too_large, [1.0, 1.0])
        .descend(Landscape::Quadratic { kappa: 1e9, angle: 0.0 }, 100);
    assert!(path.len() < 100 && path.iter().flatten().all(|x| x.is_finite()));
}
