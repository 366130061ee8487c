//! The bits, beside those of the crate on slices: each function, format and layout.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Device, InplaceOp1, Layout, Module, Shape, Tensor, Var};
use rectify::{Activation, AnyActivation, Gated};
use rectify_candle::{Activate, Gate, Op};

use super::functions::functions;
use super::{Format, SHAPE, SHARED, VIEWS, bits, flat, for_each_format, numbers, tensor};

fn base<T: Format>(seed: u64) -> Tensor {
    tensor(&numbers::<T>(SHAPE.iter().product(), seed), &SHAPE)
}

fn all() -> impl Iterator<Item = AnyActivation> {
    functions().into_iter().map(|function| function.function)
}

fn expect<T: Format>(what: &str, result: &Tensor, shape: &Tensor, expected: &[T]) {
    assert_eq!(result.dims(), shape.dims(), "{what}");
    assert!(result.is_contiguous(), "{what}");
    assert_eq!(bits(&flat::<T>(result)), bits(expected), "{what} in {:?}", T::DTYPE);
}

#[test]
fn values() {
    fn check<T: Format>(function: AnyActivation) {
        for (layout, view) in VIEWS {
            let x = view(&base::<T>(1)).unwrap();
            let mut expected = flat::<T>(&x);
            function.forward_inplace(&mut expected);
            let what = format!("{} of {layout}", function.name());
            expect(&what, &x.activate(function).unwrap(), &x, &expected);
            expect(&what, &Op::new(function).forward(&x).unwrap(), &x, &expected);
        }
    }
    for function in all() {
        for_each_format!(check(function));
    }
}

#[test]
fn gradients() {
    fn check<T: Format>(function: AnyActivation) {
        for (i, (layout, view)) in VIEWS.iter().enumerate() {
            let x = view(&base::<T>(1)).unwrap();
            // In the same layout, in a contiguous one, and the other way around.
            let same = view(&base::<T>(2)).unwrap();
            let contiguous = same.contiguous().unwrap();
            for (x, grad) in [(&x, &same), (&x, &contiguous), (&x.contiguous().unwrap(), &same)] {
                let mut expected = flat::<T>(grad);
                function.backward_inplace(&flat::<T>(x), &mut expected);
                let what = format!("the gradient of {} of {layout}", function.name());
                let result = Op::new(function).bwd(x, x, grad).unwrap().unwrap();
                expect(&what, &result, x, &expected);
            }
            // By candle's own, which adds it to zeros; one view is enough.
            if i == 6 {
                let base = Var::from_tensor(&base::<T>(1)).unwrap();
                let y = view(&base).unwrap().activate(function).unwrap();
                let loss = (y * same.zeros_like().unwrap().affine(0.0, 0.5).unwrap())
                    .unwrap()
                    .sum_all()
                    .unwrap();
                let result = loss.backward().unwrap().remove(&base).unwrap();
                let mut expected = vec![T::of(0.5); SHAPE.iter().product()];
                function.backward_inplace(&flat::<T>(&base), &mut expected);
                let sums: Vec<T> = expected.iter().map(|&x| T::of(0.0) + x).collect();
                assert_eq!(bits(&flat::<T>(&result)), bits(&sums), "{}", function.name());
            }
        }
    }
    for function in all() {
        for_each_format!(check(function));
    }
}

#[test]
fn inplace() {
    fn check<T: Format>(function: AnyActivation) {
        for (layout, view) in &VIEWS[..VIEWS.len() - SHARED] {
            let base = base::<T>(1);
            let mut expected = flat::<T>(&base);
            // Where the elements of the view are.
            let places = Tensor::arange(0u32, expected.len() as u32, &Device::Cpu).unwrap();
            let places = view(&places.reshape(&SHAPE).unwrap()).unwrap();
            for place in places.flatten_all().unwrap().to_vec1::<u32>().unwrap() {
                function.forward_inplace(&mut expected[place as usize..][..1]);
            }
            view(&base).unwrap().activate_inplace(function).unwrap();
            expect(
                &format!("{} of {layout}, in-place", function.name()),
                &base,
                &base,
                &expected,
            );
        }
    }
    for function in all() {
        for_each_format!(check(function));
    }
}

