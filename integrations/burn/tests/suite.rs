//! The results beside those of the crate on slices, and beside burn's own.

use burn::tensor::{DType, Device, ElementConversion, Tensor, TensorData, activation};
use burn_flex::{Flex, FlexTensor, Layout};
use rectify::*;
use rectify_burn::{Activate, ActivationBackend, GradientBackend};

struct Function {
    function: AnyActivation,
    own: fn(Tensor<3>) -> Tensor<3>,
    /// Where it goes from one formula to another.
    kinks: &'static [f64],
    /// How far burn's own is from the exact one in `f64`.
    own_error: f64,
}

fn functions() -> Vec<Function> {
    fn of(function: impl Into<AnyActivation>, kinks: &'static [f64], own: fn(Tensor<3>) -> Tensor<3>) -> Function {
        let function = function.into();
        Function {
            function,
            own,
            kinks,
            own_error: 1e-12,
        }
    }
    /// burn computes these in `f32`, in `f64` too.
    fn in_f32(function: Function) -> Function {
        Function {
            own_error: 1e-6,
            ..function
        }
    }
    let functions = vec![
        of(Relu, &[0.0], activation::relu),
        of(ClippedRelu::RELU6, &[0.0, 6.0], activation::relu6),
        of(Hardtanh::default(), &[-1.0, 1.0], |x| {
            activation::hardtanh(x, -1.0, 1.0)
        }),
        of(ThresholdedRelu::default(), &[1.0], |x| {
            activation::thresholded_relu(x, 1.0)
        }),
        of(Hardshrink::default(), &[-0.5, 0.5], |x| activation::hard_shrink(x, 0.5)),
        of(LeakyRelu::new(0.2), &[0.0], |x| activation::leaky_relu(x, 0.2)),
        of(SquaredRelu, &[0.0], |x| {
            let y = activation::relu(x);
            y.clone() * y
        }),
        in_f32(of(HardSigmoid::default(), &[-3.0, 3.0], |x| {
            activation::hard_sigmoid(x, 1.0 / 6.0, 0.5)
        })),
        in_f32(of(HardSwish, &[-3.0, 3.0], activation::hard_swish)),
        of(Sigmoid, &[], activation::sigmoid),
        of(Tanh, &[], activation::tanh),
        of(Silu, &[], activation::silu),
        of(Swish::QUICK_GELU, &[], |x| x.clone() * activation::sigmoid(x * 1.702)),
        of(Gelu, &[], activation::gelu),
        of(GeluTanh, &[], activation::gelu_approximate),
        of(Elu::new(1.5), &[0.0], |x| activation::elu(x, 1.5)),
        of(Selu, &[0.0], activation::selu),
        of(Celu::new(2.0), &[0.0], |x| activation::celu(x, 2.0)),
        of(Mish, &[], activation::mish),
        of(Softplus::new(2.0), &[], |x| activation::softplus(x, 2.0)),
        of(LogSigmoid, &[], activation::log_sigmoid),
        of(Softsign, &[], activation::softsign),
        of(Softshrink::default(), &[-0.5, 0.5], |x| activation::soft_shrink(x, 0.5)),
        of(Tanhshrink, &[], activation::tanhshrink),
    ];
    for name in AnyActivation::NAMES {
        assert!(
            functions.iter().any(|function| function.function.name() == *name),
            "no {name}"
        );
    }
    functions
}

/// A type of elements, by its bits.
trait Format: rectify::Element + burn::tensor::Element + bytemuck::Pod {
    const EPSILON: f64;

    fn bits(self) -> u64;

    fn number(self) -> f64;

    fn of(number: f64) -> Self {
        number.elem()
    }

    const TYPE: DType;
}

macro_rules! formats {
    ($($name:ty: $dtype:ident, $digits:literal;)+) => {
        $(
            impl Format for $name {
                const EPSILON: f64 = 1.0 / (1u64 << $digits) as f64;

                const TYPE: DType = DType::$dtype;

                fn bits(self) -> u64 {
                    self.to_bits().into()
                }

                fn number(self) -> f64 {
                    self.into()
                }
            }
        )+
    };
}
formats! {
    f32: F32, 23;
    f64: F64, 52;
    rectify::f16: F16, 10;
    rectify::bf16: BF16, 7;
}

/// Calls a generic function for each format.
macro_rules! for_each_format {
    ($name:ident($($argument:expr),*)) => {
        $name::<f32>($($argument),*);
        $name::<f64>($($argument),*);
        $name::<rectify::f16>($($argument),*);
        $name::<rectify::bf16>($($argument),*);
    };
}

const SHAPE: [usize; 3] = [9, 7, 200];

