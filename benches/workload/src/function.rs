//! The activations, and the four methods of each.

use std::f64::consts::FRAC_1_SQRT_2;

use rectify::{
    AnyActivation, Celu, ClippedRelu, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, Hardshrink, Hardtanh, Kernels,
    LeakyRelu, LogSigmoid, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Softshrink, Softsign, SquaredRelu, Swish, Tanh,
    Tanhshrink, ThresholdedRelu,
};

use crate::Limit;
use crate::subnormal::Subnormal;
use Magnitude::{Any, Fixed};

/// An activation as it is measured, with its definition apart from the kernels.
pub(super) struct Row {
    name: &'static str,
    pub(super) function: AnyActivation,
    /// Whether it is a choice among bits, exact in every format.
    pub(super) is_exact: bool,
    pub(super) value: fn(f64) -> f64,
    pub(super) slope: fn(f64) -> f64,
    /// Of x, where forward runs in place and where backward does.
    inplace: [Magnitude; 2],
    /// None where results are bits of x, of the gradient or of a parameter.
    pub(super) subnormal: Option<Subnormal>,
}

/// How large the numbers of x are where a method runs in place, again and again on its own result. That must not lead most of them
/// to subnormal numbers, with which CPUs are slow. (Zeros alone would not be fair either: some CPUs save storing them.)
#[derive(Clone, Copy)]
enum Magnitude {
    /// On both sides of every bound. Runs soon lead to normal numbers and zeros, which stay.
    Any,
    /// All of one size. Runs leave them as they are, or lead to 0.
    Fixed(f64),
}

