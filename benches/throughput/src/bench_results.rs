//! The figures of `cargo bench`, from the files that criterion leaves.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use command_line::{cannot_read, quoted};
use rectify::Isa;
use serde_json::Value;
use workload::Function;

use crate::figures::{FORMATS, Measurement, Reference, Times, of_relu};
use crate::options::Options;

/// Each benchmark's figures, of several runs those in the middle by the share of the reference.
pub fn read(options: &Options) -> Result<Vec<Measurement>, String> {
    let mut runs = Vec::new();
    for folder in &options.criterion {
        runs.extend(read_run(folder, options)?);
    }
    runs.sort_by(|a, b| {
        let key = |cell: &Measurement| (position(cell.format), cell.function, cell.isa, cell.bytes);
        key(a)
            .cmp(&key(b))
            .then(a.share_of_reference().total_cmp(&b.share_of_reference()))
    });
    let same = |a: &Measurement, b: &Measurement| {
        (a.format, a.function, a.isa, a.bytes) == (b.format, b.function, b.isa, b.bytes)
    };
    Ok(runs.chunk_by(same).map(|cells| cells[(cells.len() - 1) / 2]).collect())
}

fn position(format: &str) -> Option<usize> {
    FORMATS.iter().position(|&(name, _)| name == format)
}

/// The newest of each benchmark in criterion's folder: one a function and format, and in it one a way and size.
fn read_run(folder: &Path, options: &Options) -> Result<Vec<Measurement>, String> {
    let format = options.format;
    let wanted = FORMATS
        .iter()
        .filter(|(name, _)| format.is_none_or(|wanted| wanted == *name));
    let mut measurements = Vec::new();
    for &(format, element_bytes) in wanted {
        let group = |function: Function| folder.join(format!("{}_{format}", function.name()));
        for function in Function::all(options.activations()) {
            let (group, group_of_relu) = (group(function), group(of_relu(function)));
            for (isa, size) in benchmarks(&group)? {
                let bytes: usize = size
                    .parse()
                    .map_err(|_| format!("{}: '{size}' is no number of bytes", quoted(&group)))?;
                let read_ns = |group: &Path, way: &str| median_ns(&group.join(format!("{isa}{way}_{size}")));
                let required = |group: &Path, way| {
                    read_ns(group, way)?.ok_or_else(|| format!("no '{isa}{way}_{size}' in {}", quoted(group)))
                };
                let reference_ns = match options.reference {
                    Reference::NormalResults => unreachable!("refused"),
                    Reference::Relu => required(&group_of_relu, "")?,
                    Reference::Limit => {
                        let streaming = read_ns(&group, "-limit-streaming")?;
                        required(&group, "-limit")?.min(streaming.unwrap_or(f64::INFINITY))
                    }
                };
                measurements.push(Measurement {
                    function,
                    format,
                    isa,
                    elements: bytes / element_bytes,
                    bytes,
                    times: Times {
                        ns: required(&group, "")?,
                        reference_ns,
                        quartiles: None,
                        is_noisy: false,
                    },
                });
            }
        }
    }
    if measurements.is_empty() {
        let format = format.map_or(String::new(), |format| format!(" of {format}"));
        return Err(format!(
            "no benchmarks{format} in {}: run 'cargo bench -p family'",
            quoted(folder)
        ));
    }
    Ok(measurements)
}

/// Those of the instruction sets, with their sizes as they are written; sorted. None where there is no such folder.
fn benchmarks(group: &Path) -> Result<Vec<(Isa, String)>, String> {
    let entries = match fs::read_dir(group) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| cannot_read(group, &error))?,
    };
    let mut benchmarks: Vec<(Isa, String)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (isa, size) = name.split_once('_')?;
            Some((isa.parse().ok()?, size.to_owned()))
        })
        .collect();
    benchmarks.sort();
    Ok(benchmarks)
}

/// None where there is no such benchmark.
fn median_ns(benchmark: &Path) -> Result<Option<f64>, String> {
    if !benchmark.is_dir() {
        return Ok(None);
    }
    let path = benchmark.join("new/estimates.json");
    let json = fs::read(&path).map_err(|error| cannot_read(&path, &error))?;
    let estimates: Value = serde_json::from_slice(&json).map_err(|error| cannot_read(&path, &error))?;
    let median = estimates["median"]["point_estimate"].as_f64();
    median.map(Some).ok_or_else(|| cannot_read(&path, &"no median in it"))
}
