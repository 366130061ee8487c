//! The methods of the crate on bytes, with the format chosen at run time: all that has to be compiled for each format.

use std::fmt;
use std::mem::MaybeUninit;

use bytemuck::Pod;
#[cfg(feature = "smooth")]
use rectify::Gated;
use rectify::{
    Activation, AnyActivation, Channels, Crelu, Element, Fused, Kernels, OneBitGradient, PRelu, ReGlu, Rows, RowsMut,
};

use super::format::Format;
use super::tensor::{View, ViewMut};

/// A way to the functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Without `Kernels`, on whatever was chosen.
    Free,
    Pinned(Kernels),
    #[cfg(feature = "rayon")]
    Parallel,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::Pinned(kernels) => kernels.isa().fmt(f),
            #[cfg(feature = "rayon")]
            Self::Parallel => f.write_str("parallel"),
        }
    }
}

/// A method of [`Activation`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    Forward,
    ForwardInplace,
    ForwardUninit,
    /// On the way that was chosen, whatever the way.
    #[cfg(feature = "alloc")]
    ForwardAppend,
    Backward,
    BackwardInplace,
    BackwardUninit,
    #[cfg(feature = "alloc")]
    BackwardAppend,
}

use Method::*;

impl Method {
    pub const ALL: &[Self] = &[
        Forward,
        ForwardInplace,
        ForwardUninit,
        #[cfg(feature = "alloc")]
        ForwardAppend,
        Backward,
        BackwardInplace,
        BackwardUninit,
        #[cfg(feature = "alloc")]
        BackwardAppend,
    ];

    pub fn is_forward(self) -> bool {
        !matches!(self, Backward | BackwardInplace | BackwardUninit) && !self.is_backward_append()
    }

    fn is_backward_append(self) -> bool {
        #[cfg(feature = "alloc")]
        return self == BackwardAppend;
        #[cfg(not(feature = "alloc"))]
        false
    }
}

/// `$body` with the format's type as `$element`.
macro_rules! with_format {
    ($format:expr, $element:ident => $body:expr) => {
        match $format {
            Format::F32 => {
                type $element = f32;
                $body
            }
            Format::F64 => {
                type $element = f64;
                $body
            }
            #[cfg(feature = "half")]
            Format::F16 => {
                type $element = rectify::f16;
                $body
            }
            #[cfg(feature = "half")]
            Format::Bf16 => {
                type $element = rectify::bf16;
                $body
            }
        }
    };
}

/// A method of the function itself, of `Kernels` or in `parallel`.
macro_rules! call {
    ($way:expr, $function:expr, $method:ident($($argument:expr),+)) => {
        match $way {
            Way::Free => $function.$method($($argument),+),
            Way::Pinned(kernels) => kernels.$method($function, $($argument),+),
            #[cfg(feature = "rayon")]
            Way::Parallel => rectify::parallel::$method($function, $($argument),+),
        }
    };
}

/// A function that is named after ReLU: the free one, the method of `Kernels` or the one in `parallel`.
macro_rules! relu {
    ($way:expr, $function:ident($($argument:expr),+)) => {
        match $way {
            Way::Free => rectify::$function($($argument),+),
            Way::Pinned(kernels) => kernels.$function($($argument),+),
            #[cfg(feature = "rayon")]
            Way::Parallel => rectify::parallel::$function($($argument),+),
        }
    };
}

/// `$value`, which has builder methods for the way.
macro_rules! on {
    ($way:expr, $value:expr) => {
        match $way {
            Way::Free => $value,
            Way::Pinned(kernels) => $value.on(kernels),
            #[cfg(feature = "rayon")]
            Way::Parallel => $value.parallel(),
        }
    };
}

fn cast_slice<A: Pod, T: Pod>(bytes: &[A]) -> &[T] {
    // Nothing has no alignment.
    if bytes.is_empty() {
        &[]
    } else {
        bytemuck::cast_slice(bytes)
    }
}

fn cast_slice_mut<A: Pod, T: Pod>(bytes: &mut [A]) -> &mut [T] {
    if bytes.is_empty() {
        &mut []
    } else {
        bytemuck::cast_slice_mut(bytes)
    }
}

