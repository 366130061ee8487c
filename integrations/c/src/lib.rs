//! The activation functions of `rectify` for C and C++. `rectify.h` is made of this file.
//!
//! No function unwinds. What is refused leaves the output as it is.

// The names are those of C, and so are the contracts: pointers can be read or written as far as the lengths say.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use rectify::*;

/// What a call returns: 0 if it has done its work.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rectify_status {
    Ok = 0,
    /// A pointer is NULL, and the length isn't 0.
    Null = 1,
    /// A pointer isn't aligned to its elements.
    Misaligned = 2,
    /// The output overlaps an input, and isn't equal to one that may be overwritten.
    Overlap = 3,
    /// The length in bytes is more than an allocation can have.
    TooLong = 4,
    /// There is no such kind or name of a function.
    UnknownFunction = 5,
    /// The function can't have these parameters.
    InvalidParameter = 6,
    /// The channels don't divide the length.
    InvalidShape = 7,
    /// The CPU or this build doesn't have the instruction set.
    UnsupportedIsa = 8,
    /// A fault of this library.
    Internal = 9,
}

/// The kind of a function. Its parameters, if it has any, are those of PyTorch, in this order.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rectify_kind {
    Relu = 0,
    /// max
    ClippedRelu = 1,
    /// alpha, beta
    HardSigmoid = 2,
    HardSwish = 3,
    /// lambda
    Hardshrink = 4,
    /// min, max
    Hardtanh = 5,
    /// negative_slope
    LeakyRelu = 6,
    SquaredRelu = 7,
    /// alpha, the threshold
    ThresholdedRelu = 8,
    /// alpha
    Celu = 9,
    /// alpha
    Elu = 10,
    Gelu = 11,
    GeluTanh = 12,
    LogSigmoid = 13,
    Mish = 14,
    Selu = 15,
    Sigmoid = 16,
    Silu = 17,
    /// beta
    Softplus = 18,
    /// lambda
    Softshrink = 19,
    Softsign = 20,
    /// beta; 1.702 is quick GELU
    Swish = 21,
    Tanh = 22,
    Tanhshrink = 23,
}

/// A function.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct rectify_function {
    /// A `rectify_kind`.
    pub kind: u32,
    /// Those that the kind doesn't have are not looked at.
    pub parameters: [f64; 2],
}

/// An instruction set.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rectify_isa {
    Scalar = 0,
    Portable = 1,
    Neon = 2,
    Avx2 = 3,
    Avx512 = 4,
}

impl rectify_function {
    /// The function, if there is one.
    #[doc(hidden)]
    pub fn activation(self) -> Result<AnyActivation, rectify_status> {
        use rectify_kind as kind;

        let [first, second] = self.parameters;
        macro_rules! match_kind {
            ($($name:ident $(($($parameter:ident),+))?,)+) => {
                match self.kind {
                    $(
                        number if number == kind::$name as u32 => match_kind!(@new $name $(($($parameter),+))?),
                    )+
                    _ => Err(rectify_status::UnknownFunction),
                }
            };
            (@new $name:ident) => {
                Ok($name.into())
            };
            (@new $name:ident ($($parameter:ident),+)) => {
                match $name::try_new($($parameter),+) {
                    Ok(function) => Ok(function.into()),
                    Err(_) => Err(rectify_status::InvalidParameter),
                }
            };
        }
        match_kind! {
            Relu, ClippedRelu(first), HardSigmoid(first, second), HardSwish, Hardshrink(first), Hardtanh(first, second),
            LeakyRelu(first), SquaredRelu, ThresholdedRelu(first), Celu(first), Elu(first), Gelu, GeluTanh, LogSigmoid,
            Mish, Selu, Sigmoid, Silu, Softplus(first), Softshrink(first), Softsign, Swish(first), Tanh, Tanhshrink,
        }
    }
}

/// Returns a message for a status, in English.
#[unsafe(no_mangle)]
pub extern "C" fn rectify_status_message(status: u32) -> *const c_char {
    let message = match status {
        0 => c"ok",
        1 => c"a pointer is NULL",
        2 => c"a pointer is not aligned to its elements",
        3 => c"the output overlaps an input",
        4 => c"the length is more than memory can have",
        5 => c"no such function",
        6 => c"a parameter that the function can't have",
        7 => c"the channels don't divide the length",
        8 => c"the instruction set is not available",
        9 => c"a fault of rectify",
        _ => c"no such status",
    };
    message.as_ptr()
}

