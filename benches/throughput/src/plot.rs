//! The figures as a picture: GB/s against size, a panel a function and format, a line an instruction set.

use std::error::Error;

use plotters::prelude::*;
use rectify::Isa;

use crate::figures::{Measurement, Reference, distinct, size_label};

const PANEL: (u32, u32) = (420, 300);
const REFERENCE_COLOUR: RGBColor = RGBColor(150, 150, 150);

pub fn svg(title: &str, measurements: &[Measurement], reference: Reference) -> Result<String, String> {
    draw(title, measurements, reference).map_err(|error| format!("can't plot: {error}"))
}

fn draw(title: &str, measurements: &[Measurement], reference: Reference) -> Result<String, Box<dyn Error>> {
    let panels: Vec<&[Measurement]> = measurements
        .chunk_by(|a, b| (a.function, a.format) == (b.function, b.format))
        .collect();
    let columns = distinct(measurements, |cell| cell.function.method).len();
    let rows = panels.len().div_ceil(columns);
    let mut svg = String::new();
    {
        let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32 + 50);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        let root = root.titled(&format!("{title}GB/s read and written, one thread"), ("sans-serif", 24))?;
        for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
            draw_panel(area, panel, reference)?;
        }
        root.present()?;
    }
    Ok(svg)
}

fn draw_panel(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    panel: &[Measurement],
    reference: Reference,
) -> Result<(), Box<dyn Error>> {
    let first_and_last = (panel[0].bytes as f64, panel[panel.len() - 1].bytes as f64);
    let speeds = panel
        .iter()
        .flat_map(|cell| [cell.gb_per_s(), cell.reference_gb_per_s()]);
    let fastest = speeds.fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(
            format!("{} {}", panel[0].function.name(), panel[0].format),
            ("sans-serif", 16),
        )
        .margin(8)
        .x_label_area_size(30)
        .y_label_area_size(40)
        .build_cartesian_2d(
            (first_and_last.0..first_and_last.1).log_scale().base(16.0),
            0.0..1.05 * fastest,
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("bytes a slice")
        .y_label_formatter(&|gb_per_s| format!("{gb_per_s:.0}"))
        .x_label_formatter(&|&bytes| size_label(bytes))
        .draw()?;

    let lines: Vec<&[Measurement]> = panel.chunk_by(|a, b| a.isa == b.isa).collect();
    if let Some(widest) = lines.last() {
        let points = widest.iter().map(|cell| (cell.bytes as f64, cell.reference_gb_per_s()));
        chart
            .draw_series(LineSeries::new(points, REFERENCE_COLOUR.stroke_width(4)))?
            .label(format!("{} ({})", reference.name(), widest[0].isa))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], REFERENCE_COLOUR.stroke_width(4)));
    }
    for line in lines {
        let colour = colour(line[0].isa);
        let points = line.iter().map(|cell| (cell.bytes as f64, cell.gb_per_s()));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(line[0].isa.to_string())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerMiddle)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}

fn colour(isa: Isa) -> RGBColor {
    match isa {
        Isa::Scalar => RGBColor(120, 94, 240),
        Isa::Portable => RGBColor(255, 176, 0),
        Isa::Avx2 => RGBColor(100, 143, 255),
        _ => RGBColor(220, 38, 127),
    }
}