#[test]
fn gated_units() {
    fn check<T: Format>(function: AnyActivation) {
        for (layout, view) in VIEWS {
            let [a, b, grad] = [1, 2, 3].map(|seed| view(&base::<T>(seed)).unwrap());
            let grad = grad.contiguous().unwrap();
            let flats = [&a, &b, &grad].map(|tensor| flat::<T>(tensor));
            let [mut value, mut grad_a, mut grad_b] = flats.clone();
            let what = format!("{} of {layout}, gated", function.name());
            Gated::of(function).forward(&flats[0], &flats[1], &mut value);
            expect(&what, &Gate::new(function).apply(&a, &b).unwrap(), &a, &value);
            Gated::of(function).backward(&flats[0], &flats[1], &flats[2], &mut grad_a, &mut grad_b);
            let (result_a, result_b) = Gate::new(function).bwd(&a, &b, &grad, &grad).unwrap();
            expect(&what, &result_a.unwrap(), &a, &grad_a);
            expect(&what, &result_b.unwrap(), &a, &grad_b);
        }
        // Side by side.
        let x = base::<T>(1);
        let halves = x.chunk(2, 2).unwrap();
        let [a, b] = [0, 1].map(|i| flat::<T>(&halves[i]));
        let mut value = a.clone();
        Gated::of(function).forward(&a, &b, &mut value);
        expect("halves", &Gate::new(function).forward(&x).unwrap(), &halves[0], &value);
    }
    for function in all() {
        for_each_format!(check(function));
    }
}

/// Blocks and parts of all sizes, in a tensor with gaps.
#[test]
fn lengths() {
    let numbers = numbers::<f32>(6 * 2100, 1);
    for columns in (1..300).chain([1023, 1024, 1025, 2047, 2100]) {
        let x = tensor(&numbers, &[6, 2100]).narrow(1, 2100 - columns, columns).unwrap();
        for (x, y) in [
            (&x, &x.t().unwrap().contiguous().unwrap()),
            (&x.t().unwrap(), &x.contiguous().unwrap()),
        ] {
            let mut expected = flat::<f32>(x);
            Activation::forward_inplace(rectify::Silu, &mut expected);
            expect(
                &format!("{columns} columns"),
                &x.activate(rectify::Silu).unwrap(),
                x,
                &expected,
            );
            let y = y.t().unwrap();
            let mut expected = flat::<f32>(&y);
            rectify::Silu.backward_inplace(&flat::<f32>(x), &mut expected);
            let result = Op::new(rectify::Silu).bwd(x, x, &y).unwrap().unwrap();
            expect(&format!("the gradient of {columns} columns"), &result, x, &expected);
        }
    }
}

#[test]
fn refused() {
    // Without the backtrace.
    fn message<T: std::fmt::Debug>(result: candle_core::Result<T>) -> String {
        let message = result.unwrap_err().to_string();
        message.lines().next().unwrap_or_default().to_owned()
    }
    let integers = Tensor::zeros((2, 4), DType::U32, &Device::Cpu).unwrap();
    assert_eq!(
        message(integers.activate(rectify::Gelu)),
        "unsupported dtype U32 for op Gelu"
    );
    assert_eq!(
        message(integers.activate_inplace(rectify::Gelu)),
        "unsupported dtype U32 for op Gelu"
    );

    let x = base::<f32>(1);
    let half = x.to_dtype(DType::F16).unwrap();
    assert_eq!(
        message(Gate::SWIGLU.apply(&x, &half)),
        "dtype mismatch in gated unit, lhs: F32, rhs: F16"
    );
    let narrow = x.narrow(0, 0, 1).unwrap();
    assert_eq!(
        message(Gate::SWIGLU.apply(&x, &narrow)),
        "shape mismatch in gated unit, lhs: [9, 7, 200], rhs: [1, 7, 200]"
    );
    assert_eq!(
        message(Gate::SWIGLU.forward(&x.narrow(2, 0, 3).unwrap())),
        "a gated unit takes two halves, and the last dimension is 3"
    );

    // Elements that several indices share.
    let before = flat::<f32>(&x);
    for (layout, view) in &VIEWS[VIEWS.len() - SHARED..] {
        let result = view(&x).unwrap().activate_inplace(rectify::Gelu);
        assert!(result.is_err(), "{layout}");
    }
    assert_eq!(bits(&flat::<f32>(&x)), bits(&before));

    // candle itself lets none of those through, but an operation can be called on a storage.
    for strides in [[0, 1], [2, 1]] {
        let layout = Layout::new(Shape::from((4, 3)), strides.into(), 5);
        let mut storage = CpuStorage::F32(before.clone());
        let result = InplaceOp1::cpu_fwd(&Op::new(rectify::Gelu), &mut storage, &layout);
        assert_eq!(
            message(result),
            "the strides may lead to one element more than once",
            "{strides:?}"
        );
        assert_eq!(bits(storage.as_slice::<f32>().unwrap()), bits(&before), "{strides:?}");
    }
}