/// Writes the function of a name in PyTorch or ONNX, such as "gelu", with its default parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_function_by_name(
    name: *const c_char,
    function: *mut rectify_function,
) -> rectify_status {
    guarded(|| {
        if name.is_null() || function.is_null() {
            return Err(rectify_status::Null);
        }
        // SAFETY: it is a string of C, which ends with 0.
        let name = unsafe { CStr::from_ptr(name) };
        let named: AnyActivation = name
            .to_str()
            .ok()
            .and_then(|name| name.parse().ok())
            .ok_or(rectify_status::UnknownFunction)?;
        let found = descriptors().find(|function| function.activation() == Ok(named));
        // SAFETY: it isn't NULL, and so can be written.
        unsafe { function.write(found.ok_or(rectify_status::UnknownFunction)?) };
        Ok(())
    })
}

/// Each kind with the parameters that are the default of some name.
fn descriptors() -> impl Iterator<Item = rectify_function> {
    let parameters = [
        [0.01, 0.0],
        [6.0, 0.0],
        [-1.0, 1.0],
        [0.2, 0.5],
        [1.0 / 6.0, 0.5],
        [0.5, 0.0],
        [1.0, 0.0],
        [1.702, 0.0],
    ];
    let kinds = 0..=rectify_kind::Tanhshrink as u32;
    kinds.flat_map(move |kind| parameters.map(|parameters| rectify_function { kind, parameters }))
}

static ISA: AtomicU32 = AtomicU32::new(u32::MAX);

/// Returns the instruction set that calls run on: the best one that the CPU has, at most that of the environment variable
/// RECTIFY_MAX_ISA, or the one that was set.
#[unsafe(no_mangle)]
pub extern "C" fn rectify_current_isa() -> rectify_isa {
    isa_to_c(kernels().isa())
}

/// Whether an instruction set is available: the CPU and this build have it.
#[unsafe(no_mangle)]
pub extern "C" fn rectify_isa_is_available(isa: u32) -> bool {
    isa_from_c(isa).is_some_and(Isa::is_available)
}

/// Sets the instruction set that all later calls run on, in each thread. The results are the same bits on each.
#[unsafe(no_mangle)]
pub extern "C" fn rectify_set_isa(isa: u32) -> rectify_status {
    if !rectify_isa_is_available(isa) {
        return rectify_status::UnsupportedIsa;
    }
    ISA.store(isa, Ordering::Relaxed);
    rectify_status::Ok
}

const ISAS: [(rectify_isa, Isa); 5] = [
    (rectify_isa::Scalar, Isa::Scalar),
    (rectify_isa::Portable, Isa::Portable),
    (rectify_isa::Neon, Isa::Neon),
    (rectify_isa::Avx2, Isa::Avx2),
    (rectify_isa::Avx512, Isa::Avx512),
];

fn isa_from_c(number: u32) -> Option<Isa> {
    let found = ISAS.into_iter().find(|&(isa, _)| isa as u32 == number);
    found.map(|(_, isa)| isa)
}

fn isa_to_c(isa: Isa) -> rectify_isa {
    let found = ISAS.into_iter().find(|&(_, other)| other == isa);
    found.map_or(rectify_isa::Scalar, |(isa, _)| isa)
}

fn kernels() -> Kernels {
    let isa = isa_from_c(ISA.load(Ordering::Relaxed));
    isa.and_then(|isa| Kernels::new(isa).ok()).unwrap_or_else(Kernels::best)
}

/// Turns a panic, which would be a fault here, into a status.
fn guarded(call: impl FnOnce() -> Result<(), rectify_status>) -> rectify_status {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => rectify_status::Ok,
        Ok(Err(status)) => status,
        Err(_) => rectify_status::Internal,
    }
}

/// Checks a pointer to `len` elements.
fn check<T>(pointer: *const T, len: usize) -> Result<(), rectify_status> {
    if len == 0 {
        return Ok(());
    }
    if pointer.is_null() {
        return Err(rectify_status::Null);
    }
    if !pointer.is_aligned() {
        return Err(rectify_status::Misaligned);
    }
    if len > isize::MAX as usize / size_of::<T>() {
        return Err(rectify_status::TooLong);
    }
    Ok(())
}

/// Checks that memory of `len` and `other_len` elements has no byte in common.
fn check_apart<T>(pointer: *const T, len: usize, other: *const T, other_len: usize) -> Result<(), rectify_status> {
    let (start, other_start) = (pointer.addr(), other.addr());
    let ends = (
        start.wrapping_add(len * size_of::<T>()),
        other_start.wrapping_add(other_len * size_of::<T>()),
    );
    if len == 0 || other_len == 0 || ends.0 <= other_start || ends.1 <= start {
        return Ok(());
    }
    Err(rectify_status::Overlap)
}

/// `len` elements at a checked pointer.
///
/// # Safety
///
/// They can be read for `'a`, and the pointer was checked.
unsafe fn slice<'a, T>(pointer: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: they can be read, the pointer is not NULL and is aligned, and the length is one of memory: this function's contract.
    unsafe { std::slice::from_raw_parts(pointer, len) }
}