// The kernels take as long whatever the parameters are; those of the two that have a slope keep gradients from fading away.
static ROWS: &[Row] = &[
    Row {
        name: "relu",
        function: AnyActivation::Relu(Relu),
        is_exact: true,
        value: |x| x.max(0.0),
        slope: |x| one_if(x > 0.0),
        inplace: [Any, Any],
        subnormal: None,
    },
    Row {
        name: "leaky_relu",
        function: AnyActivation::LeakyRelu(LeakyRelu::new(-1.0)),
        is_exact: false,
        value: |x| x.max(-x),
        slope: |x| if x > 0.0 { 1.0 } else { -1.0 },
        inplace: [Any, Any],
        subnormal: Some(Subnormal {
            function: AnyActivation::LeakyRelu(LeakyRelu::new(0.01)),
            forward: Some(|least| -2.0 * least),
            backward: -1.0,
        }),
    },
    Row {
        name: "clipped_relu",
        function: AnyActivation::ClippedRelu(ClippedRelu::RELU6),
        is_exact: true,
        value: |x| x.clamp(0.0, 6.0),
        slope: |x| one_if(x > 0.0 && x < 6.0),
        inplace: [Any, Any],
        subnormal: None,
    },
    Row {
        name: "hardtanh",
        function: AnyActivation::Hardtanh(Hardtanh::new(-1.0, 1.0)),
        is_exact: true,
        value: |x| x.clamp(-1.0, 1.0),
        slope: |x| one_if(x > -1.0 && x < 1.0),
        inplace: [Any, Any],
        subnormal: None,
    },
    Row {
        name: "thresholded_relu",
        function: AnyActivation::ThresholdedRelu(ThresholdedRelu::new(0.5)),
        is_exact: true,
        value: |x| x * one_if(x > 0.5),
        slope: |x| one_if(x > 0.5),
        inplace: [Any, Any],
        subnormal: None,
    },
    Row {
        name: "squared_relu",
        function: AnyActivation::SquaredRelu(SquaredRelu),
        is_exact: false,
        value: |x| x.max(0.0).powi(2),
        slope: |x| 2.0 * x.max(0.0),
        inplace: [Fixed(1.0), Fixed(0.5)],
        subnormal: Some(Subnormal {
            function: AnyActivation::SquaredRelu(SquaredRelu),
            forward: Some(|least| 0.5 * least.sqrt()),
            backward: 0.125,
        }),
    },
    Row {
        name: "hard_sigmoid",
        function: AnyActivation::HardSigmoid(HardSigmoid::new(1.0, 0.5)),
        is_exact: false,
        value: |x| (x + 0.5).clamp(0.0, 1.0),
        slope: |x| one_if(x > -0.5 && x < 0.5),
        inplace: [Any, Any],
        subnormal: Some(Subnormal {
            function: AnyActivation::HardSigmoid(HardSigmoid::new(1.0 / 6.0, 0.5)),
            forward: None,
            backward: 0.5,
        }),
    },
    Row {
        name: "hard_swish",
        function: AnyActivation::HardSwish(HardSwish),
        is_exact: false,
        value: |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        slope: |x| if x.abs() < 3.0 { x / 3.0 + 0.5 } else { one_if(x > 0.0) },
        inplace: [Fixed(4.0), Fixed(4.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::HardSwish(HardSwish),
            forward: Some(|least| least),
            backward: -1.0,
        }),
    },
    Row {
        name: "gelu",
        function: AnyActivation::Gelu(Gelu),
        is_exact: false,
        value: |x| x * normal(x),
        slope: |x| normal(x) + x * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt(),
        // There f(x) is x or -0.0, and the slope 1 or 0.
        inplace: [Fixed(40.0), Fixed(40.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Gelu(Gelu),
            forward: Some(|least| least),
            backward: -0.4,
        }),
    },
    Row {
        name: "gelu_tanh",
        function: AnyActivation::GeluTanh(GeluTanh),
        is_exact: false,
        value: |x| x * gate(x),
        slope: |x| {
            let rate = 2.0 * FRAC_2_PI_ROOT * (1.0 + 3.0 * 0.044715 * x * x);
            gate(x) * (1.0 + x * gate(-x) * rate)
        },
        inplace: [Fixed(40.0), Fixed(40.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::GeluTanh(GeluTanh),
            forward: Some(|least| least),
            backward: -0.4,
        }),
    },
    Row {
        name: "sigmoid",
        function: AnyActivation::Sigmoid(Sigmoid),
        is_exact: false,
        value: |x| 1.0 / (1.0 + (-x).exp()),
        slope: |x| 1.0 / (2.0 + x.exp() + (-x).exp()),
        // Gradients would fade away: there they are 0 at once.
        inplace: [Any, Fixed(200.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Sigmoid(Sigmoid),
            forward: None,
            backward: 0.125,
        }),
    },
    Row {
        name: "tanh",
        function: AnyActivation::Tanh(Tanh),
        is_exact: false,
        value: f64::tanh,
        slope: |x| 1.0 / x.cosh().powi(2),
        // A thousand values of values are 0.04 and 0.05.
        inplace: [Any, Fixed(200.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Tanh(Tanh),
            forward: Some(|least| 0.5 * least),
            backward: 2.0,
        }),
    },
    Row {
        name: "softplus",
        function: AnyActivation::Softplus(Softplus::new(1.0)),
        is_exact: false,
        value: |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
        slope: |x| 1.0 / (1.0 + (-x).exp()),
        // Gradients would fade away: there they stay, or are 0 at once.
        inplace: [Any, Fixed(200.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Softplus(Softplus::new(1.0)),
            forward: None,
            backward: -2.0,
        }),
    },
    Row {
        name: "log_sigmoid",
        function: AnyActivation::LogSigmoid(LogSigmoid),
        is_exact: false,
        value: |x| x.min(0.0) - (-x.abs()).exp().ln_1p(),
        slope: |x| 1.0 / (1.0 + x.exp()),
        inplace: [Any, Fixed(200.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::LogSigmoid(LogSigmoid),
            forward: None,
            backward: 2.0,
        }),
    },
    Row {
        name: "softsign",
        function: AnyActivation::Softsign(Softsign),
        is_exact: false,
        value: |x| x / (1.0 + x.abs()),
        slope: |x| (1.0 + x.abs()).powi(-2),
        // Numbers would fade away: there gradients stay.
        inplace: [Any, Fixed(1e-30)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Softsign(Softsign),
            forward: Some(|least| 0.5 * least),
            backward: 2.0,
        }),
    },
    Row {
        name: "hardshrink",
        function: AnyActivation::Hardshrink(Hardshrink::new(0.5)),
        is_exact: true,
        value: |x| x * one_if(x.abs() > 0.5),
        slope: |x| one_if(x.abs() > 0.5),
        inplace: [Any, Any],
        subnormal: None,
    },
    Row {
        name: "softshrink",
        function: AnyActivation::Softshrink(Softshrink::new(0.5)),
        is_exact: false,
        value: |x| (x.abs() - 0.5).max(0.0).copysign(x),
        slope: |x| one_if(x.abs() > 0.5),
        inplace: [Any, Any],
        subnormal: None,
    },
    Row {
        name: "tanhshrink",
        function: AnyActivation::Tanhshrink(Tanhshrink),
        is_exact: false,
        value: |x| x - x.tanh(),
        slope: |x| x.tanh().powi(2),
        // From here on numbers stay.
        inplace: [Fixed(1e30), Fixed(1e30)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Tanhshrink(Tanhshrink),
            forward: Some(|least| least.cbrt()),
            backward: 0.25,
        }),
    },
    Row {
        name: "mish",
        function: AnyActivation::Mish(Mish),
        is_exact: false,
        value: |x| x * (x.exp().ln_1p()).tanh(),
        slope: |x| {
            let tanh = x.exp().ln_1p().tanh();
            tanh + x * (1.0 - tanh * tanh) / (1.0 + (-x).exp())
        },
        // From here on numbers stay, or are 0 at once.
        inplace: [Fixed(200.0), Fixed(200.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Mish(Mish),
            forward: Some(|least| least),
            backward: -1.0,
        }),
    },
    Row {
        name: "silu",
        function: AnyActivation::Silu(Silu),
        is_exact: false,
        value: |x| x / (1.0 + (-x).exp()),
        slope: |x| {
            let sigmoid = 1.0 / (1.0 + (-x).exp());
            sigmoid + x * sigmoid / (1.0 + x.exp())
        },
        // The slope there is 1 or 0.
        inplace: [Fixed(400.0), Fixed(400.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Silu(Silu),
            forward: Some(|least| least),
            backward: -3.0,
        }),
    },
    Row {
        name: "swish",
        function: AnyActivation::Swish(Swish::QUICK_GELU),
        is_exact: false,
        value: |x| x / (1.0 + (-1.702 * x).exp()),
        slope: |x| {
            let sigmoid = 1.0 / (1.0 + (-1.702 * x).exp());
            sigmoid + 1.702 * x * sigmoid / (1.0 + (1.702 * x).exp())
        },
        inplace: [Fixed(400.0), Fixed(400.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Swish(Swish::QUICK_GELU),
            forward: Some(|least| least),
            backward: -3.0,
        }),
    },
    Row {
        name: "elu",
        function: AnyActivation::Elu(Elu::new(1.0)),
        is_exact: false,
        value: |x| x.max(x.exp_m1().min(0.0)),
        slope: |x| x.min(0.0).exp(),
        inplace: [Fixed(400.0), Fixed(400.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Elu(Elu::new(1.0)),
            forward: Some(|least| -0.5 * least),
            backward: -3.0,
        }),
    },
    Row {
        name: "selu",
        function: AnyActivation::Selu(Selu),
        is_exact: false,
        value: |x| 1.050_700_987_355_480_5 * (x.max(0.0) + 1.673_263_242_354_377_2 * x.exp_m1().min(0.0)),
        slope: |x| {
            1.050_700_987_355_480_5
                * if x > 0.0 {
                    1.0
                } else {
                    1.673_263_242_354_377_2 * x.exp()
                }
        },
        // Positive numbers grow, beyond those of 16 bits.
        inplace: [Fixed(1.0), Fixed(400.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Selu(Selu),
            forward: Some(|least| -0.25 * least),
            backward: -3.0,
        }),
    },
    Row {
        name: "celu",
        function: AnyActivation::Celu(Celu::new(0.5)),
        is_exact: false,
        value: |x| x.max(0.5 * (2.0 * x).exp_m1().min(0.0)),
        slope: |x| (2.0 * x.min(0.0)).exp(),
        inplace: [Fixed(400.0), Fixed(400.0)],
        subnormal: Some(Subnormal {
            function: AnyActivation::Celu(Celu::new(0.5)),
            forward: Some(|least| -0.5 * least),
            backward: -3.0,
        }),
    },
];