/// From the input x and the gradient g at the output; in place `output` holds the one that is overwritten.
pub fn map(format: Format, way: Way, f: impl Activation, method: Method, [x, g]: [&[u8]; 2], output: &mut [u8]) {
    with_format!(format, T => {
        let (x, g, output) = (cast_slice::<_, T>(x), cast_slice::<_, T>(g), cast_slice_mut::<_, T>(output));
        match method {
            Forward => call!(way, f, forward(x, output)),
            ForwardInplace => call!(way, f, forward_inplace(output)),
            ForwardUninit => _ = call!(way, f, forward_uninit(x, uninit(output))),
            Backward => call!(way, f, backward(x, g, output)),
            BackwardInplace => call!(way, f, backward_inplace(x, output)),
            BackwardUninit => _ = call!(way, f, backward_uninit(x, g, uninit(output))),
            #[cfg(feature = "alloc")]
            ForwardAppend => append(output, |vector| f.forward_append(x, vector)),
            #[cfg(feature = "alloc")]
            BackwardAppend => append(output, |vector| f.backward_append(x, g, vector)),
        }
    });
}

/// The value at one element, or with a gradient at the output the gradient.
pub fn of_one(format: Format, kernels: Kernels, f: AnyActivation, x: u64, g: Option<u64>) -> u64 {
    fn element<T: Pod>(bits: u64) -> T {
        match size_of::<T>() {
            8 => bytemuck::cast(bits),
            4 => bytemuck::cast(bits as u32),
            _ => bytemuck::cast(bits as u16),
        }
    }
    with_format!(format, T => {
        let (x, mut y) = ([element::<T>(x)], [element::<T>(g.unwrap_or(x))]);
        match g {
            None => kernels.forward_inplace(f, &mut y),
            Some(_) => kernels.backward_inplace(f, &x, &mut y),
        }
        format.get(bytemuck::bytes_of(&y), 0)
    })
}

/// The same of a function as users call it: ReLU by its own type, which walks a few elements in the caller.
pub fn map_any(
    format: Format,
    way: Way,
    function: AnyActivation,
    method: Method,
    inputs: [&[u8]; 2],
    output: &mut [u8],
) {
    match function {
        AnyActivation::Relu(relu) => map(format, way, relu, method, inputs, output),
        any => map(format, way, any, method, inputs, output),
    }
}

/// To the output, what was appended.
#[cfg(feature = "alloc")]
fn append<T: Element + Pod>(output: &mut [T], append: impl FnOnce(&mut Vec<T>)) {
    let mut vector = vec![T::zeroed(); 3];
    append(&mut vector);
    assert!(cast_slice::<T, u8>(&vector[..3]).iter().all(|&byte| byte == 0));
    output.copy_from_slice(&vector[3..]);
}

#[allow(unsafe_code)]
fn uninit<T>(output: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: the layout is the same, and only elements are written to it.
    unsafe { &mut *(std::ptr::from_mut(output) as *mut [MaybeUninit<T>]) }
}

/// The functions that are named after ReLU.
pub fn relu(format: Format, way: Way, method: Method, [x, g]: [&[u8]; 2], output: &mut [u8]) {
    with_format!(format, T => {
        let (x, g, output) = (cast_slice::<_, T>(x), cast_slice::<_, T>(g), cast_slice_mut::<_, T>(output));
        match method {
            Forward => relu!(way, relu(x, output)),
            ForwardInplace => relu!(way, relu_inplace(output)),
            Backward => relu!(way, relu_backward(x, g, output)),
            BackwardInplace => relu!(way, relu_backward_inplace(x, output)),
            _ => panic!("no function is named after ReLU's {method:?}"),
        }
    });
}

/// Writes the mask, and returns how many are live; in place without an input.
pub fn forward_mask(
    format: Format,
    way: Way,
    f: impl OneBitGradient,
    input: Option<&[u8]>,
    output: &mut [u8],
    mask: &mut [u8],
) -> usize {
    with_format!(format, T => {
        let output = cast_slice_mut::<_, T>(output);
        match input {
            Some(input) => call!(way, f, forward_mask(cast_slice(input), output, mask)),
            None => call!(way, f, forward_mask_inplace(output, mask)),
        }
    })
}

/// From the mask; in place without a gradient at the output.
pub fn backward_mask(
    format: Format,
    way: Way,
    f: impl OneBitGradient,
    mask: &[u8],
    grad_output: Option<&[u8]>,
    output: &mut [u8],
) {
    with_format!(format, T => {
        let output = cast_slice_mut::<_, T>(output);
        match grad_output {
            Some(grad_output) => call!(way, f, backward_mask(mask, cast_slice(grad_output), output)),
            None => call!(way, f, backward_mask_inplace(mask, output)),
        }
    });
}

