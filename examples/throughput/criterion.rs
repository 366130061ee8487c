//! The figures of `cargo bench`'s last run, from the files that criterion leaves.

use std::fs;
use std::path::Path;

use rectify::Isa;
use serde_json::Value;

use crate::measure::Measurement;
use crate::workload::{FORMATS, Function};

/// What is in the folder `target/criterion`: a folder a function and format, and in it one a way and size.
pub fn read(folder: &Path) -> Result<Vec<Measurement>, String> {
    let mut measurements = Vec::new();
    for function in Function::ALL {
        for &(format, element_bytes) in FORMATS {
            let group = folder.join(format!("{}_{format}", function.name()));
            for &isa in Isa::ALL {
                for (size, bytes) in sizes(&group, isa) {
                    let median_ns = |way: &str| median_ns(&group.join(format!("{isa}{way}_{size}")));
                    let limit_ns = match median_ns("-limit-streaming") {
                        Ok(streaming_ns) => median_ns("-limit")?.min(streaming_ns),
                        Err(_) => median_ns("-limit")?,
                    };
                    measurements.push(Measurement {
                        function,
                        format,
                        isa,
                        elements: bytes / element_bytes,
                        bytes,
                        ns: median_ns("")?,
                        limit_ns,
                    });
                }
            }
        }
    }
    if measurements.is_empty() {
        return Err(format!("no benchmarks in {}: run 'cargo bench'", folder.display()));
    }
    Ok(measurements)
}

/// Those that `isa` was measured at: as they are written, and in bytes. None where there is no such folder.
fn sizes(group: &Path, isa: Isa) -> Vec<(String, usize)> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let mut sizes: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let size = name.strip_prefix(&format!("{isa}_"))?;
            Some((size.to_owned(), size.parse().ok()?))
        })
        .collect();
    sizes.sort();
    sizes
}

fn median_ns(benchmark: &Path) -> Result<f64, String> {
    let path = benchmark.join("new/estimates.json");
    let read = || -> Result<f64, Box<dyn std::error::Error>> {
        let estimates: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let median = &estimates["median"]["point_estimate"];
        median.as_f64().ok_or_else(|| "no median in it".into())
    };
    read().map_err(|error| format!("can't read {}: {error}", path.display()))
}
