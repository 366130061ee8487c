//! Where another library gives another result: a list of differences, each with a name, and neither longer nor shorter than what a table of
//! the library's results shows. The functions' pages have the names, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rectify::Channels;

use crate::accuracy::ulps;
use crate::common::calls::{self, Method, Way};
use crate::common::format::Format;
use crate::common::functions::{Case, FUNCTIONS, Function};
use crate::common::guarded::Bytes;
use crate::common::tensor::{View, ViewMut};
use crate::common::wide::Wide;

pub struct Library {
    pub name: &'static str,
    /// As `tables.py` describes it.
    pub table: &'static str,
    pub differences: &'static [Difference],
}

pub struct Difference {
    /// As on the pages.
    pub name: &'static str,
    /// It is seen in each of these, in each of the formats.
    pub functions: &'static [&'static str],
    pub formats: &'static [&'static str],
    pub applies: fn(&Cell) -> bool,
    pub gives: Gives,
}

/// What the library gives where a difference applies.
pub enum Gives {
    /// These bits, at some places among many elements at least. Where they are those of the crate there is no difference.
    Bits(fn(&Cell) -> u64),
    /// The same, by the library's own value at x.
    BitsOfValue(fn(&Cell, u64) -> u64),
    /// A number within so many ulp of the exact result. Half the bound is too little in each function and format.
    Within(f64),
    /// The exact result plus or minus up to so many ulp of 1 in the format that is computed in, rounded; of a gradient times g. Half the
    /// bound is too little, too.
    WithinOfOne(f64),
    /// A NaN where the crate gives a number.
    NotANumber,
    /// Where both give a NaN: that of the crate, but quiet.
    Quiet,
    /// Where both give a NaN: another one.
    AnotherNan,
    /// It refuses the parameters.
    Error,
}

/// A place in a table, with the crate's result. Numbers are bits.
pub struct Cell {
    pub function: String,
    pub parameters: Vec<f64>,
    pub format: Format,
    /// Which result of the function.
    pub output: &'static str,
    pub x: u64,
    /// The gradient at the output; of a value 0.
    pub g: u64,
    pub ours: u64,
    /// Those at different places among many elements. Without any, the library refuses the parameters.
    pub theirs: Vec<u64>,
    /// Theirs of the value at x, the first if there are two.
    pub their_values: Vec<u64>,
}

/// All of them.
pub const ALL: &[&str] = &["f32", "f64", "f16", "bf16"];
pub const SLOPE: &str = "gradient of the slope";
/// Those of several tensors, which are no [`Function`].
const OF_TENSORS: &[&str] = &["prelu", "reglu", "crelu"];

/// A table has functions of features that are off, too.
fn is_built_in(function: &str) -> bool {
    OF_TENSORS.contains(&function) || FUNCTIONS.iter().any(|known| known.name == function)
}

/// The function with the parameters of a table.
fn case(function: &str, parameters: &[f64]) -> Case {
    let function = Function::named(function);
    let mut all = function.parameters[0];
    all[..parameters.len()].copy_from_slice(parameters);
    function.with(all)
}

/// The values of a function and its gradients, in the order of a table's columns.
fn outputs(function: &str) -> [&'static [&'static str]; 2] {
    match function {
        "prelu" => [&["value"], &["gradient", SLOPE]],
        "reglu" => [&["value"], &["gradient", "gradient of b"]],
        "crelu" => [&["value", "negative"], &["gradient", "gradient from negative"]],
        _ => [&["value"], &["gradient"]],
    }
}

impl Cell {
    /// That of the result.
    pub fn result_format(&self) -> Format {
        if self.output == SLOPE {
            self.format.sums()
        } else {
            self.format
        }
    }

    fn is_nan(&self, result: u64) -> bool {
        self.result_format().value(result).is_none()
    }

    pub fn is_value(&self) -> bool {
        !self.output.starts_with("gradient")
    }