/// `len` elements at a checked pointer.
///
/// # Safety
///
/// They can be read and written for `'a` by this slice alone, and the pointer was checked.
unsafe fn slice_mut<'a, T>(pointer: *mut T, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: as in `slice`, and exclusive: this function's contract.
    unsafe { std::slice::from_raw_parts_mut(pointer, len) }
}

/// # Safety
///
/// That of [`rectify_forward_f32`].
unsafe fn forward<T: Element>(
    function: rectify_function,
    input: *const T,
    output: *mut T,
    len: usize,
) -> rectify_status {
    guarded(|| {
        let activation = function.activation()?;
        check(input, len)?;
        check(output, len)?;
        if input == output.cast_const() {
            // SAFETY: the caller promises that it can be written; checked above.
            kernels().forward_inplace(activation, unsafe { slice_mut(output, len) });
            return Ok(());
        }
        check_apart(input, len, output, len)?;
        // SAFETY: the caller promises that they can be read and written; checked above, and apart.
        let (input, output) = unsafe { (slice(input, len), slice_mut(output, len)) };
        kernels().forward(activation, input, output);
        Ok(())
    })
}

/// # Safety
///
/// That of [`rectify_backward_f32`].
unsafe fn backward<T: Element>(
    function: rectify_function,
    input: *const T,
    grad_output: *const T,
    grad_input: *mut T,
    len: usize,
) -> rectify_status {
    guarded(|| {
        let activation = function.activation()?;
        check(input, len)?;
        check(grad_output, len)?;
        check(grad_input, len)?;
        check_apart(input, len, grad_input, len)?;
        // SAFETY: the caller promises that it can be read; checked above, and apart from what is written.
        let input = unsafe { slice(input, len) };
        if grad_output == grad_input.cast_const() {
            // SAFETY: the caller promises that it can be written; checked above.
            kernels().backward_inplace(activation, input, unsafe { slice_mut(grad_input, len) });
            return Ok(());
        }
        check_apart(grad_output, len, grad_input, len)?;
        // SAFETY: as for the input, and exclusive what is written.
        let (grad_output, grad_input) = unsafe { (slice(grad_output, len), slice_mut(grad_input, len)) };
        kernels().backward(activation, input, grad_output, grad_input);
        Ok(())
    })
}

/// The operands of a fused pass.
struct Operands<T> {
    input: *const T,
    scale: *const T,
    bias: *const T,
    channels: usize,
    spatial: usize,
    residual: *const T,
    output: *mut T,
    len: usize,
}

/// # Safety
///
/// That of [`rectify_fused_f32`].
unsafe fn fused<T: Element>(function: rectify_function, operands: Operands<T>) -> rectify_status {
    let Operands {
        input,
        scale,
        bias,
        channels,
        spatial,
        residual,
        output,
        len,
    } = operands;
    guarded(|| {
        let mut fused = Fused::new(function.activation()?).on(kernels());
        check(input, len)?;
        check(output, len)?;
        let layout = if spatial == 0 {
            Channels::Last
        } else {
            Channels::First { spatial }
        };
        if !scale.is_null() {
            check(scale, channels)?;
            check_apart(scale, channels, output, len)?;
            // SAFETY: the caller promises that it can be read; checked above, and apart from what is written.
            fused = fused.scale(unsafe { slice(scale, channels) }, layout);
        }
        if !bias.is_null() {
            check(bias, channels)?;
            check_apart(bias, channels, output, len)?;
            // SAFETY: as for the scale.
            fused = fused.bias(unsafe { slice(bias, channels) }, layout);
        }
        if !residual.is_null() {
            check(residual, len)?;
            check_apart(residual, len, output, len)?;
            // SAFETY: as for the scale.
            fused = fused.residual(unsafe { slice(residual, len) });
        }
        let is_inplace = input == output.cast_const();
        if !is_inplace {
            check_apart(input, len, output, len)?;
        }
        // SAFETY: the caller promises that it can be written; checked above, and apart from what is read.
        let output = unsafe { slice_mut(output, len) };
        let result = if is_inplace {
            fused.try_forward_inplace(output)
        } else {
            // SAFETY: as for the scale.
            fused.try_forward(unsafe { slice(input, len) }, output)
        };
        result.map_err(|_| rectify_status::InvalidShape)
    })
}

/// output[i] = f(input[i]). In-place if the pointers are equal; else they don't overlap.
///
/// `input` can be read and `output` written for `len` elements, and so in the functions below. A pointer that is NULL or not
/// aligned, or an overlap, is a status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_forward_f32(
    function: rectify_function,
    input: *const f32,
    output: *mut f32,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract.
    unsafe { forward(function, input, output, len) }
}

