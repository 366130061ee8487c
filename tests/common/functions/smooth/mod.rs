//! The smooth functions.

mod celu;
mod elu;
mod gelu;
mod gelu_tanh;
mod log_sigmoid;
mod mish;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod softshrink;
mod softsign;
mod swish;
mod tanh;
mod tanhshrink;

use super::{Bounds, Function, Monotony, NO_PARAMETERS, NOTHING, Parameters, Real, Wide, finite, one, tie};

/// In the order of [`AnyActivation::NAMES`](rectify::AnyActivation::NAMES), behind the others.
pub const FUNCTIONS: &[Function] = &[
    celu::FUNCTION,
    elu::FUNCTION,
    gelu::FUNCTION,
    gelu_tanh::FUNCTION,
    log_sigmoid::FUNCTION,
    mish::FUNCTION,
    selu::FUNCTION,
    sigmoid::FUNCTION,
    silu::FUNCTION,
    softplus::FUNCTION,
    softshrink::FUNCTION,
    softsign::FUNCTION,
    swish::FUNCTION,
    tanh::FUNCTION,
    tanhshrink::FUNCTION,
];

/// What smooth functions without parameters and kinks have in common.
const DEFAULTS: Function = Function {
    name: "",
    new: |_| unreachable!("each has its own"),
    names: &[],
    onnx: None,
    parameters: &[NO_PARAMETERS],
    typical: NO_PARAMETERS,
    valid: |_| NO_PARAMETERS,
    refused: &[],
    kinks: |_| vec![],
    real: None,
    forward: None,
    backward: None,
    live: None,
    takes_output: |_| false,
};