    pub fn x_value(&self) -> Option<f64> {
        self.format.value(self.x)
    }

    pub fn x_is_nan(&self) -> bool {
        self.x_value().is_none()
    }

    /// x of a value, g of a gradient.
    pub fn argument(&self) -> u64 {
        if self.is_value() { self.x } else { self.g }
    }

    pub fn negative_zero(&self) -> u64 {
        self.format.sign()
    }

    /// Of clipped ReLU and hardtanh, as they are given.
    pub fn bounds(&self) -> [f64; 2] {
        match self.parameters[..] {
            [max] => [0.0, max],
            [min, max] => [min, max],
            _ => panic!("{:?} are no bounds", self.parameters),
        }
    }

    /// Whether x is beyond a bound of -0.0.
    pub fn is_beyond_negative_zero(&self) -> bool {
        let [min, max] = self.bounds();
        let is_negative_zero = |bound: f64| bound == 0.0 && bound.is_sign_negative();
        let Some(x) = self.x_value() else { return false };
        is_negative_zero(min) && x < min || is_negative_zero(max) && x > max
    }

    /// The parameter where it is an element of a tensor.
    pub fn element(&self) -> Option<f64> {
        let number = Some(self.parameters[0]).filter(|number| !number.is_nan())?;
        self.format.value(self.format.nearest(number))
    }

    /// That of leaky or parametric ReLU, if it is a number.
    pub fn slope(&self) -> Option<f64> {
        match &self.function[..] {
            "prelu" => self.element(),
            _ => Some(self.format.in_compute_format(self.parameters[0])),
        }
    }

    /// x or g times the slope.
    pub fn times_slope(&self) -> u64 {
        self.product(self.format.value(self.argument()), self.slope())
    }

    /// Rounded as after each operation.
    pub fn step(&self, number: f64) -> f64 {
        self.format.in_compute_format(number)
    }

    /// Rounded to the format of the elements.
    pub fn in_format(&self, number: f64) -> f64 {
        self.format.value(self.rounded(Some(number))).unwrap_or(f64::NAN)
    }

    /// The product of numbers, rounded to the format that is computed in, and to that of the elements; of bits that are no number a NaN.
    pub fn product(&self, a: Option<f64>, b: Option<f64>) -> u64 {
        self.rounded(a.zip(b).map(|(a, b)| a * b))
    }

    pub fn rounded(&self, number: Option<f64>) -> u64 {
        match number.filter(|number| !number.is_nan()) {
            Some(number) => self.format.nearest(self.format.in_compute_format(number)),
            None => self.nan(),
        }
    }

    pub fn nan(&self) -> u64 {
        let format = self.result_format();
        format.quiet(format.infinity())
    }

    /// The result in real numbers; `None` where x or g is NaN.
    fn exact(&self) -> Option<Wide> {
        let case = case(&self.function, &self.parameters);
        let (real, x) = (case.function.real.as_ref()?, Wide::from(self.x_value()?));
        if self.is_value() {
            return Some((real.value)(case.parameters, x));
        }
        let g = self.format.value(self.g)?;
        Some(Wide::from(g) * (real.slope)(case.parameters, x))
    }

    /// Whether the exact slope is rounded to 0, so that the gradient is +0.0 for each g.
    pub fn has_no_slope(&self) -> bool {
        let case = case(&self.function, &self.parameters);
        let slope = case.function.real.as_ref().zip(self.x_value());
        slope.is_some_and(|(real, x)| self.step((real.slope)(case.parameters, x.into()).high) == 0.0)
    }

