//! Every arrow points down: a module of `src` knows itself and those in the layers below it, each by its own path.

use std::fs;
use std::path::Path;

/// From the lowest to the highest. Modules of one layer do not know each other.
const LAYERS: &[&[&str]] = &[
    &["isa"],
    &["simd"],
    &["math"],
    &["sweep", "function"],
    &["call"],
    &["activation"],
    &["kernels"],
    &["tensor"],
    &["parallel", "ndarray"],
    &["lib"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// A word or symbol, and its line.
type Token<'a> = (&'a str, usize);

fn tokens(mut source: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut line) = (Vec::new(), 1);
    while !source.is_empty() {
        let skipped = after_comment(source).or_else(|| after_literal(source));
        let rest = skipped.unwrap_or_else(|| after_word_or_symbol(source));
        let text = &source[..source.len() - rest.len()];
        if skipped.is_none() && !text.trim().is_empty() {
            tokens.push((text, line));
        }
        line += text.matches('\n').count();
        source = rest;
    }
    tokens
}

fn after<'a>(end: &str, source: &'a str) -> &'a str {
    source.split_once(end).map_or("", |(_, rest)| rest)
}

fn after_char(source: &str) -> &str {
    source.strip_prefix(|_| true).unwrap_or_default()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn after_word_or_symbol(source: &str) -> &str {
    match source.strip_prefix(is_of_word) {
        Some(rest) => rest.trim_start_matches(is_of_word),
        None => source.strip_prefix("::").unwrap_or_else(|| after_char(source)),
    }
}

fn after_comment(source: &str) -> Option<&str> {
    if source.starts_with("//") {
        return Some(after("\n", source));
    }
    let mut rest = source.strip_prefix("/*")?;
    while !rest.is_empty() && !rest.starts_with("*/") {
        let nested = Some(rest).filter(|rest| rest.starts_with("/*")).and_then(after_comment);
        rest = nested.unwrap_or_else(|| after_char(rest));
    }
    Some(after("*/", rest))
}

fn after_literal(source: &str) -> Option<&str> {
    let raw = source.strip_prefix(['b', 'c']).unwrap_or(source).strip_prefix('r');
    if let Some((hashes, text)) = raw.and_then(|raw| raw.split_once('"'))
        && hashes.trim_matches('#').is_empty()
    {
        return Some(after(&format!("\"{hashes}"), text));
    }
    let quote = source.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let text = &source[1..];
    if quote == '\'' && !text.starts_with('\\') && !after_char(text).starts_with('\'') {
        return None; // a lifetime
    }
    let mut chars = text.chars();
    while let Some(c) = chars.next().filter(|&c| c != quote) {
        if c == '\\' {
            chars.next();
        }
    }
    Some(chars.as_str())
}

/// Appends the paths that begin with `path` and go on at `tokens[at]`, one for each leaf of a tree. Returns their end.
fn paths<'a>(tokens: &[Token<'a>], mut at: usize, path: &[Token<'a>], found: &mut Vec<Vec<Token<'a>>>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |&(text, _)| text);
    let goes_on = |at: usize| text(at).starts_with(is_of_word) || ["{", "*"].contains(&text(at));
    if text(at) == "{" {
        at += 1;
        while !["}", ""].contains(&text(at)) {
            at = match text(at) {
                "as" => at + 2,
                _ if goes_on(at) => paths(tokens, at, path, found),
                _ => at + 1,
            };
        }
        return at + 1;
    }
    let path = [path, &[tokens[at]]].concat();
    if text(at + 1) == "::" && goes_on(at + 2) {
        return paths(tokens, at + 2, &path, found);
    }
    found.push(path);
    at + 1
}

fn reason(module: &str, levels: usize, path: &[&str]) -> Option<String> {
    match path {
        ["crate"] => Some("names no module of the crate".into()),
        ["crate", target, ..] if *target == module => None,
        ["crate", target, ..] => match (layer(target), layer(module)) {
            (None, _) => Some(format!("{target} is not in LAYERS (a re-export of lib.rs?)")),
            (target, own) if target < own => None,
            (layer, own) if layer == own => Some(format!("{target} is beside {module}")),
            _ => Some(format!("{target} is above {module}")),
        },
        _ if path.iter().filter(|&&name| name == "super").count() <= levels => None,
        _ => Some(format!("leads out of {module}")),
    }
}

