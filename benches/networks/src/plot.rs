//! Bars: how many times as long as `fused` each way takes for a network.

use workload::svg::{grid_line, head, text};

use crate::results::Total;

const WIDTH: f64 = 880.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 56.0;
const HEAD: f64 = 76.0;
const ABOVE: f64 = 40.0;
const BAR: f64 = 11.0;
const GAP: f64 = 10.0;
/// The axis is logarithmic, and starts at an eighth.
const LEAST: f64 = 0.125;

/// Of Okabe and Ito, which colour-blind people can tell apart.
const COLOURS: [&str; 7] = [
    "#d55e00", "#e69f00", "#aaaaaa", "#009e73", "#0072b2", "#cc79a7", "#56b4e9",
];

/// A panel a setting.
pub fn svg(source: &str, ways: &[String], totals: &[Total]) -> String {
    let panels: Vec<_> = totals.chunk_by(|a, b| a.of() == b.of()).collect();
    let height = |panel: &[Total]| {
        let bars: usize = panel.iter().map(|total| total.ns.iter().flatten().count()).sum();
        ABOVE + BAR * bars as f64 + GAP * (panel.len() + 1) as f64 + 24.0
    };
    let all = HEAD + panels.iter().map(|panel| height(panel)).sum::<f64>();
    let mut svg = head(WIDTH, all);
    svg += &text(
        (WIDTH / 2.0, 24.0),
        "middle",
        17,
        "All activations of a network: time relative to rectify's fused passes",
    );
    svg += &text((WIDTH / 2.0, 44.0), "middle", 13, source);
    let spacing = (WIDTH - 40.0) / ways.len() as f64;
    for (i, way) in ways.iter().enumerate() {
        let x = 20.0 + spacing * i as f64;
        svg += &bar((x, 56.0), 14.0, COLOURS[i % COLOURS.len()]);
        svg += &text((x + 20.0, 66.0), "start", 13, &label(way));
    }
    let mut top = HEAD;
    for panel in panels {
        svg += &draw(top, height(panel), panel);
        top += height(panel);
    }
    svg + "</svg>\n"
}

fn label(way: &str) -> String {
    match way {
        "fused" | "separate" => format!("rectify, {way}"),
        "limit" => "load/store loop".into(),
        "plain" => "plain loop".into(),
        _ => way.into(),
    }
}

fn draw(top: f64, height: f64, panel: &[Total]) -> String {
    let ratios = |total: &Total| -> Vec<Option<f64>> {
        let fused = total.ns[0].unwrap_or(1.0);
        total.ns.iter().map(|ns| ns.map(|ns| ns / fused)).collect()
    };
    let most = panel.iter().flat_map(ratios).flatten().fold(2.0, f64::max);
    let right = WIDTH - RIGHT;
    let x = |ratio: f64| LEFT + (right - LEFT) * (ratio.max(LEAST) / LEAST).log2() / (most / LEAST).log2();
    let mut svg = text((WIDTH / 2.0, top + 24.0), "middle", 15, &panel[0].of());
    let bottom = top + height - 20.0;
    for power in LEAST.log2() as i32..=most.log2().floor() as i32 {
        let ratio = 2_f64.powi(power);
        svg += &grid_line((x(ratio), top + ABOVE), (x(ratio), bottom));
        svg += &text((x(ratio), bottom + 14.0), "middle", 12, &format!("{ratio}"));
    }
    let mut y = top + ABOVE + GAP;
    for total in panel {
        let bars = total.ns.iter().flatten().count() as f64;
        // Without the size of the input.
        let title = total.title.split(", ").next().unwrap_or_default();
        let title = if total.title.contains("one token") {
            "Llama, one token"
        } else {
            title
        };
        svg += &text((LEFT - 8.0, y + BAR * bars / 2.0 + 4.0), "end", 13, title);
        for (i, ratio) in ratios(total).into_iter().enumerate() {
            let Some(ratio) = ratio else { continue };
            svg += &bar((LEFT, y), x(ratio) - LEFT, COLOURS[i % COLOURS.len()]);
            if i != 0 {
                let digits = if ratio < 0.95 { 2 } else { usize::from(ratio < 9.95) };
                svg += &text(
                    (x(ratio) + 4.0, y + BAR - 2.0),
                    "start",
                    10,
                    &format!("{ratio:.digits$}"),
                );
            }
            y += BAR;
        }
        y += GAP;
    }
    svg
}

fn bar((x, y): (f64, f64), width: f64, colour: &str) -> String {
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\n",
        BAR - 1.0
    )
}