    /// Whether it is the exact result plus or minus up to so many ulp of 1, rounded.
    fn is_off_by_up_to(&self, result: u64, ulps_of_one: f64) -> bool {
        let (Some(exact), Some(result)) = (self.exact(), self.format.value(result)) else {
            return false;
        };
        let ulp = if self.format == Format::F64 {
            f64::EPSILON
        } else {
            f32::EPSILON.into()
        };
        let size = if self.is_value() {
            Some(1.0)
        } else {
            self.format.value(self.g)
        };
        let Some(size) = size.filter(|size| size.is_finite()) else {
            return false;
        };
        let distance = Wide::from(ulps_of_one * ulp * size.abs());
        let rounded = |number: Wide| self.format.value(self.format.nearest(number.high)).unwrap();
        (rounded(exact - distance)..=rounded(exact + distance)).contains(&result)
    }

    /// Whether both stand for the same number, or are NaN both.
    fn is_same(&self, a: u64, b: u64) -> bool {
        a == b || self.is_nan(a) && self.is_nan(b)
    }

    fn describe(&self) -> String {
        let bits = |bits: &[u64]| {
            bits.iter()
                .map(|bits| format!("{bits:x}"))
                .collect::<Vec<_>>()
                .join(" or ")
        };
        format!(
            "{} {:?} {} {} at x = {:x}, g = {:x}: {:x}, theirs {}",
            self.function,
            self.parameters,
            self.format.name(),
            self.output,
            self.x,
            self.g,
            self.ours,
            bits(&self.theirs)
        )
    }
}

impl Difference {
    fn is_about(&self, cell: &Cell) -> bool {
        self.functions.contains(&&cell.function[..])
            && self.formats.contains(&cell.format.name())
            && (self.applies)(cell)
    }

    /// What it says of the cell, where that is another result than the crate's.
    fn predictions(&self, cell: &Cell) -> Vec<u64> {
        let predictions = match self.gives {
            Gives::Bits(gives) if !cell.theirs.is_empty() => vec![gives(cell)],
            Gives::BitsOfValue(gives) => cell.their_values.iter().map(|&value| gives(cell, value)).collect(),
            _ => Vec::new(),
        };
        let others = predictions.into_iter().filter(|&bits| !cell.is_same(bits, cell.ours));
        others.collect()
    }

    fn has_bound(&self) -> bool {
        matches!(self.gives, Gives::Within(_) | Gives::WithinOfOne(_))
    }

    /// Whether the result is within this part of the bound.
    fn is_near(&self, cell: &Cell, result: u64, part: f64) -> bool {
        match self.gives {
            Gives::Within(bound) => {
                let exact = cell.exact();
                exact.is_some_and(|exact| ulps(cell.format, result, exact) <= part * bound)
            }
            Gives::WithinOfOne(bound) => cell.is_off_by_up_to(result, part * bound),
            _ => false,
        }
    }

    /// Whether this difference makes it `result`, which is not the crate's.
    fn explains(&self, cell: &Cell, result: u64) -> bool {
        let are_nan = cell.is_nan(result) && cell.is_nan(cell.ours);
        match self.gives {
            Gives::Bits(_) | Gives::BitsOfValue(_) => {
                let mut predictions = self.predictions(cell).into_iter();
                predictions.any(|bits| cell.is_same(bits, result))
            }
            Gives::Within(_) | Gives::WithinOfOne(_) => self.is_near(cell, result, 1.0),
            Gives::NotANumber => cell.is_nan(result) && !cell.is_nan(cell.ours),
            Gives::Quiet => are_nan && result == cell.result_format().quiet(cell.ours),
            Gives::AnotherNan => are_nan && result != cell.result_format().quiet(cell.ours),
            Gives::Error => false,
        }
    }
}

