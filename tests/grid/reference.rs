//! The functions of the family, and what they have to give: by their definitions on numbers, for the special values on bits.

use rectify::{
    Activation, ClippedRelu, HardSigmoid, HardSwish, Hardtanh, LeakyRelu, Relu, SquaredRelu, ThresholdedRelu,
};

use crate::format::{Format, nearest, quiet, value};

/// What a function has to give: the value for x, and the gradient for x and the one at the output.
pub struct Reference<Forward, Backward> {
    pub forward: Forward,
    pub backward: Backward,
}

/// A function with its parameters.
pub trait Case: Copy + Send + 'static {
    const NAME: &'static str;

    /// Whether it rounds numbers, rather than choose among them.
    const ROUNDS: bool = false;

    fn activation(self) -> impl Activation;

    #[allow(
        clippy::type_complexity,
        reason = "there is no alias for a type with impl Trait in it"
    )]
    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits>;
}

/// `value` where it passes, else +0.0.
fn select<F: Format>(passes: bool, value: F::Bits) -> F::Bits {
    if passes { value } else { F::bits(0) }
}

/// The bits of a bound. One that is or becomes a zero has no sign.
fn bound<F: Format>(number: f64) -> F::Bits {
    let bits = nearest::<F>(number);
    select::<F>(value::<F>(bits) != Some(0.0), bits)
}

impl Case for Relu {
    const NAME: &'static str = "relu";

    fn activation(self) -> impl Activation {
        self
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let backward = |x, g| select::<F>(value::<F>(x).is_none_or(|x| x > 0.0), g);
        let forward = move |x| backward(x, x);
        Reference { forward, backward }
    }
}

#[derive(Clone, Copy)]
pub struct Clipped {
    pub max: f64,
}

impl Case for Clipped {
    const NAME: &'static str = "clipped_relu";

    fn activation(self) -> impl Activation {
        ClippedRelu::new(self.max)
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let max_bits = bound::<F>(self.max);
        let max = value::<F>(max_bits).unwrap();
        let forward = move |x| match value::<F>(x) {
            Some(number) if number <= 0.0 => F::bits(0),
            Some(number) if number > max => max_bits,
            _ => x,
        };
        let backward = move |x, g| select::<F>(value::<F>(x).is_none_or(|x| 0.0 < x && x < max), g);
        Reference { forward, backward }
    }
}

#[derive(Clone, Copy)]
pub struct Tanh {
    pub min: f64,
    pub max: f64,
}

impl Case for Tanh {
    const NAME: &'static str = "hardtanh";

    fn activation(self) -> impl Activation {
        Hardtanh::new(self.min, self.max)
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let [min_bits, max_bits] = [self.min, self.max].map(bound::<F>);
        let [min, max] = [min_bits, max_bits].map(|bound| value::<F>(bound).unwrap());
        let forward = move |x| match value::<F>(x) {
            Some(number) if number < min => min_bits,
            Some(number) if number > max => max_bits,
            _ => x,
        };
        let backward = move |x, g| select::<F>(value::<F>(x).is_none_or(|x| min < x && x < max), g);
        Reference { forward, backward }
    }
}

#[derive(Clone, Copy)]
pub struct Thresholded {
    pub alpha: f64,
}

impl Case for Thresholded {
    const NAME: &'static str = "thresholded_relu";

    fn activation(self) -> impl Activation {
        ThresholdedRelu::new(self.alpha)
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let alpha = value::<F>(nearest::<F>(self.alpha)).unwrap();
        let backward = move |x, g| select::<F>(value::<F>(x).is_none_or(|x| x > alpha), g);
        let forward = move |x| backward(x, x);
        Reference { forward, backward }
    }
}

#[derive(Clone, Copy)]
pub struct Leaky {
    pub negative_slope: f64,
}

impl Case for Leaky {
    const NAME: &'static str = "leaky_relu";
    const ROUNDS: bool = true;

    fn activation(self) -> impl Activation {
        LeakyRelu::new(self.negative_slope)
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let [_, greatest] = normal_range::<F>();
        let slope = in_compute_format::<F>(self.negative_slope.clamp(-greatest, greatest));
        let backward = move |x, g| match (value::<F>(x), value::<F>(g)) {
            (None, _) => g,
            (Some(x), _) if x > 0.0 => g,
            _ if slope == 0.0 => F::bits(0),
            (_, None) => quiet::<F>(g),
            (_, Some(g)) => nearest::<F>(in_compute_format::<F>(g * slope)),
        };
        let forward = move |x| if x == F::bits(0) { x } else { backward(x, x) };
        Reference { forward, backward }
    }
}

