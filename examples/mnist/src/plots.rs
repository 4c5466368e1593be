//! Pictures of a run as SVG: the curves, and the test digits the network was surest about and wrong.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use wengert::data::ImageDataset;

use crate::report::{Epoch, Mistake};

/// Two of the colours by Okabe and Ito that colour-blind readers can tell apart.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(213, 94, 0);

/// What [`draw`] writes.
pub const FILES: [&str; 2] = ["curves.svg", "mistakes.svg"];

type Drawing<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

pub fn draw(directory: &Path, epochs: &[Epoch], mistakes: &[Mistake], test: &ImageDataset) -> Drawn {
    let [curves_file, mistakes_file] = FILES.map(|name| directory.join(name));
    curves(&curves_file, epochs)?;
    sheet(&mistakes_file, mistakes, test)
}

/// Loss and error rate after each epoch. The error is drawn, not the accuracy: on a log axis the difference between
/// 98 % and 99 % is as visible as it is important.
fn curves(path: &Path, epochs: &[Epoch]) -> Drawn {
    let root = SVGBackend::new(path, (1000, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(500);
    panel(&left, "Mean cross-entropy (nats)", epochs, |e| e.train_loss, |e| e.test_loss)?;
    let error = |accuracy: f64| 100.0 * (1.0 - accuracy);
    panel(&right, "Error (%)", epochs, |e| error(e.train_accuracy), |e| error(e.test_accuracy))?;
    root.present()?;
    Ok(())
}

fn panel(
    area: &Drawing<'_>,
    title: &str,
    epochs: &[Epoch],
    train: impl Fn(&Epoch) -> f64,
    test: impl Fn(&Epoch) -> f64,
) -> Drawn {
    // A log axis has no zero: a perfect epoch sits on the lower edge. What is not finite is not drawn.
    let (floor, ceiling) = (1e-4, 1e300);
    let shown = |y: f64| if y.is_finite() { y.clamp(floor, ceiling) } else { f64::NAN };
    let values = epochs.iter().flat_map(|e| [train(e), test(e)]).map(shown).filter(|y| y.is_finite());
    let ends = values.fold((f64::INFINITY, 0.0), |(low, high), y| (y.min(low), y.max(high)));
    let (low, high) = if ends.0 > ends.1 { (floor, 1.0) } else { ends };
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(
            1.0..epochs.len().max(2) as f64,
            (10f64.powf(low.log10().floor())..high * 1.3).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_labels(epochs.len().clamp(2, 10))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| if *y < 1e6 { format!("{y}") } else { format!("{y:e}") })
        .light_line_style(WHITE)
        .draw()?;
    for (name, color, series) in
        [("training", BLUE, &train as &dyn Fn(&Epoch) -> f64), ("test", ORANGE, &test)]
    {
        let points: Vec<_> = epochs.iter().map(|e| (f64::from(e.epoch), shown(series(e)))).collect();
        for (index, run) in points.split(|point| point.1.is_nan()).enumerate() {
            let line = chart.draw_series(LineSeries::new(run.iter().copied(), color.stroke_width(2)))?;
            if index == 0 {
                let sample = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2));
                line.label(name).legend(sample);
            }
            chart.draw_series(run.iter().map(|&point| Circle::new(point, 3, color.filled())))?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    Ok(())
}

/// The surest mistakes first, each with its label and what the network took it for.
fn sheet(path: &Path, mistakes: &[Mistake], test: &ImageDataset) -> Drawn {
    const COLUMNS: usize = 8;
    const ROWS: usize = 4;
    let root = SVGBackend::new(path, (100 * COLUMNS as u32, 40 + 130 * ROWS as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("{} of {} test digits misread, the surest first", mistakes.len(), test.len());
    let cells = root.titled(&title, ("sans-serif", 20))?.split_evenly((ROWS, COLUMNS));
    for (cell, mistake) in cells.iter().zip(mistakes) {
        digit(cell, test.image(mistake.index))?;
        let text = format!("{} read as {}", mistake.label, mistake.prediction);
        cell.draw(&Text::new(text, (8, 92), ("sans-serif", 14)))?;
        let sure = format!("{:.1} % sure", 100.0 * mistake.probability);
        cell.draw(&Text::new(sure, (8, 108), ("sans-serif", 12).into_font().color(&BLACK.mix(0.6))))?;
    }
    root.present()?;
    Ok(())
}

/// Runs of equal grey become one rectangle each; five greys are enough to recognise a digit and keep the file small.
fn digit(cell: &Drawing<'_>, image: wengert::ndarray::ArrayView2<'_, u8>) -> Drawn {
    const PIXEL: i32 = 3;
    let grey = |&pixel: &u8| (u16::from(pixel) + 32) / 64;
    for (y, row) in (0..).zip(image.rows()) {
        let mut x = 0;
        for run in row.to_vec().chunk_by(|a, b| grey(a) == grey(b)) {
            let end = x + run.len() as i32;
            let ink = 63.75 * f64::from(grey(&run[0]));
            if ink > 0.0 {
                let color = BLACK.mix(ink / 255.0).filled();
                cell.draw(&Rectangle::new(
                    [(8 + PIXEL * x, 4 + PIXEL * y), (8 + PIXEL * end, 4 + PIXEL * (y + 1))],
                    color,
                ))?;
            }
            x = end;
        }
    }
    Ok(())
}
