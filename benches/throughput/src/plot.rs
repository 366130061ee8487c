//! The figures as a picture: GB/s against size, a panel a function and format, a line an instruction set.

use rectify::Isa;
use workload::svg::{grid_line, head, round_step, text};

use crate::figures::{Measurement, Reference, distinct, size_label};

// In pixels. The documentation shows the picture at this width.
const WIDTH: f64 = 880.0;
const PANEL: (f64, f64) = (WIDTH / COLUMNS as f64, 300.0);
const COLUMNS: usize = 2;
const HEAD: f64 = 106.0;
/// Around the axes of a panel, for their labels.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 22.0;
const ABOVE: f64 = 30.0;
const BELOW: f64 = 52.0;

const REFERENCE_STYLE: Style = Style {
    colour: "#aaaaaa",
    dashes: "none",
    width: 7,
    marker: "",
};

struct Style {
    colour: &'static str,
    dashes: &'static str,
    width: u32,
    /// A path around the origin.
    marker: &'static str,
}

/// Colours of Okabe and Ito, which colour-blind people can tell apart.
fn style(isa: Isa) -> Style {
    let (colour, dashes, marker) = match isa {
        Isa::Scalar => ("#e69f00", "2 4", "M-4 -4L4 4M-4 4L4 -4"),
        Isa::Portable => ("#009e73", "8 4", "M0 -5L5 4H-5Z"),
        Isa::Avx2 => ("#0072b2", "12 3 2 3", "M-4 -4H4V4H-4Z"),
        _ => ("#d55e00", "none", "M0 -5L5 0L0 5L-5 0Z"),
    };
    Style {
        colour,
        dashes,
        width: 2,
        marker,
    }
}

impl Style {
    fn draw(&self, points: &[(f64, f64)]) -> String {
        let Self {
            colour,
            dashes,
            width,
            marker,
        } = self;
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let mut svg = format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dashes}\"/>\n",
            path.join(" ")
        );
        for (x, y) in points.iter().filter(|_| !marker.is_empty()) {
            svg += &format!(
                "<path d=\"{marker}\" transform=\"translate({x:.1} {y:.1})\" fill=\"{colour}\" stroke=\"{colour}\"/>\n"
            );
        }
        svg
    }
}

/// `source` says whose figures they are.
pub fn svg(source: &str, measurements: &[Measurement], reference: Reference) -> String {
    let panels: Vec<&[Measurement]> = measurements
        .chunk_by(|a, b| (a.function, a.format) == (b.function, b.format))
        .collect();
    let height = HEAD + PANEL.1 * panels.len().div_ceil(COLUMNS) as f64;
    let title = text(
        (WIDTH / 2.0, 28.0),
        "middle",
        20,
        "Bytes read and written per second, one thread",
    );
    let source = text((WIDTH / 2.0, 52.0), "middle", 14, source);
    let mut svg = head(WIDTH, height) + &title + &source;
    svg += &legend(measurements, reference);
    for (i, panel) in panels.into_iter().enumerate() {
        let corner = (PANEL.0 * (i % COLUMNS) as f64, HEAD + PANEL.1 * (i / COLUMNS) as f64);
        svg += &draw_panel(corner, panel);
    }
    svg + "</svg>\n"
}

fn legend(measurements: &[Measurement], reference: Reference) -> String {
    const SPACING: f64 = 150.0;
    let isas = distinct(measurements, |cell| cell.isa);
    let widest = isas
        .last()
        .map(|isa| (format!("{} of {isa}", reference.name()), REFERENCE_STYLE));
    let entries: Vec<_> = isas
        .iter()
        .map(|&isa| (isa.to_string(), style(isa)))
        .chain(widest)
        .collect();
    let left = (WIDTH - SPACING * entries.len() as f64) / 2.0 + 10.0;
    let draw = |(i, (name, style)): (usize, &(String, Style))| {
        let x = left + SPACING * i as f64;
        let line = style.draw(&[(x, 80.0), (x + 20.0, 80.0), (x + 40.0, 80.0)]);
        line + &text((x + 50.0, 85.0), "start", 14, name)
    };
    entries.iter().enumerate().map(draw).collect()
}

fn draw_panel(corner: (f64, f64), panel: &[Measurement]) -> String {
    let sizes = panel.iter().map(|cell| cell.bytes as f64);
    let (least, most) = sizes.fold((f64::INFINITY, 0.0), |(least, most), size| {
        (size.min(least), size.max(most))
    });
    let speeds = panel
        .iter()
        .flat_map(|cell| [cell.gb_per_s(), cell.reference_gb_per_s()]);
    let fastest = 1.05 * speeds.fold(0.0, f64::max);
    let (left, right) = (corner.0 + LEFT, corner.0 + PANEL.0 - RIGHT);
    let (top, bottom) = (corner.1 + ABOVE, corner.1 + PANEL.1 - BELOW);
    let x = |bytes: f64| left + (right - left) * (bytes / least).log2() / (most / least).log2().max(1.0);
    let y = |gb_per_s: f64| bottom + (top - bottom) * gb_per_s / fastest;

    let name = format!("{} {}", panel[0].function.name(), panel[0].format);
    let middle = (left + right) / 2.0;
    let mut svg = text((middle, top - 10.0), "middle", 15, &name);
    svg += &text((middle, bottom + 40.0), "middle", 13, "bytes a slice");
    let (label_x, label_y) = (left - 46.0, (top + bottom) / 2.0);
    svg += &format!(
        "<g transform=\"translate({label_x} {label_y}) rotate(-90)\">{}</g>\n",
        text((0.0, 0.0), "middle", 13, "GB/s")
    );
    let step = round_step(fastest / 5.0);
    for gb_per_s in (0..)
        .map(|i| step * f64::from(i))
        .take_while(|&gb_per_s| gb_per_s <= fastest)
    {
        svg += &grid_line((left, y(gb_per_s)), (right, y(gb_per_s)));
        svg += &text((left - 8.0, y(gb_per_s) + 4.5), "end", 13, &format!("{gb_per_s}"));
    }
    // Each power of 16 from 64 on is a round number of bytes, KB, MB or GB.
    for bytes in (0..).map(|i| 64.0 * 16_f64.powi(i)).take_while(|&bytes| bytes <= most) {
        if bytes >= least {
            svg += &grid_line((x(bytes), top), (x(bytes), bottom));
            svg += &text((x(bytes), bottom + 19.0), "middle", 13, &size_label(bytes));
        }
    }
    let draw = |style: Style, line: &[Measurement], speed: fn(&Measurement) -> f64| {
        let points: Vec<_> = line.iter().map(|cell| (x(cell.bytes as f64), y(speed(cell)))).collect();
        style.draw(&points)
    };
    let lines: Vec<&[Measurement]> = panel.chunk_by(|a, b| a.isa == b.isa).collect();
    if let Some(widest) = lines.last() {
        svg += &draw(REFERENCE_STYLE, widest, Measurement::reference_gb_per_s);
    }
    for line in lines {
        svg += &draw(style(line[0].isa), line, Measurement::gb_per_s);
    }
    svg
}