/// What the function gives for x and its parameters: the values, or with g the gradients.
fn ours(function: &str, parameters: &[f64], format: Format, x: u64, g: Option<u64>) -> Vec<u64> {
    let elements = |bits: &[u64]| format.to_bytes(bits.iter().copied());
    let second = match parameters.first() {
        Some(number) if number.is_nan() => format.quiet(format.infinity()),
        number => format.nearest(*number.unwrap_or(&0.0)),
    };
    let [x_bytes, second, g_bytes] = [x, second, g.unwrap_or(0)].map(|bits| elements(&[bits]));
    let (x_view, second_view, g_view) = (
        View::row(format, &x_bytes),
        View::row(format, &second),
        View::row(format, &g_bytes),
    );
    let mut outputs = [elements(&[0]), elements(&[0])];
    let [a, b] = outputs.each_mut().map(|output| ViewMut::row(format, output));
    let mut count = 1;
    match (function, g) {
        ("prelu", None) => calls::prelu(format, Way::Free, (&second, Channels::Last), Some(x_view), a),
        ("prelu", Some(g)) => {
            // Beside x a 1, whose gradient is 0.
            let [x, g] = [[x, format.nearest(1.0)], [g, 0]].map(|bits| elements(&bits));
            let (mut grad, mut slope) = (elements(&[0, 0]), Bytes::filled(0, format.sums().bytes()));
            let inputs = (View::row(format, &x), Some(View::row(format, &g)));
            let slopes: calls::ByChannel = (&second, Channels::Last);
            calls::prelu_backward(
                format,
                Way::Free,
                slopes,
                inputs,
                ViewMut::row(format, &mut grad),
                &mut slope,
            );
            return vec![format.get(&grad, 0), format.sums().get(&slope, 0)];
        }
        ("reglu", None) => calls::reglu(format, Way::Free, (Some(x_view), second_view), a),
        ("reglu", Some(_)) => {
            calls::reglu_backward(format, Way::Free, [x_view, second_view, g_view], [a, b]);
            count = 2;
        }
        ("crelu", None) => {
            calls::crelu(format, Way::Free, x_view, [a, b]);
            count = 2;
        }
        ("crelu", Some(_)) => {
            let two = elements(&[format.nearest(2.0)]);
            let two = View::row(format, &two);
            calls::crelu_backward(format, Way::Free, [x_view, g_view, two], a);
            calls::crelu_backward(format, Way::Free, [x_view, two, g_view], b);
            count = 2;
        }
        _ => {
            let method = if g.is_none() { Method::Forward } else { Method::Backward };
            let activation = case(function, parameters).activation();
            calls::map_any(format, Way::Free, activation, method, [&x_bytes, &g_bytes], a.bytes);
        }
    }
    outputs[..count].iter().map(|output| format.get(output, 0)).collect()
}

fn bits(hexadecimal: &str) -> u64 {
    u64::from_str_radix(hexadecimal, 16).unwrap_or_else(|_| panic!("'{hexadecimal}' is no number"))
}

/// The same number in the format of the result, or the same NaN with more bits.
fn widened(format: Format, to: Format, bits: u64) -> u64 {
    match format.value(bits) {
        Some(number) => to.nearest(number),
        None => {
            let payload = bits & !format.sign() & !format.infinity();
            let sign = if bits & format.sign() == 0 { 0 } else { to.sign() };
            sign | to.infinity() | payload << (to.mantissa_width() - format.mantissa_width())
        }
    }
}