/// rectify_forward_f32 of double.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_forward_f64(
    function: rectify_function,
    input: *const f64,
    output: *mut f64,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract.
    unsafe { forward(function, input, output, len) }
}

/// rectify_forward_f32 of IEEE half precision, by its bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_forward_f16(
    function: rectify_function,
    input: *const u16,
    output: *mut u16,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract; `f16` is transparent.
    unsafe { forward::<f16>(function, input.cast(), output.cast(), len) }
}

/// rectify_forward_f32 of bfloat16, by its bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_forward_bf16(
    function: rectify_function,
    input: *const u16,
    output: *mut u16,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract; `bf16` is transparent.
    unsafe { forward::<bf16>(function, input.cast(), output.cast(), len) }
}

/// grad_input[i] = f'(input[i]) * grad_output[i]. In-place if `grad_input` equals `grad_output`; else they don't overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_backward_f32(
    function: rectify_function,
    input: *const f32,
    grad_output: *const f32,
    grad_input: *mut f32,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract.
    unsafe { backward(function, input, grad_output, grad_input, len) }
}

/// rectify_backward_f32 of double.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_backward_f64(
    function: rectify_function,
    input: *const f64,
    grad_output: *const f64,
    grad_input: *mut f64,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract.
    unsafe { backward(function, input, grad_output, grad_input, len) }
}

/// rectify_backward_f32 of IEEE half precision, by its bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_backward_f16(
    function: rectify_function,
    input: *const u16,
    grad_output: *const u16,
    grad_input: *mut u16,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract; `f16` is transparent.
    unsafe { backward::<f16>(function, input.cast(), grad_output.cast(), grad_input.cast(), len) }
}

/// rectify_backward_f32 of bfloat16, by its bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_backward_bf16(
    function: rectify_function,
    input: *const u16,
    grad_output: *const u16,
    grad_input: *mut u16,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract; `bf16` is transparent.
    unsafe { backward::<bf16>(function, input.cast(), grad_output.cast(), grad_input.cast(), len) }
}

/// output = f((input * scale[channel] + bias[channel]) + residual), in one pass.
///
/// `scale` and `bias` have `channels` elements and `residual` `len`; each may be NULL. With a `spatial` of 0 channels come last
/// (NHWC): the channel of element i is i % channels. Else they come first (NCHW): it is i / spatial % channels.
///
/// In-place if `output` equals `input`; else the output overlaps nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_fused_f32(
    function: rectify_function,
    input: *const f32,
    scale: *const f32,
    bias: *const f32,
    channels: usize,
    spatial: usize,
    residual: *const f32,
    output: *mut f32,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract.
    unsafe {
        fused(
            function,
            Operands {
                input,
                scale,
                bias,
                channels,
                spatial,
                residual,
                output,
                len,
            },
        )
    }
}

/// rectify_fused_f32 of double.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_fused_f64(
    function: rectify_function,
    input: *const f64,
    scale: *const f64,
    bias: *const f64,
    channels: usize,
    spatial: usize,
    residual: *const f64,
    output: *mut f64,
    len: usize,
) -> rectify_status {
    // SAFETY: the same contract.
    unsafe {
        fused(
            function,
            Operands {
                input,
                scale,
                bias,
                channels,
                spatial,
                residual,
                output,
                len,
            },
        )
    }
}

/// rectify_fused_f32 of IEEE half precision, by its bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_fused_f16(
    function: rectify_function,
    input: *const u16,
    scale: *const u16,
    bias: *const u16,
    channels: usize,
    spatial: usize,
    residual: *const u16,
    output: *mut u16,
    len: usize,
) -> rectify_status {
    let (input, scale, bias) = (input.cast(), scale.cast(), bias.cast());
    let (residual, output) = (residual.cast(), output.cast());
    // SAFETY: the same contract; `f16` is transparent.
    unsafe {
        fused::<f16>(
            function,
            Operands {
                input,
                scale,
                bias,
                channels,
                spatial,
                residual,
                output,
                len,
            },
        )
    }
}

/// rectify_fused_f32 of bfloat16, by its bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rectify_fused_bf16(
    function: rectify_function,
    input: *const u16,
    scale: *const u16,
    bias: *const u16,
    channels: usize,
    spatial: usize,
    residual: *const u16,
    output: *mut u16,
    len: usize,
) -> rectify_status {
    let (input, scale, bias) = (input.cast(), scale.cast(), bias.cast());
    let (residual, output) = (residual.cast(), output.cast());
    // SAFETY: the same contract; `bf16` is transparent.
    unsafe {
        fused::<bf16>(
            function,
            Operands {
                input,
                scale,
                bias,
                channels,
                spatial,
                residual,
                output,
                len,
            },
        )
    }
}