/// One line for each path that goes where it must not. An inline module has no level of its own: instead of `super`, it
/// says `crate::` and the module around it.
fn violations(file: &str, source: &str) -> Vec<String> {
    let modules: Vec<_> = file.trim_end_matches(".rs").split('/').skip(1).collect();
    let module = modules[0];
    let levels = modules[1..].iter().filter(|&&module| module != "mod").count();
    if layer(module).is_none() {
        return vec![format!("{file}:1: {module}: is not in LAYERS")];
    }
    let tokens = tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |&(text, _)| text);
    let (mut violations, mut at) = (Vec::new(), 0);
    while let Some(root) = (at..tokens.len()).find(|&at| ["crate", "super"].contains(&text(at))) {
        let before = [root.wrapping_sub(2), root.wrapping_sub(1)].map(text);
        let dollar = if before[1] == "$" { "$" } else { "" };
        let mut found = Vec::new();
        at = paths(&tokens, root, &[], &mut found);
        let is_path = before != ["pub", "("] && (before[1] != "extern" || text(at) == "self");
        for path in found.iter().filter(|path| is_path || path.len() > 1) {
            let (names, lines): (Vec<_>, Vec<_>) = path.iter().copied().unzip();
            if let Some(reason) = reason(module, levels, &names) {
                let line = lines[lines.len() - 1];
                violations.push(format!("{file}:{line}: {dollar}{}: {reason}", names.join("::")));
            }
        }
    }
    violations
}

fn violations_below(folder: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            found.extend(violations_below(&path, &name));
        } else if name.ends_with(".rs") {
            found.extend(violations(&name, &fs::read_to_string(path).unwrap()));
        }
    }
    found
}

#[test]
fn every_arrow_points_down() {
    let mut found = violations_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src");
    found.sort_by_key(|violation| violation.split(':').next().map(String::from));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Each file begins with its name behind `//#`. Its violations are those behind `//~`, each in its line.
fn assert_marked(files: &str) {
    for file in files.split("//# ").skip(1) {
        let (file, source) = file.split_once('\n').unwrap();
        let mut marked = Vec::new();
        for (text, line) in source.lines().zip(1..) {
            let violation = text.split_once("//~ ").map(|(_, violation)| violation);
            marked.extend(violation.map(|violation| format!("{file}:{line}: {violation}")));
        }
        assert_eq!(violations(file, source), marked);
    }
}

#[test]
fn planted_arrows_are_found() {
    let files = r#"
        //# src/simd/avx2.rs
        /* // isn't */ use crate::sweep::Map; //~ crate::sweep::Map: sweep is above simd
        fn f<'a>(x: &'a u8) -> crate::Element { //~ crate::Element: Element is not in LAYERS (a re-export of lib.rs?)
            ['"', '\"', '\'']; crate::extra::f(x) //~ crate::extra::f: extra is not in LAYERS (a re-export of lib.rs?)
            ["\\", "\"", "//"]; self::super::super::f() //~ super::super::f: leads out of simd
        }
        use crate::{
            isa::Isa, {simd::{self, Lane as L}, isa}, call::{
                rows::{Plan as P}, //~ crate::call::rows::Plan: call is above simd
                *, //~ crate::call::*: call is above simd
            },
        };
        use super::{Lane, super::call}; //~ super::super::call: leads out of simd
        macro_rules! isa {
            ($name:ident) => { $crate::call::$name() }; //~ $crate::call: call is above simd
            (@$name:ident) => { $crate::$name() }; //~ $crate: names no module of the crate
        }
        use crate::*; //~ crate::*: * is not in LAYERS (a re-export of lib.rs?)
        use crate as rectify; //~ crate: names no module of the crate
        //# src/sweep/rows.rs
        crate::function::f() //~ crate::function::f: function is beside sweep
        //# src/function/mod.rs
        crate::sweep::f() //~ crate::sweep::f: sweep is beside function
        //# src/call/mod.rs
        use super::sweep; //~ super::sweep: leads out of call
        //# src/isa.rs
        use super as root; //~ super: leads out of isa
        //# src/lib.rs
        extern crate self as rectify; //~ crate: names no module of the crate
        //# src/extra/mod.rs
        fn f() {} //~ extra: is not in LAYERS"#;
    assert_marked(files);
}

#[test]
fn harmless_paths_are_not_found() {
    let files = r###"
        //# src/call/x86/avx2.rs
        //! [`Relu`](crate::Relu) /* "
        /// [`Tensor`]: crate::tensor::Tensor
        /** crate::lib */ /* /* crate::lib */ crate::lib /*/ */ crate::lib */ */
        pub(super) use super::super::{Plan, rows::{self, Rows as R}};
        pub(crate) fn f<'a>(_: &'a str, _: my_crate::Relu) -> crate::call::Plan { my_crate::lib::f() }
        ["crate::lib \" crate::lib", r"crate::lib\", r##"crate::lib "# crate::lib"##, "\\", "é"];
        (b'"', '\u{22}', '"', br#""crate::lib"#);
        macro_rules! run { ($r:expr) => { $crate::simd::run($crate::sweep::Map($r), crate::function::Relu) } }
        pub(in crate::call) struct Call;
        //# src/lib.rs
        extern crate alloc;
        pub use crate::parallel::Threads;"###;
    assert_marked(files);
}