/// Random numbers, with special ones among them.
fn numbers<T: Format>(seed: u64) -> Vec<T> {
    const SPECIAL: [f64; 8] = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 3.0, -3.0, 1e-7];
    let mut random = fastrand::Rng::with_seed(seed);
    let mut number = || match random.usize(..64) {
        i if i < SPECIAL.len() => SPECIAL[i],
        _ => (random.f64() - 0.5) * 20.0,
    };
    (0..SHAPE.iter().product()).map(|_| T::of(number())).collect()
}

fn tensor<T: Format>(numbers: &[T], shape: [usize; 3], device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (device, T::TYPE))
}

fn flat<T: Format>(tensor: &Tensor<3>) -> Vec<T> {
    let data = tensor.to_data();
    assert_eq!(data.dtype(), T::TYPE);
    data.try_to_vec().unwrap()
}

fn bits<T: Format>(elements: &[T]) -> Vec<u64> {
    elements.iter().map(|x| x.bits()).collect()
}

type View = fn(Tensor<3>) -> Tensor<3>;

const VIEWS: &[(&str, View)] = &[
    ("contiguous", |x| x),
    ("offset", |x| x.narrow(0, 4, 3)),
    ("columns", |x| x.narrow(2, 3, 190)),
    ("transposed", |x| x.swap_dims(0, 2)),
    ("permuted", |x| x.permute([2, 0, 1])),
    ("narrow and permuted", |x| x.narrow(2, 5, 64).permute([1, 2, 0])),
    ("flipped", |x| x.flip([0, 2])),
    ("broadcast", |x| x.narrow(1, 2, 1).expand([9, 5, 200])),
];

#[test]
fn bits_of_values_and_gradients() {
    fn check<T: Format>(function: AnyActivation, device: &Device) {
        for (layout, view) in VIEWS {
            let what = format!("{} of {layout} in {:?}", function.name(), T::TYPE);
            let base = tensor(&numbers::<T>(1), SHAPE, device);
            let x = flat::<T>(&view(base.clone()));
            let mut expected = x.clone();
            function.forward_inplace(&mut expected);
            // Of memory that another tensor has too, and of its own.
            let shared = view(base.clone()).activate(function);
            assert_eq!(bits(&flat::<T>(&shared)), bits(&expected), "{what}");
            assert_eq!(bits(&flat::<T>(&base)), bits(&numbers::<T>(1)), "{what}");
            let own = view(tensor(&numbers::<T>(1), SHAPE, device)).activate(function);
            assert_eq!(bits(&flat::<T>(&own)), bits(&expected), "{what}");

            let base = tensor(&numbers::<T>(1), SHAPE, &device.clone().autodiff()).require_grad();
            let input = view(base.clone());
            let y = input.activate(function);
            assert_eq!(bits(&flat::<T>(&y.clone().inner())), bits(&expected), "{what}");
            if *layout == "broadcast" {
                continue;
            }
            // A gradient of 1 at each output.
            let gradient = base.grad(&y.backward()).unwrap();
            let mut expected = vec![T::of(1.0); x.len()];
            function.backward_inplace(&x, &mut expected);
            // Where the elements of the view are; the others have a gradient of 0.
            assert_eq!(
                bits(&flat::<T>(&view(gradient))),
                bits(&expected),
                "the gradient of {what}"
            );
        }
    }
    for device in [Device::flex()] {
        for function in functions() {
            for_each_format!(check(function.function, &device));
        }
    }
}

/// Where the elements are in the storage, in the order of their indices.
fn places(tensor: &FlexTensor) -> impl Iterator<Item = usize> {
    let [planes, rows, columns] = tensor.layout().shape().dims();
    let indices = (0..planes * rows * columns).map(move |i| [i / (rows * columns), i / columns % rows, i % columns]);
    indices.map(|index| tensor.layout().index(&index))
}

fn elements<T: Format>(tensor: &FlexTensor) -> Vec<T> {
    places(tensor).map(|place| tensor.storage::<T>()[place]).collect()
}

