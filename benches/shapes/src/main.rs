//! Passes over tensors of many shapes, beside the plain loops for the same: where a shape takes longer than its loop, or
//! than shapes of about its size.

use std::collections::HashMap;
use std::process::ExitCode;

use command_line::lexopt::prelude::*;
use command_line::{Command, lexopt, one_of, print};
use rectify::Kernels;
use shapes::measure::{self, Cell, LARGE, SLOWER};
use shapes::pass::{self, Pass};
use shapes::shape;
use workload::{Format, machine};

const HELP: &str = "\
Measures passes over tensors of many shapes, of at most 65,536 elements and 256 KB, out-of-place, on the instruction set
that is chosen.

Usage: cargo run --release -p shapes -- [OPTIONS]

  --pass NAME    only one of {passes};
                 given several times, each of them
  --format NAME  only those of f32, f64, f16 or bf16
  --full         more sizes on each axis, and strided shapes with each function: minutes for a pass and format
  --all          print every cell too
  --help         print this
";

/// With the ratio from which on a cell counts as slower.
const LEGEND: &str = "\
plain: time relative to the loop that one would write, over rows and columns or images, channels and spatial; slower: above {slower}.
beside: ns per element relative to the fastest shape one step away, or that shape in the other layout.
";

/// How many of the worst cells are printed.
const WORST: usize = 10;

const FORMATS: [&str; 4] = [f32::NAME, f64::NAME, rectify::f16::NAME, rectify::bf16::NAME];

#[derive(Default)]
struct Options {
    passes: Vec<&'static str>,
    format: Option<&'static str>,
    is_full: bool,
    prints_all: bool,
}

fn main() -> ExitCode {
    let help = HELP.replace("{passes}", &pass::names().collect::<Vec<_>>().join(", "));
    command_line::run(env!("CARGO_PKG_NAME"), &help, parse, run)
}

fn parse(parser: &mut lexopt::Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("pass") => {
                let named = pass::names().map(|name| (name, name));
                options
                    .passes
                    .push(parser.value()?.parse_with(one_of("--pass", named))?);
            }
            Long("format") => {
                let named = FORMATS.map(|name| (name, name));
                options.format = Some(parser.value()?.parse_with(one_of("--format", named))?);
            }
            Long("full") => options.is_full = true,
            Long("all") => options.prints_all = true,
            Short('h') | Long("help") => return Ok(Command::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Run(options))
}

fn run(options: &Options) -> Result<(), String> {
    let is_chosen = |pass: &Pass| options.passes.is_empty() || options.passes.contains(&pass.name);
    let passes: Vec<_> = Pass::all().filter(is_chosen).collect();
    let legend = LEGEND.replace("{slower}", &SLOWER.to_string());
    print(&format!("{}, {}\n{legend}\n", machine::cpu(), Kernels::best().isa()))?;
    let mut cells = Vec::new();
    macro_rules! measure {
        ($($T:ty),+) => {
            $(
                if options.format.is_none_or(|name| name == <$T>::NAME) {
                    cells.extend(measure::measure::<$T>(&passes, options.is_full)?);
                }
            )+
        };
    }
    measure!(f32, f64, rectify::f16, rectify::bf16);
    report(&cells, options)
}

fn report(cells: &[Cell], options: &Options) -> Result<(), String> {
    let beside = beside_neighbours(cells, shape::sizes(options.is_full));
    let rows: Vec<_> = cells.iter().zip(beside).collect();
    if options.prints_all {
        table("all cells", &rows)?;
    }
    print(&format!(
        "{:<15} {:>36} {:>36}\n",
        "",
        format!("below {LARGE} elements"),
        format!("from {LARGE} on")
    ))?;
    let titles = format!("{:>12} {:>12} {:>10}", "cells", "slower", "at most");
    print(&format!("{:<15} {titles} {titles}\n", "pass"))?;
    let names = pass::names().filter(|name| cells.iter().any(|cell| cell.pass.name == *name));
    for name in names.map(Some).chain([None]) {
        let of_pass = cells
            .iter()
            .filter(|cell| name.is_none_or(|name| cell.pass.name == name));
        let (large, small): (Vec<_>, Vec<_>) = of_pass.partition(|cell| cell.is_large());
        let counts = [small, large].map(|cells| {
            let slower = cells.iter().filter(|cell| cell.is_slower()).count();
            let worst = cells.iter().map(|cell| cell.ratio()).fold(0.0, f64::max);
            format!("{:>12} {slower:>12} {worst:>10.2}", cells.len())
        });
        print(&format!("{:<15} {}\n", name.unwrap_or("together"), counts.join(" ")))?;
    }
    worst(
        &format!("worst beside the plain loop, below {LARGE} elements"),
        &rows,
        |(cell, _)| (!cell.is_large()).then(|| cell.ratio()),
    )?;
    worst(
        &format!("worst beside the plain loop, from {LARGE} elements on"),
        &rows,
        |(cell, _)| cell.is_large().then(|| cell.ratio()),
    )?;
    worst("worst beside their neighbours", &rows, |(_, beside)| *beside)
}

/// A cell, and its ns per element relative to its fastest neighbour's.
type Row<'a> = (&'a Cell, Option<f64>);

/// Prints the rows that have the greatest numbers.
fn worst(title: &str, rows: &[Row], number: impl Fn(&Row) -> Option<f64>) -> Result<(), String> {
    let mut worst: Vec<_> = rows.iter().filter_map(|row| Some((number(row)?, *row))).collect();
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows: Vec<_> = worst.into_iter().take(WORST).map(|(_, row)| row).collect();
    table(title, &rows)
}

fn beside_neighbours(cells: &[Cell], sizes: &[usize]) -> Vec<Option<f64>> {
    let key = |cell: &Cell, shape| (cell.pass, cell.format, shape);
    let large = cells.iter().filter(|cell| cell.is_large());
    let by_shape: HashMap<_, _> = large
        .map(|cell| (key(cell, cell.shape), cell.ns_per_element()))
        .collect();
    let beside = cells.iter().map(|cell| {
        by_shape.get(&key(cell, cell.shape))?;
        let neighbours = cell.shape.neighbours(sizes).into_iter();
        let fastest = neighbours.filter_map(|shape| by_shape.get(&key(cell, shape))).copied();
        Some(cell.ns_per_element() / fastest.min_by(f64::total_cmp)?)
    });
    beside.collect()
}

fn table(title: &str, rows: &[Row]) -> Result<(), String> {
    print(&format!(
        "\n{title}\n{:<14} {:<10} {:>4} {:>5} {:>6} {:>8} {:>7} {:>6} {:>9} {:>7} {:>6} {:>6}\n",
        "pass", "function", "", "", "images", "channels", "spatial", "gap", "ns", "/elem.", "plain", "beside"
    ))?;
    for (cell, beside) in rows {
        let shape = cell.shape;
        print(&format!(
            "{:<14} {:<10} {:>4} {:>5} {:>6} {:>8} {:>7} {:>6} {:>9.1} {:>7.3} {:>6.2} {:>6}\n",
            cell.pass.name,
            cell.pass.function,
            cell.format,
            if shape.is_first { "first" } else { "last" },
            shape.images,
            shape.channels,
            if shape.is_first {
                shape.spatial.to_string()
            } else {
                "-".into()
            },
            shape.gap,
            cell.ns,
            cell.ns_per_element(),
            cell.ratio(),
            beside.map_or("-".into(), |beside| format!("{beside:.2}"))
        ))?;
    }
    Ok(())
}
