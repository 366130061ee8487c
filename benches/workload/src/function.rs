//! The activations, and the four methods of each.

use rectify::{ClippedRelu, HardSigmoid, HardSwish, Hardtanh, Kernels, LeakyRelu, Relu, SquaredRelu, ThresholdedRelu};

use super::{Format, Limit, Numbers};

/// The definition of an activation, apart from the kernels.
pub struct Definition {
    /// Whether it is a choice among bits, exact in every format.
    pub is_exact: bool,
    pub value: fn(f64) -> f64,
    pub slope: fn(f64) -> f64,
}

macro_rules! activations {
    ($($activation:ident, $name:literal, $function:expr, $is_exact:literal, $value:expr, $slope:expr;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Activation {
            $($activation,)*
        }

        impl Activation {
            pub const ALL: &[Self] = &[$(Self::$activation,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$activation => $name,)*
                }
            }

            pub fn definition(self) -> Definition {
                let (is_exact, value, slope): (_, fn(f64) -> f64, fn(f64) -> f64) = match self {
                    $(Self::$activation => ($is_exact, $value, $slope),)*
                };
                Definition { is_exact, value, slope }
            }

            #[inline(always)]
            pub(super) fn run<T: Format>(self, kernels: Kernels, method: Method, numbers: &mut Numbers<T>) {
                match self {
                    $(Self::$activation => numbers.run_activation(kernels, $function, method),)*
                }
            }
        }
    };
}

// The kernels take as long whatever the parameters are; those of the two that have a slope keep gradients from fading away.
activations! {
    Relu, "relu", Relu, true, |x| x.max(0.0), |x| one_if(x > 0.0);
    LeakyRelu, "leaky_relu", LeakyRelu::new(-1.0), false, |x| x.max(-x), |x| if x > 0.0 { 1.0 } else { -1.0 };
    ClippedRelu, "clipped_relu", ClippedRelu::RELU6, true, |x| x.clamp(0.0, 6.0), |x| one_if(x > 0.0 && x < 6.0);
    Hardtanh, "hardtanh", Hardtanh::default(), true, |x| x.clamp(-1.0, 1.0), |x| one_if(x > -1.0 && x < 1.0);
    ThresholdedRelu, "thresholded_relu", ThresholdedRelu::new(0.5), true, |x| x * one_if(x > 0.5), |x| one_if(x > 0.5);
    SquaredRelu, "squared_relu", SquaredRelu, false, |x| x.max(0.0).powi(2), |x| 2.0 * x.max(0.0);
    HardSigmoid, "hard_sigmoid", HardSigmoid::new(1.0, 0.5), false,
        |x| (x + 0.5).clamp(0.0, 1.0), |x| one_if(x > -0.5 && x < 0.5);
    HardSwish, "hard_swish", HardSwish, false, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        |x| if x.abs() < 3.0 { x / 3.0 + 0.5 } else { one_if(x > 0.0) };
}

fn one_if(is_one: bool) -> f64 {
    f64::from(u8::from(is_one))
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
    pub fn all(activations: &[Activation]) -> impl Iterator<Item = Self> {
        let of = |activation| Method::ALL.map(|method| Self { activation, method });
        activations.iter().copied().flat_map(of)
    }

    pub fn name(self) -> String {
        self.activation.name().to_owned() + self.method.suffix()
    }

    /// The size of a number to run on. Run again in place, these two lead most numbers to the subnormal ones, with which CPUs are
    /// slow, but not those here, which stay or become 0. (Zeros alone would not be fair either: some CPUs save storing them.) The
    /// others soon lead to normal numbers and zeros that stay.
    pub(super) fn magnitude(self, random: &mut fastrand::Rng) -> f64 {
        match (self.activation, self.method) {
            (Activation::SquaredRelu, Method::ForwardInplace) => 1.0,
            (Activation::SquaredRelu, Method::BackwardInplace) => 0.5,
            (Activation::HardSwish, method) if method.is_inplace() => 4.0,
            _ => any_magnitude(random),
        }
    }
}

/// On both sides of every bound above.
pub(super) fn any_magnitude(random: &mut fastrand::Rng) -> f64 {
    (6.0 * random.f64() - 3.0).exp2()
}