/// Those of a section of the table, without its `#`.
fn cells(section: &str) -> Vec<Cell> {
    let mut rows = section.lines();
    let (title, gs) = rows.next().unwrap().split_once(',').unwrap();
    let title: Vec<_> = title.split(' ').collect();
    let [function, parameters @ .., format] = &title[..] else {
        panic!("{title:?}")
    };
    let Some(&format) = Format::ALL.iter().find(|known| known.name() == *format) else {
        return Vec::new();
    };
    if !is_built_in(function) {
        return Vec::new();
    }
    let parameters: Vec<f64> = parameters.iter().map(|number| number.parse().unwrap()).collect();
    let cell = |output, x, g, ours| Cell {
        function: (*function).into(),
        parameters: parameters.clone(),
        format,
        output,
        x,
        g,
        ours,
        theirs: Vec::new(),
        their_values: Vec::new(),
    };
    let [values, gradients] = outputs(function);
    if gs == "error" {
        return vec![cell(values[0], 0, 0, 0)];
    }
    let gs: Vec<_> = gs.split_whitespace().map(bits).collect();
    let mut cells = Vec::new();
    for row in rows {
        let (x, columns) = row.split_once(',').unwrap();
        let x = bits(x);
        let ours_at = |g| ours(function, &parameters, format, x, g);
        // As a row goes on: the values, then each gradient for all g.
        let mut expected: Vec<_> = values
            .iter()
            .zip(ours_at(None))
            .map(|(output, ours)| cell(*output, x, 0, ours))
            .collect();
        let at_gs: Vec<_> = gs.iter().map(|&g| (g, ours_at(Some(g)))).collect();
        for (i, output) in gradients.iter().enumerate() {
            expected.extend(at_gs.iter().map(|(g, ours)| cell(*output, x, *g, ours[i])));
        }
        let results: Vec<_> = columns.split([',', ' ']).collect();
        assert_eq!(
            results.len(),
            if gs.is_empty() { values.len() } else { expected.len() },
            "{row}"
        );
        let first = cells.len();
        for (mut cell, results) in expected.into_iter().zip(results) {
            let theirs = results.split('|').map(|result| match result {
                "x" => x,
                "g" => cell.g,
                result => bits(result),
            });
            cell.theirs = theirs
                .map(|result| widened(format, cell.result_format(), result))
                .collect();
            cell.their_values = cells.get(first).unwrap_or(&cell).theirs.clone();
            cells.push(cell);
        }
    }
    cells
}

/// What a table shows of a list.
#[derive(Default)]
struct Findings<'a> {
    wrong: Vec<String>,
    /// By its place in the list, the function and the format.
    seen: BTreeSet<(usize, &'a str, &'a str)>,
    /// Likewise, where half of a bound is too little.
    far: BTreeSet<(usize, &'a str, &'a str)>,
}

impl<'a> Findings<'a> {
    fn look_at(&mut self, differences: &[Difference], cell: &'a Cell) {
        let about = differences
            .iter()
            .enumerate()
            .filter(|(_, difference)| difference.is_about(cell));
        let about: Vec<_> = about.collect();
        let results: Vec<u64> = cell
            .theirs
            .iter()
            .copied()
            .filter(|&result| result != cell.ours)
            .collect();
        let mut wrong = |what: &str| self.wrong.push(format!("{what}: {}", cell.describe()));
        let mut explained = BTreeSet::new();
        for &result in &results {
            let explains = about.iter().filter(|(_, difference)| difference.explains(cell, result));
            match explains.collect::<Vec<_>>()[..] {
                [&(i, difference)] => {
                    explained.insert(i);
                    if !difference.is_near(cell, result, 0.5) {
                        self.far.insert((i, &cell.function, cell.format.name()));
                    }
                }
                [] => wrong("no difference is named"),
                _ => wrong("several differences are named"),
            }
        }
        for &(i, difference) in &about {
            let is_seen = match difference.gives {
                Gives::Error => cell.theirs.is_empty(),
                Gives::Bits(_) | Gives::BitsOfValue(_) => {
                    explained.contains(&i) || difference.predictions(cell).is_empty()
                }
                _ => true,
            };
            if !is_seen {
                wrong(&format!("not so: {}", difference.name));
            } else if matches!(difference.gives, Gives::Error) {
                explained.insert(i);
            }
        }
        if cell.theirs.is_empty() && explained.is_empty() {
            wrong("an error is not named");
        }
        self.seen.extend(
            explained
                .into_iter()
                .map(|i| (i, &cell.function[..], cell.format.name())),
        );
    }