impl Case for SquaredRelu {
    const NAME: &'static str = "squared_relu";
    const ROUNDS: bool = true;

    fn activation(self) -> impl Activation {
        self
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let forward = |x| match value::<F>(x) {
            None => x,
            Some(x) if x <= 0.0 => F::bits(0),
            Some(x) => nearest::<F>(in_compute_format::<F>(x * x)),
        };
        let backward = |x_bits, g_bits| match (value::<F>(x_bits), value::<F>(g_bits)) {
            (None, _) => x_bits,
            (Some(x), _) if x <= 0.0 => F::bits(0),
            (_, None) => quiet::<F>(g_bits),
            (_, Some(0.0)) => g_bits,
            (Some(x), Some(g)) => nearest::<F>(in_compute_format::<F>(in_compute_format::<F>(2.0 * g) * x)),
        };
        Reference { forward, backward }
    }
}

#[derive(Clone, Copy)]
pub struct Sigmoid {
    pub alpha: f64,
    pub beta: f64,
}

impl Case for Sigmoid {
    const NAME: &'static str = "hard_sigmoid";
    const ROUNDS: bool = true;

    fn activation(self) -> impl Activation {
        HardSigmoid::new(self.alpha, self.beta)
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let [least, greatest] = normal_range::<F>();
        let alpha = in_compute_format::<F>(self.alpha.clamp(least, greatest));
        let beta = in_compute_format::<F>(self.beta.clamp(-greatest, greatest));
        let line = move |x: f64| in_compute_format::<F>(in_compute_format::<F>(alpha * x) + beta);
        let forward = move |x| match value::<F>(x) {
            None => x,
            Some(x) if line(x) <= 0.0 => F::bits(0),
            Some(x) => nearest::<F>(line(x).min(1.0)),
        };
        let backward = move |x, g| match (value::<F>(x), value::<F>(g)) {
            (Some(x), _) if line(x) <= 0.0 || line(x) >= 1.0 => F::bits(0),
            (_, None) => quiet::<F>(g),
            (_, Some(g)) => nearest::<F>(in_compute_format::<F>(g * alpha)),
        };
        Reference { forward, backward }
    }
}

impl Case for HardSwish {
    const NAME: &'static str = "hard_swish";
    const ROUNDS: bool = true;

    fn activation(self) -> impl Activation {
        self
    }

    fn reference<F: Format>(self) -> Reference<impl Fn(F::Bits) -> F::Bits, impl Fn(F::Bits, F::Bits) -> F::Bits> {
        let line = |slope: f64, x: f64| {
            in_compute_format::<F>(in_compute_format::<F>(in_compute_format::<F>(slope) * x) + 0.5)
        };
        let forward = move |x_bits| match value::<F>(x_bits) {
            Some(x) if x <= -3.0 => F::bits(0),
            Some(x) if x < 3.0 => nearest::<F>(in_compute_format::<F>(x * line(1.0 / 6.0, x))),
            _ => x_bits,
        };
        let backward = move |x_bits, g_bits| match (value::<F>(x_bits), value::<F>(g_bits)) {
            (None, _) => x_bits,
            (Some(x), _) if x <= -3.0 => F::bits(0),
            (Some(x), _) if x >= 3.0 => g_bits,
            (Some(x), _) if line(1.0 / 3.0, x) == 0.0 => F::bits(0),
            (_, None) => quiet::<F>(g_bits),
            (Some(x), Some(g)) => nearest::<F>(in_compute_format::<F>(g * line(1.0 / 3.0, x))),
        };
        Reference { forward, backward }
    }
}

/// Products of two numbers of 32 bits or fewer are exact in an f64, and their sums are rounded right: an f64 has more than twice
/// as many bits as an f32, and two more.
pub fn in_compute_format<F: Format>(number: f64) -> f64 {
    if F::WIDTH == 64 {
        number
    } else {
        f64::from(number as f32)
    }
}

/// The least and the greatest positive normal number of the format that is computed in.
fn normal_range<F: Format>() -> [f64; 2] {
    if F::WIDTH == 64 {
        [f64::MIN_POSITIVE, f64::MAX]
    } else {
        [f32::MIN_POSITIVE, f32::MAX].map(f64::from)
    }
}
