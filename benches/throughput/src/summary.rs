//! What a newcomer wants to know first.

use rectify::Isa;
use workload::machine;

use crate::figures::{Measurement, Reference, distinct, formats, median, size_label};

/// Of one instruction set.
pub fn summary(measurements: &[Measurement], reference: Reference, isa: Isa) -> String {
    let cells: Vec<&Measurement> = measurements.iter().filter(|cell| cell.isa == isa).collect();
    let title = match reference {
        Reference::Limit => format!(
            "Summary of {isa}, in % of the limit. 100 % is the speed of a loop that only loads and stores the same bytes,\n\
             compiled for the same instruction set (in memory the faster one of ordinary and streaming stores)."
        ),
        Reference::Relu => format!("Summary of {isa}, in % of ReLU's GB/s by the same method."),
        Reference::NormalResults => format!(
            "Summary of {isa}: how many times as long (x) a call takes whose results are all subnormal as one whose results\n\
             are normal numbers."
        ),
    };
    let noisy = cells.iter().filter(|cell| cell.times.is_noisy).count();
    let left_out = match noisy {
        0 => String::new(),
        _ => format!(
            "{noisy} of {} cells are noisy: left out where there are others, else with ~.\n",
            cells.len()
        ),
    };
    let extremes = extremes(&cells, reference).unwrap_or_default();
    format!(
        "{title}\n{}{extremes}{left_out}",
        ranges(&cells, reference, &formats(measurements))
    )
}

/// A row a function, a column a place of the slices.
fn ranges(cells: &[&Measurement], reference: Reference, formats: &[&str]) -> String {
    let caches = machine::caches();
    let place = |cell: &Measurement| place(cell, &caches);
    let places = distinct(cells.iter().copied(), place);
    let heads = places.iter().map(|&place| format!("  {:>14}", name(place, &caches)));
    let mut text = format!(
        "{:33}{}\n",
        format!("least to most of {}", formats.join(", ")),
        heads.collect::<String>()
    );
    for function in distinct(cells.iter().copied(), |cell| cell.function) {
        let columns = places.iter().map(|&there| {
            let of_place = cells.iter().copied();
            let of_place = of_place.filter(|cell| cell.function == function && place(cell) == there);
            let (shares, mark) = steady(of_place);
            let range = reference.range(&shares).unwrap_or_default();
            format!("  {:>14}", format!("{range}{mark}"))
        });
        let row = format!("{:33}{}", function.name(), columns.collect::<String>());
        text += &format!("{}\n", row.trim_end());
    }
    text
}

/// The shares of the cells that are not noisy; of all, with a mark, where there are no others.
fn steady<'a>(cells: impl Iterator<Item = &'a Measurement> + Clone) -> (Vec<f64>, &'static str) {
    let shares = |cells: &mut dyn Iterator<Item = &Measurement>| cells.map(Measurement::share_of_reference).collect();
    let steady: Vec<f64> = shares(&mut cells.clone().filter(|cell| !cell.times.is_noisy));
    match steady[..] {
        [] => (shares(&mut cells.clone()), "~"),
        _ => (steady, ""),
    }
}

/// Of the longer slices.
fn extremes(cells: &[&Measurement], reference: Reference) -> Option<String> {
    let long = cells.iter().filter(|cell| cell.bytes >= LONG && !cell.times.is_noisy);
    let mut long: Vec<_> = long.collect();
    long.sort_by(|a, b| a.share_of_reference().total_cmp(&b.share_of_reference()));
    let shown = |share: f64| reference.range(&[share]).unwrap_or_default();
    let line = |cell: &Measurement| {
        let (share, size) = (shown(cell.share_of_reference()), size_label(cell.bytes as f64));
        let (name, format, speed) = (cell.function.name(), cell.format, cell.gb_per_s());
        format!("{share:>8}  {name} {format}, {size} a slice: {speed:.1} GB/s")
    };
    let middle = median(long.iter().map(|cell| cell.share_of_reference()).collect())?;
    let hint = match reference {
        Reference::Limit => {
            "  (from 1 K on: shorter calls take nanoseconds, which\n\
             \x20                 cargo run --release -p short measures better)"
        }
        Reference::Relu | Reference::NormalResults => "",
    };
    Some(format!(
        "worst   {}\nbest    {}\nmedian  {:>8}{hint}\n",
        line(long.first()?),
        line(long.last()?),
        shown(middle)
    ))
}

/// Below it a call itself takes as long as what it does.
const LONG: usize = 1024;

/// The place that holds all slices of a call: a cache, or memory. The first one is that of short calls.
fn place(cell: &Measurement, caches: &[usize]) -> usize {
    let cache = caches.iter().position(|&bytes| cell.footprint() <= bytes);
    if cell.bytes < LONG {
        0
    } else {
        1 + cache.unwrap_or(caches.len())
    }
}

fn name(place: usize, caches: &[usize]) -> String {
    match caches.get(place.wrapping_sub(1)) {
        Some(&bytes) => format!("L{place}, {}", size_label(bytes as f64)),
        None if place == 0 => "below 1 K".into(),
        None => "memory".into(),
    }
}

#[cfg(test)]
mod tests {
    use workload::Method;

    use super::*;
    use crate::figures::tests::cell;

    #[test]
    fn noisy_cells_and_short_slices_are_no_extremes() {
        let steady = |method, bytes, share| cell(method, bytes, share, [share, share]);
        let cells = [
            steady(Method::Forward, 64, 2.0),
            steady(Method::Forward, 4096, 0.7),
            steady(Method::Backward, 4096, 0.9),
            cell(Method::Backward, 8192, 0.1, [0.1, 0.2]),
            cell(Method::ForwardInplace, 4096, 3.0, [1.0, 3.0]),
        ];
        let text = summary(&cells, Reference::Limit, Isa::Avx2);
        let row = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        assert!(
            row("relu_inplace ").is_some_and(|row| row.ends_with(" 300 %~")),
            "{text}"
        );
        assert!(
            row("relu ").is_some_and(|row| row.contains(" 200 % ") && row.ends_with(" 70 %")),
            "{text}"
        );
        assert!(
            text.contains("worst       70 %  relu f32, 4 K a slice: 81.9 GB/s\n"),
            "{text}"
        );
        assert!(
            text.contains("best        90 %  relu_backward f32, 4 K a slice: 122.9 GB/s\n"),
            "{text}"
        );
        assert!(text.contains("2 of 5 cells are noisy"), "{text}");
    }
}