    fn look_for(&mut self, differences: &[Difference]) {
        for (i, difference) in differences.iter().enumerate() {
            let name = difference.name;
            let formats = Format::ALL.iter().map(|format| format.name());
            for format in formats.filter(|format| difference.formats.contains(format)) {
                for function in difference.functions.iter().filter(|function| is_built_in(function)) {
                    let what = if !self.seen.contains(&(i, *function, format)) {
                        "not seen"
                    } else if difference.has_bound() && !self.far.contains(&(i, *function, format)) {
                        "half of the bound is enough"
                    } else {
                        continue;
                    };
                    self.wrong.push(format!("{what} in {function}, {format}: {name}"));
                }
            }
        }
    }
}

/// Every result that differs is explained by one difference, and each difference is seen wherever it says so.
pub fn check(library: &Library, has: fn(&Function) -> bool) {
    let cells: Vec<_> = library.table.split("# ").skip(1).flat_map(cells).collect();
    for function in FUNCTIONS.iter().filter(|function| has(function)) {
        let is_there = cells.iter().any(|cell| cell.function == function.name);
        assert!(is_there, "the table has no {}", function.name);
    }
    let mut findings = Findings::default();
    for cell in &cells {
        findings.look_at(library.differences, cell);
    }
    findings.look_for(library.differences);
    let wrong = findings.wrong;
    assert!(
        wrong.is_empty(),
        "\n{}\nof {}",
        wrong[..wrong.len().min(40)].join("\n"),
        wrong.len()
    );
}

/// The points of a page's list.
fn points_on_page(function: &str) -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let page =
        ["tensor", "function", "function/smooth"].map(|folder| source.join(folder).join(function).with_extension("rs"));
    let page = page
        .iter()
        .find(|page| page.exists())
        .unwrap_or_else(|| panic!("no page of {function}"));
    let page = fs::read_to_string(page).unwrap();
    let lines = page
        .lines()
        .skip_while(|line| *line != "/// # PyTorch and ONNX Runtime")
        .skip(1);
    let lines = lines
        .map_while(|line| line.strip_prefix("///"))
        .take_while(|line| !line.starts_with(" #"));
    let mut points: Vec<String> = Vec::new();
    for line in lines.map(str::trim) {
        match (line.strip_prefix("- "), points.last_mut()) {
            (Some(point), _) => points.push(point.into()),
            (None, Some(point)) if !line.is_empty() => *point = format!("{point} {line}"),
            _ => {}
        }
    }
    points.into_iter().collect()
}

/// Which library, and in which formats where not in all that the table has.
fn head(library: &Library, difference: &Difference, function: &str) -> String {
    let titles = library
        .table
        .lines()
        .filter(|line| line.starts_with(&format!("# {function} ")));
    let formats: BTreeSet<_> = titles
        .filter_map(|title| title.split(',').next()?.split(' ').next_back())
        .collect();
    if formats == difference.formats.iter().copied().collect() {
        return library.name.into();
    }
    let formats: Vec<_> = difference.formats.iter().map(|format| format!("`{format}`")).collect();
    let (last, others) = formats.split_last().unwrap();
    let others = others.join(", ");
    let and = if others.is_empty() { "" } else { " and " };
    format!("{} in {others}{and}{last}", library.name)
}

/// Each page has those of its function, and no others.
pub fn check_pages(libraries: &[&Library]) {
    let mut expected: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for library in libraries {
        for difference in library.differences {
            for function in difference.functions {
                let heads = expected
                    .entry(function)
                    .or_default()
                    .entry(difference.name)
                    .or_default();
                heads.push(head(library, difference, function));
            }
        }
    }
    let mut wrong = Vec::new();
    for (function, points) in expected {
        let points: BTreeSet<_> = points
            .into_iter()
            .map(|(name, heads)| format!("{}: {name}", heads.join(", ")))
            .collect();
        let on_page = points_on_page(function);
        wrong.extend(
            points
                .difference(&on_page)
                .map(|point| format!("the page of {function} lacks\n- {point}")),
        );
        wrong.extend(
            on_page
                .difference(&points)
                .map(|point| format!("the page of {function} has\n- {point}")),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