/// Values and gradients of Flex's own tensors: each layout with each other one, and storages of one tensor and of two.
#[test]
fn layouts() {
    const DIMS: [usize; 3] = [4, 5, 40];
    /// The length of a storage, the strides and the offset; whether each element is there once.
    const LAYOUTS: [(usize, [isize; 3], usize, bool); 7] = [
        (800, [200, 40, 1], 0, true),
        (800, [1, 160, 4], 0, true),
        (2000, [400, 80, 1], 60, true),
        (2000, [-400, 80, -2], 1598, true),
        (1, [0, 0, 0], 0, false),
        (200, [0, 40, 1], 0, false),
        (2000, [100, 7, 1], 3, false),
    ];
    fn check<T: Format>(function: AnyActivation) {
        let all = [1, 2].map(numbers::<T>);
        let make = |which: usize, (len, strides, offset, _): (usize, [isize; 3], usize, bool)| {
            let data = TensorData::new(all[which][..len].to_vec(), [len]);
            FlexTensor::from_data(data).with_layout(Layout::new(DIMS.into(), strides.into(), offset))
        };
        for layout in LAYOUTS {
            let what = format!("{} of {layout:?} in {:?}", function.name(), T::TYPE);
            let x = make(0, layout);
            let inputs = elements::<T>(&x);
            let mut expected = inputs.clone();
            function.forward_inplace(&mut expected);
            let shared = Flex::activate(x.clone(), function);
            assert_eq!(bits(&elements::<T>(&shared)), bits(&expected), "{what}");
            assert_eq!(bits(x.storage::<T>()), bits(&all[0][..layout.0]), "{what}");
            let own = Flex::activate(make(0, layout), function);
            assert_eq!(bits(&elements::<T>(&own)), bits(&expected), "{what}");

            for grad_layout in LAYOUTS {
                let (len, _, _, is_distinct) = grad_layout;
                let what = format!("the gradient of {what}, {grad_layout:?}");
                let grad = make(1, grad_layout);
                let mut expected = elements::<T>(&grad);
                function.backward_inplace(&inputs, &mut expected);
                let shared = Flex::gradient(x.clone(), grad.clone(), function);
                assert_eq!(bits(&elements::<T>(&shared)), bits(&expected), "{what}");
                assert_eq!(bits(grad.storage::<T>()), bits(&all[1][..len]), "{what}");

                let start = grad.storage::<T>().as_ptr();
                let own = Flex::gradient(x.clone(), grad, function);
                assert_eq!(bits(&elements::<T>(&own)), bits(&expected), "{what}");
                // It is overwritten, and nothing between its elements.
                assert_eq!(own.storage::<T>().as_ptr() == start, is_distinct, "{what}");
                if is_distinct {
                    let mut storage = all[1][..len].to_vec();
                    for (place, &x) in places(&own).zip(&expected) {
                        storage[place] = x;
                    }
                    assert_eq!(bits(own.storage::<T>()), bits(&storage), "{what}");
                }
            }
        }
    }
    for function in functions() {
        for_each_format!(check(function.function));
    }
}

#[test]
fn beside_own() {
    for function in functions() {
        for_each_format!(near_own(&function, Device::flex().autodiff()));
        // Values that are computed again.
        near_own::<f32>(&function, Device::flex().autodiff().gradient_checkpointing());
    }
}

fn near_own<T: Format>(function: &Function, device: Device) {
    let apart = |x: &T| function.kinks.iter().all(|kink| (x.number() - kink).abs() > 0.01);
    let x: Vec<T> = (-2000..2000)
        .map(|i| T::of(f64::from(i) * 0.004 + 0.0011))
        .filter(apart)
        .collect();
    let weights: Vec<T> = x.iter().map(|x| T::of(1.5 + (3.0 * x.number()).sin())).collect();
    let run = |x: Tensor<3>, weights: Tensor<3>, f: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x = x.require_grad();
        // Gradient checkpointing computes the sum again, and for the square y.
        let y = f(x.clone() * 0.5 + x.clone() * 0.5);
        let gradient = x.grad(&(y.clone() * y.clone() * weights).sum().backward()).unwrap();
        [y.inner(), gradient]
    };
    let shape = [1, 1, x.len()];
    let ours = run(tensor(&x, shape, &device), tensor(&weights, shape, &device), &|x| {
        x.activate(function.function)
    });
    let exact = |numbers: &[T]| -> Tensor<3> {
        let numbers: Vec<f64> = numbers.iter().map(|x| x.number()).collect();
        tensor(&numbers, shape, &device)
    };
    let own = run(exact(&x), exact(&weights), &function.own);
    for (what, (ours, own)) in ["the value", "the gradient"].into_iter().zip(ours.iter().zip(&own)) {
        for (i, (ours, own)) in flat::<T>(ours).into_iter().zip(flat::<f64>(own)).enumerate() {
            let bound = 16.0 * (T::EPSILON + function.own_error) * own.abs().max(1.0);
            let error = (ours.number() - own).abs();
            let name = function.function.name();
            assert!(
                error <= bound,
                "{what} of {name} in {:?} at {:?}: {ours:?} for {own}",
                T::TYPE,
                x[i]
            );
        }
    }
}

