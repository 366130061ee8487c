//! What was measured, as rows of a file and as tables.

use std::path::Path;

use command_line::{cannot_read, quoted};
use shapes::measure::LARGE;
use shapes::shape::Shape;

use crate::Options;
use crate::layers::{Layer, Network};
use crate::measure::Pass;

/// The time of a way for one layer.
#[derive(Clone)]
pub struct Row {
    pub network: String,
    pub function: String,
    pub epilogue: String,
    /// Of the batch.
    pub shape: Shape,
    /// Layers of it.
    pub count: usize,
    pub setting: Setting,
    pub format: String,
    pub way: String,
    pub ns: f64,
}

/// Pass, batch and threads.
#[derive(Clone, PartialEq)]
pub struct Setting {
    pub pass: String,
    pub batch: usize,
    pub threads: usize,
}

const HEAD: &str = "network,pass,batch,threads,format,function,epilogue,layout,images,channels,spatial,count,way,ns";

impl Row {
    pub fn new(network: &str, layer: Layer, shape: Shape, (pass, batch, threads): (Pass, usize, usize)) -> Self {
        Self {
            network: network.into(),
            function: layer.function.into(),
            epilogue: layer.epilogue.name().into(),
            shape,
            count: layer.count,
            setting: Setting {
                pass: pass.name().into(),
                batch,
                threads,
            },
            format: String::new(),
            way: String::new(),
            ns: 0.0,
        }
    }

    fn layout(&self) -> &'static str {
        if self.shape.is_first { "first" } else { "last" }
    }

    /// What a peer is asked.
    pub fn question(&self) -> String {
        let Self {
            function,
            epilogue,
            shape,
            setting,
            format,
            ..
        } = self;
        let (layout, pass) = (self.layout(), &setting.pass);
        let Shape {
            images,
            channels,
            spatial,
            ..
        } = shape;
        format!("{pass} {function} {epilogue} {format} {layout} {images} {channels} {spatial}")
    }

    fn line(&self) -> String {
        let Self {
            network,
            count,
            setting,
            way,
            ns,
            ..
        } = self;
        let question = self.question().replace(' ', ",");
        let (pass, rest) = question.split_once(',').expect("several words");
        let Setting { batch, threads, .. } = setting;
        let (function, rest) = rest.split_once(',').expect("several words");
        let (epilogue, rest) = rest.split_once(',').expect("several words");
        let (format, rest) = rest.split_once(',').expect("several words");
        format!("{network},{pass},{batch},{threads},{format},{function},{epilogue},{rest},{count},{way},{ns:.1}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split(',').collect();
        let &[
            network,
            pass,
            batch,
            threads,
            format,
            function,
            epilogue,
            layout,
            ..,
            way,
            ns,
        ] = &words[..]
        else {
            return None;
        };
        let number = |index: usize| words.get(index)?.parse().ok();
        Some(Self {
            network: network.into(),
            function: function.into(),
            epilogue: epilogue.into(),
            shape: Shape {
                is_first: layout == "first",
                images: number(8)?,
                channels: number(9)?,
                spatial: number(10)?,
                gap: 0,
            },
            count: number(11)?,
            setting: Setting {
                pass: pass.into(),
                batch: batch.parse().ok()?,
                threads: threads.parse().ok()?,
            },
            format: format.into(),
            way: way.into(),
            ns: ns.parse().ok()?,
        })
    }
}

pub fn csv(rows: &[Row]) -> String {
    let lines: String = rows.iter().map(Row::line).collect();
    format!("{HEAD}\n{lines}")
}