/// [`forward_mask`] by the functions that are named after ReLU.
pub fn relu_mask(format: Format, way: Way, input: Option<&[u8]>, output: &mut [u8], mask: &mut [u8]) -> usize {
    with_format!(format, T => {
        let output = cast_slice_mut::<_, T>(output);
        match input {
            Some(input) => relu!(way, relu_mask(cast_slice(input), output, mask)),
            None => relu!(way, relu_mask_inplace(output, mask)),
        }
    })
}

/// [`backward_mask`] by the functions that are named after ReLU.
pub fn relu_backward_mask(format: Format, way: Way, mask: &[u8], grad_output: Option<&[u8]>, output: &mut [u8]) {
    with_format!(format, T => {
        let output = cast_slice_mut::<_, T>(output);
        match grad_output {
            Some(grad_output) => relu!(way, relu_backward_mask(mask, cast_slice(grad_output), output)),
            None => relu!(way, relu_backward_mask_inplace(mask, output)),
        }
    });
}

pub fn count_zeros(format: Format, way: Way, x: &[u8]) -> usize {
    with_format!(format, T => match way {
        Way::Pinned(kernels) => kernels.count_zeros(cast_slice::<_, T>(x)),
        _ => rectify::count_zeros(cast_slice::<_, T>(x)),
    })
}

/// A number for each channel, and how they lie.
pub type ByChannel<'a> = (&'a [u8], Channels);

/// Those of [`Fused`], in the format of the elements or of their sums.
#[derive(Clone, Copy)]
pub struct ChannelNumbers<'a> {
    pub bytes: &'a [u8],
    pub channels: Channels,
    pub are_sums: bool,
}

impl<'a> From<ByChannel<'a>> for ChannelNumbers<'a> {
    /// In the format of the elements.
    fn from((bytes, channels): ByChannel<'a>) -> Self {
        Self {
            bytes,
            channels,
            are_sums: false,
        }
    }
}

/// What [`Fused`] computes before the function.
#[derive(Clone, Copy, Default)]
pub struct Before<'a> {
    pub scale: Option<ChannelNumbers<'a>>,
    pub bias: Option<ChannelNumbers<'a>>,
    pub residual: Option<View<'a>>,
}

impl<'a> Before<'a> {
    /// A bias in the format of the elements, and a residual.
    pub fn added(bias: Option<ByChannel<'a>>, residual: Option<View<'a>>) -> Self {
        Self {
            scale: None,
            bias: bias.map(ChannelNumbers::from),
            residual,
        }
    }
}

/// `$fused` with the numbers, if there are some.
macro_rules! with_numbers {
    ($fused:ident: $T:ty, $method:ident, $numbers:expr) => {
        if let Some(ChannelNumbers {
            bytes,
            channels,
            are_sums,
        }) = $numbers
        {
            $fused = if are_sums {
                $fused.$method::<<$T as Element>::Sum>(cast_slice(bytes), channels)
            } else {
                $fused.$method::<$T>(cast_slice(bytes), channels)
            };
        }
    };
}

/// A sum for each channel, and how they lie.
pub type Sums<'a> = (&'a mut [u8], Channels);

/// In place without an input.
pub fn fused_forward(
    format: Format,
    way: Way,
    f: impl Activation,
    before: Before,
    input: Option<View>,
    output: ViewMut,
) {
    with_format!(format, T => {
        let mut fused = on!(way, Fused::<_, T>::new(f));
        with_numbers!(fused: T, scale, before.scale);
        with_numbers!(fused: T, bias, before.bias);
        if let Some(residual) = before.residual {
            fused = fused.residual(rows(residual));
        }
        match input {
            Some(input) => fused.forward(rows(input), &mut rows_mut(output)),
            None => fused.forward_inplace(&mut rows_mut(output)),
        }
    });
}

/// In place without a gradient at the output; with sums, these are the gradient of the bias.
pub fn fused_backward(
    format: Format,
    way: Way,
    f: impl Activation,
    scale: Option<ChannelNumbers>,
    (input, grad_output): (View, Option<View>),
    output: ViewMut,
    sums: Option<Sums>,
) {
    with_format!(format, T => {
        let mut fused = on!(way, Fused::<_, T>::new(f));
        with_numbers!(fused: T, scale, scale);
        let (input, output) = (rows(input), &mut rows_mut(output));
        match (grad_output.map(rows), sums) {
            (Some(grad_output), None) => fused.backward(input, grad_output, output),
            (None, None) => fused.backward_inplace(input, output),
            (Some(grad_output), Some((sums, channels))) => {
                fused.backward_bias(input, grad_output, output, channels, cast_slice_mut(sums));
            }
            (None, Some((sums, channels))) => {
                fused.backward_bias_inplace(input, output, channels, cast_slice_mut(sums));
            }
        }
    });
}