/// What README lists: the function, x, burn's value and gradient, and ours.
const DIFFERENT: &[&str] = &[
    "ClippedRelu(0): 0.000e0, 1.000e0; 0.000e0, 0.000e0",
    "ClippedRelu(6): 6.000e0, 1.000e0; 6.000e0, 0.000e0",
    "Hardtanh(1): 1.000e0, 1.000e0; 1.000e0, 0.000e0",
    "LeakyRelu(0): 0.000e0, 1.000e0; 0.000e0, 2.000e-1",
    "HardSigmoid(3): 1.000e0, 1.667e-1; 1.000e0, 0.000e0",
    "HardSigmoid(-3): 0.000e0, 1.667e-1; 0.000e0, 0.000e0",
    "HardSwish(-inf): NaN, 0.000e0; 0.000e0, 0.000e0",
    "HardSwish(3): 3.000e0, 1.500e0; 3.000e0, 1.000e0",
    "HardSwish(-3): -0.000e0, -5.000e-1; 0.000e0, 0.000e0",
    "Sigmoid(100): 1.000e0, 0.000e0; 1.000e0, 3.784e-44",
    "Tanh(6): 1.000e0, 2.456e-5; 1.000e0, 2.458e-5",
    "Tanh(-6.5): -1.000e0, 9.060e-6; -1.000e0, 9.041e-6",
    "Tanh(-20): -1.000e0, 0.000e0; -1.000e0, 1.699e-17",
    "Silu(inf): inf, NaN; inf, 1.000e0",
    "Silu(-inf): NaN, NaN; -0.000e0, 0.000e0",
    "Silu(-100): -3.784e-42, -3.746e-42; -3.720e-42, -3.683e-42",
    "Swish(inf): inf, NaN; inf, 1.000e0",
    "Swish(-inf): NaN, NaN; -0.000e0, 0.000e0",
    "Gelu(inf): inf, NaN; inf, 1.000e0",
    "Gelu(-inf): NaN, NaN; -0.000e0, 0.000e0",
    "Gelu(-6.5): -0.000e0, -1.735e-9; -2.610e-10, -1.695e-9",
    "GeluTanh(inf): inf, NaN; inf, 1.000e0",
    "GeluTanh(-inf): NaN, NaN; -0.000e0, 0.000e0",
    "GeluTanh(-6.5): -0.000e0, 0.000e0; -6.278e-13, -6.583e-12",
    "Elu(inf): inf, NaN; inf, 1.000e0",
    "Elu(100): 1.000e2, NaN; 1.000e2, 1.000e0",
    "Elu(-0.000000001): 0.000e0, 1.500e0; -1.500e-9, 1.500e0",
    "Selu(inf): inf, NaN; inf, 1.051e0",
    "Selu(0): 0.000e0, 1.051e0; 0.000e0, 1.758e0",
    "Selu(100): 1.051e2, NaN; 1.051e2, 1.051e0",
    "Selu(-0.000000001): 0.000e0, 1.758e0; -1.758e-9, 1.758e0",
    "Celu(inf): inf, NaN; inf, 1.000e0",
    "Celu(-0.000000001): 0.000e0, 1.000e0; -1.000e-9, 1.000e0",
    "Mish(inf): inf, NaN; inf, 1.000e0",
    "Mish(-inf): NaN, NaN; -0.000e0, 0.000e0",
    "Mish(-100): -3.784e-42, -3.746e-42; -3.720e-42, -3.683e-42",
    "Softsign(inf): NaN, NaN; 1.000e0, 0.000e0",
    "Softsign(-inf): NaN, NaN; -1.000e0, 0.000e0",
    "Softshrink(NaN): NaN, 1.000e0; NaN, NaN",
    "Tanhshrink(-0.000000001): 0.000e0, 0.000e0; -3.333e-28, 1.000e-18",
];

#[test]
fn differences() {
    let x = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        1.0,
        3.0,
        -3.0,
        6.0,
        -6.5,
        -20.0,
        100.0,
        -100.0,
        -1e-9,
    ];
    let device = Device::flex().autodiff();
    let run = |f: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let x = tensor(&x, [1, 1, x.len()], &device).require_grad();
        let y = f(x.clone());
        let gradient = x.grad(&y.backward()).unwrap();
        [y.inner(), gradient].map(|y| flat::<f32>(&y))
    };
    let same = |x: f32, y: f32| x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= 1e-4 * y.abs();
    let mut found = Vec::new();
    for function in functions() {
        let own = run(&function.own);
        let ours = run(&|x| x.activate(function.function));
        for (i, x) in x.iter().enumerate() {
            let pairs = [0, 1].map(|which| [own[which][i], ours[which][i]]);
            if pairs.iter().any(|&[own, ours]| !same(own, ours)) {
                let [[own, ours], [own_gradient, gradient]] = pairs;
                let name = function.function.name();
                found.push(format!(
                    "{name}({x}): {own:.3e}, {own_gradient:.3e}; {ours:.3e}, {gradient:.3e}"
                ));
            }
        }
    }
    assert_eq!(found, DIFFERENT);
}