/// The standard normal distribution, to 1.5e-7 of 1 (Abramowitz and Stegun, 7.1.26).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.3275911 * FRAC_1_SQRT_2 * x.abs());
    let sum = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
    let tail = 0.5 * (-0.5 * x * x).exp() * sum.into_iter().fold(0.0, |sum, c| (sum + c) * t);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// What GELU by tanh multiplies x by.
fn gate(x: f64) -> f64 {
    1.0 / (1.0 + (-2.0 * FRAC_2_PI_ROOT * (x + 0.044715 * x.powi(3))).exp())
}

/// sqrt(2 / π)
const FRAC_2_PI_ROOT: f64 = 0.7978845608028654;

fn one_if(is_one: bool) -> f64 {
    f64::from(u8::from(is_one))
}

/// One of the table, by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Activation(usize);

impl Activation {
    /// The first row, with which the others are compared.
    pub const RELU: Self = Self(0);

    pub fn all() -> impl Iterator<Item = Self> {
        (0..ROWS.len()).map(Self)
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// For a line of help.
    pub fn names() -> String {
        Self::all().map(Self::name).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn row(self) -> &'static Row {
        &ROWS[self.0]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    ForwardInplace,
    Forward,
    Backward,
    BackwardInplace,
}

impl Method {
    pub const ALL: [Self; 4] = [
        Self::ForwardInplace,
        Self::Forward,
        Self::Backward,
        Self::BackwardInplace,
    ];

    fn suffix(self) -> &'static str {
        match self {
            Self::ForwardInplace => "_inplace",
            Self::Forward => "",
            Self::Backward => "_backward",
            Self::BackwardInplace => "_backward_inplace",
        }
    }

    pub fn is_forward(self) -> bool {
        matches!(self, Self::ForwardInplace | Self::Forward)
    }

    fn is_inplace(self) -> bool {
        matches!(self, Self::ForwardInplace | Self::BackwardInplace)
    }

    /// Slices that are read, and slices that are written. What the hardware reads of a line before it writes to it is
    /// not counted.
    pub fn traffic(self) -> usize {
        if self.is_forward() { 2 } else { 3 }
    }

    /// Slices of a call.
    pub fn slices(self) -> usize {
        if self.is_inplace() {
            self.traffic() - 1
        } else {
            self.traffic()
        }
    }

    /// The loops of which the faster one is the limit, for slices of so many bytes.
    pub fn limits(self, kernels: Kernels, bytes: usize) -> impl Iterator<Item = Limit> {
        let limit = Limit::of(kernels);
        let is_past_caches = !self.is_inplace() && self.traffic() * bytes >= rectify::streaming_threshold();
        let streaming = limit.streaming().filter(|_| is_past_caches);
        [limit].into_iter().chain(streaming)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    pub activation: Activation,
    pub method: Method,
}

impl Function {
    pub fn all(activations: impl IntoIterator<Item = Activation>) -> impl Iterator<Item = Self> {
        let of = |activation| Method::ALL.map(|method| Self { activation, method });
        activations.into_iter().flat_map(of)
    }

    pub fn name(self) -> String {
        self.activation.name().to_owned() + self.method.suffix()
    }

    /// That of a number of x.
    pub(super) fn magnitude(self, random: &mut fastrand::Rng) -> f64 {
        let [forward, backward] = self.activation.row().inplace;
        let magnitude = match self.method {
            Method::ForwardInplace => forward,
            Method::BackwardInplace => backward,
            Method::Forward | Method::Backward => Any,
        };
        match magnitude {
            Any => any_magnitude(random),
            Fixed(magnitude) => magnitude,
        }
    }
}

/// On both sides of every bound above.
pub fn any_magnitude(random: &mut fastrand::Rng) -> f64 {
    (6.0 * random.f64() - 3.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_each_function_once_by_its_name() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.function.name()).collect();
        names.sort();
        let mut expected = AnyActivation::NAMES.to_vec();
        expected.sort();
        assert_eq!(names, expected);
        assert_eq!(Activation::RELU.name(), "relu");
        for row in ROWS {
            assert_eq!(row.name.replace('_', ""), row.function.name().to_lowercase());
        }
    }
}