/// Those of a file that the options name.
pub fn read(path: &Path, options: &Options) -> Result<Vec<Row>, String> {
    let file = std::fs::read_to_string(path).map_err(|error| cannot_read(path, &error))?;
    let mut rows = Vec::new();
    for line in file.lines().filter(|line| *line != HEAD) {
        let row = Row::parse(line).ok_or_else(|| format!("{} is not what --csv writes", quoted(path)))?;
        if options.has_row(&row) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// All layers of a network in a setting.
pub struct Total {
    pub title: String,
    pub setting: Setting,
    pub format: String,
    /// Nanoseconds of each of [`ways`], where it has all functions of the network.
    pub ns: Vec<Option<f64>>,
}

impl Total {
    /// `f32, batch 1, 2 threads`
    pub fn of(&self) -> String {
        let Setting { pass, batch, threads } = &self.setting;
        let plural = if *threads == 1 { "" } else { "s" };
        format!("{pass}, batch {batch}, {}, {threads} thread{plural}", self.format)
    }
}

/// In the order of the tables.
pub fn ways(rows: &[Row]) -> Vec<String> {
    let mut ways: Vec<String> = ["fused", "separate", "limit", "plain"].map(String::from).into();
    for row in rows {
        if !ways.contains(&row.way) {
            ways.push(row.way.clone());
        }
    }
    ways.retain(|way| rows.iter().any(|row| row.way == *way));
    ways
}

pub fn totals(networks: &[Network], rows: &[Row]) -> Vec<Total> {
    let ways = ways(rows);
    let mut keys: Vec<(&Setting, &String)> = Vec::new();
    for row in rows {
        if !keys.contains(&(&row.setting, &row.format)) {
            keys.push((&row.setting, &row.format));
        }
    }
    keys.sort_by_key(|(setting, format)| (setting.threads, *format == "bf16", setting.batch, setting.pass.clone()));
    let mut totals = Vec::new();
    for (setting, format) in keys {
        for network in networks {
            let of = |way: &String| {
                let of_way = rows.iter().filter(|row| {
                    row.network == network.name && row.setting == *setting && row.format == *format && row.way == *way
                });
                let ns: Vec<_> = of_way.map(|row| row.count as f64 * row.ns).collect();
                (ns.len() == network.layers.len()).then(|| ns.iter().sum())
            };
            let ns: Vec<Option<f64>> = ways.iter().map(of).collect();
            if ns.iter().any(Option::is_some) {
                totals.push(Total {
                    title: network.title.into(),
                    setting: setting.clone(),
                    format: format.clone(),
                    ns,
                });
            }
        }
    }
    totals
}

/// In Markdown: milliseconds, and of the others the time relative to `fused`.
pub fn table(ways: &[String], totals: &[Total]) -> String {
    let heads: String = ways.iter().map(|way| format!(" {way} |")).collect();
    let mut text = String::new();
    for group in totals.chunk_by(|a, b| a.of() == b.of()) {
        text += &format!("| {} |{heads}\n| --- |{}\n", group[0].of(), " --- |".repeat(ways.len()));
        for total in group {
            text += &format!("| {} |", total.title);
            for ns in &total.ns {
                text += &match (ns, total.ns[0]) {
                    (Some(ns), Some(fused)) if *ns != fused => format!(" {} |", short(ns / fused)),
                    (Some(ns), _) => format!(" {} ms |", short(ns / 1e6)),
                    _ => " |".into(),
                };
            }
            text += "\n";
        }
        text += "\n";
    }
    text
}

fn short(number: f64) -> String {
    match number {
        ..0.1 => format!("{number:.3}"),
        ..9.95 => format!("{number:.2}"),
        _ => format!("{number:.0}"),
    }
}

/// How many of the worst layers of a function are printed.
const WORST: usize = 3;

/// Of each function the layers farthest from their limit, of those that are no short slices.
pub fn worst(rows: &[Row]) -> String {
    let mut worst = Vec::new();
    for row in rows
        .iter()
        .filter(|row| row.way == "fused" && row.shape.elements() >= LARGE)
    {
        let is_limit =
            |other: &&Row| other.way == "limit" && other.question() == row.question() && other.setting == row.setting;
        if let Some(limit) = rows.iter().find(is_limit) {
            worst.push((row.ns / limit.ns, row, limit));
        }
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Networks share shapes.
    let mut seen = Vec::new();
    worst.retain(|(_, row, _)| {
        let is_first = !seen.iter().any(|other: &&Row| other.question() == row.question());
        let of_function = seen.iter().filter(|other| other.function == row.function).count();
        seen.extend((is_first && of_function < WORST).then_some(*row));
        is_first && of_function < WORST
    });
    let mut text = "| layer farthest from its limit | images | channels | spatial | us | limit | ratio |\n".to_owned();
    text += "| --- | --- | --- | --- | --- | --- | --- |\n";
    for (ratio, row, limit) in worst {
        let Shape {
            images,
            channels,
            spatial,
            ..
        } = row.shape;
        text += &format!(
            "| {}: {} of {}, {}, {}, {} | {images} | {channels} | {spatial} | {:.2} | {:.2} | {ratio:.2} |\n",
            row.network,
            row.function,
            row.epilogue,
            row.setting.pass,
            row.format,
            row.layout(),
            row.ns / 1e3,
            limit.ns / 1e3
        );
    }
    text
}
