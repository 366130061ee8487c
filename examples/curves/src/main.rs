//! Draws each function and its gradient, as this crate computes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use command_line::Command;
use command_line::lexopt;
use command_line::lexopt::prelude::*;
use rectify::{
    Activation, AnyActivation, Celu, ClippedRelu, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, Hardshrink, Hardtanh,
    LeakyRelu, LogSigmoid, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Softshrink, Softsign, SquaredRelu, Swish, Tanh,
    Tanhshrink, ThresholdedRelu,
};

const HELP: &str = "\
Draws each function and its gradient to an SVG file.

Usage: curves FILE
";

// In pixels. The documentation shows the picture at this width.
const WIDTH: f64 = 880.0;
const COLUMNS: usize = 4;
const PANEL: (f64, f64) = (WIDTH / COLUMNS as f64, 205.0);
const HEAD: f64 = 70.0;
/// Around the axes of a panel, for their labels.
const LEFT: f64 = 28.0;
const RIGHT: f64 = 10.0;
const ABOVE: f64 = 28.0;
const BELOW: f64 = 26.0;

/// Of x and of what is drawn at it.
const X: (f64, f64) = (-4.0, 4.0);
const Y: (f64, f64) = (-1.5, 3.0);
/// A pixel apart.
const POINTS: usize = 161;

/// Colours of Okabe and Ito, which colour-blind people can tell apart.
const VALUE: &str = "stroke=\"#0072b2\" stroke-width=\"2.5\"";
const GRADIENT: &str = "stroke=\"#d55e00\" stroke-width=\"2\" stroke-dasharray=\"5 3\"";

/// With the parameters that are drawn, in the order of `AnyActivation::NAMES`.
fn functions() -> Vec<(&'static str, AnyActivation)> {
    vec![
        ("ClippedRelu, max 2", ClippedRelu::new(2.0).into()),
        ("HardSigmoid", HardSigmoid::default().into()),
        ("HardSwish", HardSwish.into()),
        ("Hardshrink, lambda 0.5", Hardshrink::default().into()),
        ("Hardtanh", Hardtanh::default().into()),
        ("LeakyRelu, slope 0.1", LeakyRelu::new(0.1).into()),
        ("Relu", Relu.into()),
        ("SquaredRelu", SquaredRelu.into()),
        ("ThresholdedRelu, 1", ThresholdedRelu::new(1.0).into()),
        ("Celu, alpha 0.5", Celu::new(0.5).into()),
        ("Elu", Elu::default().into()),
        ("Gelu", Gelu.into()),
        ("GeluTanh", GeluTanh.into()),
        ("LogSigmoid", LogSigmoid.into()),
        ("Mish", Mish.into()),
        ("Selu", Selu.into()),
        ("Sigmoid", Sigmoid.into()),
        ("Silu", Silu.into()),
        ("Softplus", Softplus::default().into()),
        ("Softshrink, lambda 0.5", Softshrink::default().into()),
        ("Softsign", Softsign.into()),
        ("Swish, beta 1.702", Swish::QUICK_GELU.into()),
        ("Tanh", Tanh.into()),
        ("Tanhshrink", Tanhshrink.into()),
    ]
}

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), HELP, parse, |file| draw(file))
}

fn parse(parser: &mut lexopt::Parser) -> Result<Command<PathBuf>, lexopt::Error> {
    let mut file = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(path) if file.is_none() => file = Some(path.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    file.map(Command::Run).ok_or_else(|| "curves takes a file".into())
}

fn draw(file: &Path) -> Result<(), String> {
    fs::write(file, svg()).map_err(|error| command_line::cannot_write(file, &error))
}

fn svg() -> String {
    let functions = functions();
    let height = HEAD + PANEL.1 * functions.len().div_ceil(COLUMNS) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" fill=\"#222222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    svg += &text((WIDTH / 2.0, 28.0), "middle", 20, "The functions and their gradients");
    for (left, style, name) in [(300.0, VALUE, "f(x)"), (460.0, GRADIENT, "gradient for g = 1")] {
        svg += &line((left, 50.0), (left + 40.0, 50.0), style);
        svg += &text((left + 50.0, 55.0), "start", 14, name);
    }
    for (i, (name, function)) in functions.into_iter().enumerate() {
        let corner = (PANEL.0 * (i % COLUMNS) as f64, HEAD + PANEL.1 * (i / COLUMNS) as f64);
        svg += &panel(corner, name, function);
    }
    svg + "</svg>\n"
}

fn panel(corner: (f64, f64), name: &str, function: AnyActivation) -> String {
    let (left, right) = (corner.0 + LEFT, corner.0 + PANEL.0 - RIGHT);
    let (top, bottom) = (corner.1 + ABOVE, corner.1 + PANEL.1 - BELOW);
    let to_x = |x: f64| left + (right - left) * (x - X.0) / (X.1 - X.0);
    let to_y = |y: f64| bottom + (top - bottom) * (y - Y.0) / (Y.1 - Y.0);

    let mut svg = text(((left + right) / 2.0, top - 9.0), "middle", 14, name);
    for x in [-4, -2, 0, 2, 4].map(f64::from) {
        let style = if x == 0.0 {
            "stroke=\"#888888\""
        } else {
            "stroke=\"#dddddd\""
        };
        svg += &line((to_x(x), top), (to_x(x), bottom), style);
        svg += &text((to_x(x), bottom + 16.0), "middle", 12, &format!("{x}"));
    }
    for y in [-1, 0, 1, 2, 3].map(f64::from) {
        let style = if y == 0.0 {
            "stroke=\"#888888\""
        } else {
            "stroke=\"#dddddd\""
        };
        svg += &line((left, to_y(y)), (right, to_y(y)), style);
        svg += &text((left - 6.0, to_y(y) + 4.0), "end", 12, &format!("{y}"));
    }
    let step = (X.1 - X.0) / (POINTS - 1) as f64;
    let x: Vec<f64> = (0..POINTS).map(|i| X.0 + step * i as f64).collect();
    let (mut value, mut gradient) = (x.clone(), vec![1.0; POINTS]);
    function.forward_inplace(&mut value);
    function.backward_inplace(&x, &mut gradient);
    for (y, style) in [(value, VALUE), (gradient, GRADIENT)] {
        // What leaves the panel isn't drawn.
        let points = x.iter().zip(y).filter(|(_, y)| (Y.0..=Y.1).contains(y));
        let points: Vec<_> = points.map(|(&x, y)| format!("{:.1},{:.1}", to_x(x), to_y(y))).collect();
        svg += &format!("<polyline points=\"{}\" fill=\"none\" {style}/>\n", points.join(" "));
    }
    svg
}

fn line(from: (f64, f64), to: (f64, f64), style: &str) -> String {
    let ((x1, y1), (x2, y2)) = (from, to);
    format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>\n")
}

fn text((x, y): (f64, f64), anchor: &str, size: u32, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{text}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_drawn() {
        let names: Vec<_> = functions().iter().map(|(_, function)| function.name()).collect();
        assert_eq!(names, AnyActivation::NAMES);
    }
}
