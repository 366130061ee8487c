//! Arrays of the crate `ndarray` in each kind of layout: the trait `Activate` beside ndarray's own loops.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use command_line::lexopt::prelude::*;
use command_line::{Command, lexopt, print};
use ndarray::{Array2, Zip, s};
use rectify::{Activate, Activation, Hardtanh, Kernels, LeakyRelu, Relu, Silu};
use workload::machine;

const HELP: &str = "\
Measures functions of arrays of ndarray in f32, in several layouts, on the instruction set that is chosen: `Activate` in turns with
`mapv`, `mapv_inplace`, and for the gradient `Zip::map_collect`.

Usage: cargo run --release -p arrays -- [OPTIONS]

  --rows N  only arrays of so many rows: 8, 32, 128, 1000 or 3000
            (may be given several times)
  --help    print this
";

const LEGEND: &str =
    "Time of ndarray's loop relative to that of `Activate`: above 1 where `Activate` is faster. Least of 15.\n\n";

/// A view of a matrix, for a view that can be written or not.
macro_rules! narrow {
    ($narrow:ident, $x:expr) => {
        match $narrow {
            Narrow::All => $x,
            Narrow::Fortran => $x.reversed_axes(),
            Narrow::Reversed => $x.slice_move(s![.., ..;-1]),
            Narrow::SecondRows => $x.slice_move(s![..;2, ..]),
            Narrow::ButAColumn => $x.slice_move(s![.., 1..]),
            Narrow::SecondColumns => $x.slice_move(s![.., ..;2]),
            Narrow::SecondOfFortran => $x.reversed_axes().slice_move(s![..;2, ..]),
            Narrow::SeventhColumns => $x.slice_move(s![.., ..;7]),
            Narrow::ThreeColumns => $x.slice_move(s![.., 4..7]),
        }
    };
}

#[derive(Clone, Copy)]
enum Narrow {
    All,
    Fortran,
    Reversed,
    SecondRows,
    ButAColumn,
    SecondColumns,
    SecondOfFortran,
    SeventhColumns,
    ThreeColumns,
}

const LAYOUTS: &[(&str, Narrow)] = &[
    ("standard", Narrow::All),
    ("Fortran", Narrow::Fortran),
    ("reversed rows", Narrow::Reversed),
    ("every second row", Narrow::SecondRows),
    ("all but a column", Narrow::ButAColumn),
    ("every second column", Narrow::SecondColumns),
    ("every second of Fortran", Narrow::SecondOfFortran),
    ("every seventh column", Narrow::SeventhColumns),
    ("three columns", Narrow::ThreeColumns),
];

type Shape = (usize, usize);

/// By their number of rows.
const SHAPES: [(&str, Shape); 5] = [
    ("8", (8, 8)),
    ("32", (32, 32)),
    ("128", (128, 130)),
    ("1000", (1000, 1000)),
    ("3000", (3000, 4000)),
];

fn main() -> ExitCode {
    command_line::run(env!("CARGO_PKG_NAME"), HELP, parse, |shapes: &Vec<_>| run(shapes))
}

/// The shapes to measure.
fn parse(parser: &mut lexopt::Parser) -> Result<Command<Vec<Shape>>, lexopt::Error> {
    let mut shapes = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rows") => shapes.push(parser.value()?.parse_with(command_line::one_of("--rows", SHAPES))?),
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    if shapes.is_empty() {
        shapes.extend(SHAPES.map(|(_, shape)| shape));
    }
    Ok(Command::Run(shapes))
}

fn run(shapes: &[Shape]) -> Result<(), String> {
    print(&format!("{}, {}\n{LEGEND}", machine::cpu(), Kernels::best().isa()))?;
    let relu = |x: f32| if x > 0.0 { x } else { 0.0 };
    let relu_gradient = |x: f32, g: f32| if x > 0.0 { g } else { 0.0 };
    measure(shapes, "ReLU", Relu, relu, relu_gradient)?;
    let leaky = |x: f32| if x > 0.0 { x } else { 0.01 * x };
    let leaky_gradient = |x: f32, g: f32| if x > 0.0 { g } else { 0.01 * g };
    measure(shapes, "leaky ReLU", LeakyRelu::new(0.01), leaky, leaky_gradient)?;
    let hardtanh = |x: f32| x.clamp(-0.2, 0.2);
    let hardtanh_gradient = |x: f32, g: f32| if x > -0.2 && x < 0.2 { g } else { 0.0 };
    measure(
        shapes,
        "hardtanh",
        Hardtanh::new(-0.2, 0.2),
        hardtanh,
        hardtanh_gradient,
    )?;
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let silu_gradient = |x: f32, g: f32| g * sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)));
    measure(shapes, "SiLU", Silu, |x| x * sigmoid(x), silu_gradient)
}

fn measure(
    shapes: &[Shape],
    name: &str,
    activation: impl Activation,
    value: impl Fn(f32) -> f32 + Copy,
    gradient: impl Fn(f32, f32) -> f32 + Copy,
) -> Result<(), String> {
    let titles = format!("{:>9} {:>9} {:>9}", "returned", "in-place", "gradient");
    print(&format!("{name:<12} {:<24} {titles}\n", ""))?;
    let mut seed = 1_u32;
    for &(rows, columns) in shapes {
        for &(name, narrow) in LAYOUTS {
            let x = Array2::from_shape_simple_fn((rows, columns), || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed as f32 / u32::MAX as f32 - 0.5
            });
            let returned = {
                let x = narrow!(narrow, x.view());
                ratio(&mut || drop(black_box(x.activate(activation))), &mut || {
                    drop(black_box(x.mapv(value)))
                })
            };
            let gradient = {
                let x = narrow!(narrow, x.view());
                ratio(
                    &mut || drop(black_box(x.activate_backward(activation, &x))),
                    &mut || drop(black_box(Zip::from(&x).and(&x).map_collect(|&x, &g| gradient(x, g)))),
                )
            };
            let (mut ours, mut theirs) = (x.clone(), x);
            let in_place = {
                let mut ours = narrow!(narrow, ours.view_mut());
                let mut theirs = narrow!(narrow, theirs.view_mut());
                ratio(&mut || black_box(&mut ours).activate_inplace(activation), &mut || {
                    black_box(&mut theirs).mapv_inplace(value)
                })
            };
            let shape = format!("{rows} x {columns}");
            print(&format!(
                "{shape:<12} {name:<24} {returned:>9.2} {in_place:>9.2} {gradient:>9.2}\n"
            ))?;
        }
    }
    Ok(())
}

/// The time of the second relative to that of the first, each the least of several, in turns.
fn ratio(first: &mut dyn FnMut(), second: &mut dyn FnMut()) -> f64 {
    let once = time(first, 1).max(1e-8);
    let repeats = (Duration::from_millis(1).as_secs_f64() / once).clamp(1.0, 20_000.0) as usize;
    let mut least = [f64::INFINITY; 2];
    for _ in 0..15 {
        least[0] = least[0].min(time(first, repeats));
        least[1] = least[1].min(time(second, repeats));
    }
    least[1] / least[0]
}

fn time(call: &mut dyn FnMut(), repeats: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        call();
    }
    start.elapsed().as_secs_f64()
}