/// In place without an input.
pub fn prelu(format: Format, way: Way, (slopes, channels): ByChannel, input: Option<View>, output: ViewMut) {
    with_format!(format, T => {
        let prelu = on!(way, PRelu::<T>::new(cast_slice(slopes), channels));
        match input {
            Some(input) => prelu.forward(rows(input), &mut rows_mut(output)),
            None => prelu.forward_inplace(&mut rows_mut(output)),
        }
    });
}

/// In place without a gradient at the output.
pub fn prelu_backward(
    format: Format,
    way: Way,
    (slopes, channels): ByChannel,
    (input, grad_output): (View, Option<View>),
    output: ViewMut,
    grad_slopes: &mut [u8],
) {
    with_format!(format, T => {
        let prelu = on!(way, PRelu::<T>::new(cast_slice(slopes), channels));
        let (input, output, grad_slopes) = (rows(input), &mut rows_mut(output), cast_slice_mut(grad_slopes));
        match grad_output {
            Some(grad_output) => prelu.backward(input, rows(grad_output), output, grad_slopes),
            None => prelu.backward_inplace(input, output, grad_slopes),
        }
    });
}

/// In place without a.
pub fn reglu(format: Format, way: Way, (a, b): (Option<View>, View), output: ViewMut) {
    with_format!(format, T => {
        let (b, output) = (rows::<T>(b), &mut rows_mut::<T>(output));
        match a {
            Some(a) => on!(way, ReGlu::new()).forward(rows(a), b, output),
            None => on!(way, ReGlu::new()).forward_inplace(output, b),
        }
    });
}

pub fn reglu_backward(format: Format, way: Way, [a, b, grad_output]: [View; 3], [grad_a, grad_b]: [ViewMut; 2]) {
    with_format!(format, T => {
        let (a, b, grad_output) = (rows::<T>(a), rows(b), rows(grad_output));
        on!(way, ReGlu::new()).backward(a, b, grad_output, &mut rows_mut(grad_a), &mut rows_mut(grad_b));
    });
}

/// In place without a.
#[cfg(feature = "smooth")]
pub fn gated(format: Format, way: Way, f: AnyActivation, (a, b): (Option<View>, View), output: ViewMut) {
    with_format!(format, T => {
        let (b, output) = (rows::<T>(b), &mut rows_mut::<T>(output));
        match a {
            Some(a) => on!(way, Gated::of(f)).forward(rows(a), b, output),
            None => on!(way, Gated::of(f)).forward_inplace(output, b),
        }
    });
}

#[cfg(feature = "smooth")]
pub fn gated_backward(
    format: Format,
    way: Way,
    f: AnyActivation,
    [a, b, grad_output]: [View; 3],
    [grad_a, grad_b]: [ViewMut; 2],
) {
    with_format!(format, T => {
        let (a, b, grad_output) = (rows::<T>(a), rows(b), rows(grad_output));
        on!(way, Gated::of(f)).backward(a, b, grad_output, &mut rows_mut(grad_a), &mut rows_mut(grad_b));
    });
}

pub fn crelu(format: Format, way: Way, input: View, [positive, negative]: [ViewMut; 2]) {
    with_format!(format, T => {
        on!(way, Crelu::new()).forward(rows::<T>(input), &mut rows_mut(positive), &mut rows_mut(negative));
    });
}

pub fn crelu_backward(format: Format, way: Way, [input, grad_positive, grad_negative]: [View; 3], grad_input: ViewMut) {
    with_format!(format, T => {
        let (grad_positive, grad_negative) = (rows(grad_positive), rows(grad_negative));
        on!(way, Crelu::new()).backward(rows::<T>(input), grad_positive, grad_negative, &mut rows_mut(grad_input));
    });
}

fn rows<T: Element + Pod>(view: View<'_>) -> Rows<'_, T> {
    Rows::with_stride(cast_slice(view.bytes), view.columns, view.stride)
}

fn rows_mut<T: Element + Pod>(view: ViewMut<'_>) -> RowsMut<'_, T> {
    RowsMut::with_stride(cast_slice_mut(view.bytes), view.columns, view.stride)
}
