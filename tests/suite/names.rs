//! Functions by their names in PyTorch and ONNX.

use rectify::AnyActivation;

use crate::common::functions::FUNCTIONS;

fn error(name: &str) -> String {
    name.parse::<AnyActivation>().unwrap_err().to_string()
}

#[test]
fn a_name_is_the_function_with_its_default_parameters() {
    for function in FUNCTIONS {
        for &(name, parameters) in function.names {
            assert_eq!(name.parse(), Ok(function.with(parameters).activation()), "{name}");
        }
    }
}

#[test]
fn a_name_is_taken_to_the_letter() {
    let known: Vec<&str> = FUNCTIONS
        .iter()
        .flat_map(|function| function.names.iter().map(|(name, _)| *name))
        .collect();
    let others = known.iter().flat_map(|name| {
        [
            name.to_lowercase(),
            name.to_uppercase(),
            format!("{name} "),
            format!(" {name}"),
        ]
    });
    for name in others.filter(|name| !known.contains(&&**name)) {
        assert!(name.parse::<AnyActivation>().is_err(), "'{name}'");
    }
}

#[test]
fn an_unknown_name_is_answered_by_all_that_are_known() {
    for unknown in ["", "gelu?", "eLU", "relu7"] {
        let error = error(unknown);
        let (before, list) = error.split_once("known: ").unwrap_or_else(|| panic!("{error}"));
        assert_eq!(before, "unknown activation function; ");
        let mut listed: Vec<&str> = list.split(", ").collect();
        let mut known: Vec<&str> = FUNCTIONS
            .iter()
            .flat_map(|function| function.names.iter().map(|(name, _)| *name))
            .collect();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}

/// PyTorch's and ONNX's functions without defaults, and what to use instead.
#[test]
fn a_name_without_default_parameters_is_refused_as_such() {
    for (name, instead) in [
        ("threshold", "ThresholdedRelu::new"),
        ("Threshold", "ThresholdedRelu::new"),
        ("Clip", "ClippedRelu::new or Hardtanh::new"),
        ("prelu", "PRelu::new, which is no AnyActivation"),
        ("PReLU", "PRelu::new, which is no AnyActivation"),
        ("PRelu", "PRelu::new, which is no AnyActivation"),
    ] {
        assert_eq!(
            error(name),
            format!("the activation function {name} has no default parameters; use {instead}")
        );
        // What `unwrap` prints.
        assert_eq!(format!("{:?}", name.parse::<AnyActivation>().unwrap_err()), error(name));
    }
}
