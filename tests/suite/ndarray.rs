//! Arrays of the crate `ndarray`, of each kind of layout, against the reference, one element after the other.

use ::ndarray::{
    Array, Array2, ArrayD, ArrayRef, ArrayViewMutD, Axis, Dimension, IxDyn, ShapeBuilder, Slice, Zip, array, s,
};
use rectify::{Activate, Activation, AnyActivation, LeakyRelu, Relu, Strided, StridedMut};

use crate::common::format::Format;
use crate::common::functions::{Case, Function};
use crate::of_format::OfFormat;

/// A name, the shape of an array, and which part of it is looked at in which order. The rest has to stay as it is.
type Layout<T> = (&'static str, &'static [usize], fn(&mut ArrayViewMutD<T>));

fn every<T>(view: &mut ArrayViewMutD<T>, axis: usize, start: isize, end: Option<isize>, step: isize) {
    view.slice_axis_inplace(Axis(axis), Slice::new(start, end, step));
}

fn layouts<T>() -> Vec<Layout<T>> {
    vec![
        ("standard", &[3, 5, 70], |_| ()),
        ("Fortran", &[40, 30], |x| x.swap_axes(0, 1)),
        ("permuted", &[3, 40, 5], |x| {
            x.swap_axes(0, 1);
            x.swap_axes(1, 2);
        }),
        ("some rows", &[9, 700], |x| every(x, 0, 1, None, 3)),
        ("some columns", &[7, 650], |x| every(x, 1, 2, Some(-3), 1)),
        ("columns in threes", &[900, 4], |x| every(x, 1, 0, Some(3), 1)),
        ("every second column", &[5, 1301], |x| every(x, 1, 0, None, 2)),
        ("every second column, to the end of the rows", &[3, 2090], |x| {
            every(x, 1, 1, None, 2)
        }),
        ("every third column of Fortran", &[603, 4], |x| {
            x.swap_axes(0, 1);
            every(x, 1, 0, None, 3);
        }),
        ("every fourth of few columns", &[200, 9], |x| every(x, 1, 0, None, 4)),
        ("every tenth column", &[4, 700], |x| every(x, 1, 3, None, 10)),
        ("every eleventh column", &[4, 700], |x| every(x, 1, 3, None, 11)),
        ("reversed", &[4, 33], |x| x.invert_axis(Axis(1))),
        ("reversed rows", &[20, 33], |x| x.invert_axis(Axis(0))),
        ("both reversed, every third column", &[4, 99], |x| {
            x.invert_axis(Axis(0));
            every(x, 1, 0, None, -3);
        }),
        ("a column", &[600, 3], |x| every(x, 1, 1, Some(2), 1)),
        ("a column of Fortran", &[3, 600], |x| {
            x.swap_axes(0, 1);
            every(x, 1, 1, Some(2), 1);
        }),
        ("patches", &[40, 5, 5, 3], |x| {
            every(x, 1, 0, Some(2), 1);
            every(x, 2, 1, Some(4), 1);
            every(x, 3, 0, None, 2);
        }),
        ("many axes", &[3, 2, 3, 2, 3, 2, 3, 4], |x| {
            for axis in 0..8 {
                every(x, axis, 0, Some(2), 1);
            }
            x.swap_axes(0, 7);
            x.invert_axis(Axis(3));
        }),
        ("one element", &[4, 5], |x| {
            every(x, 0, 1, Some(2), 1);
            every(x, 1, 1, Some(2), 1);
        }),
        ("no axis", &[], |_| ()),
        ("no element", &[3, 0, 2], |_| ()),
        ("no column", &[3, 4], |x| every(x, 1, 2, Some(2), 1)),
    ]
}

/// Any bits.
fn any<T: OfFormat>(shape: &[usize], seed: u64) -> ArrayD<T> {
    let bits = T::FORMAT.scattered(shape.iter().product(), seed);
    Array::from_shape_vec(IxDyn(shape), bits.into_iter().map(T::of).collect()).unwrap()
}

fn bits<T: OfFormat, D: Dimension>(array: &ArrayRef<T, D>) -> Array<u64, D> {
    array.mapv(T::bits)
}

/// The same elements in the crate's own view.
#[allow(unsafe_code)]
fn strided<T, D: Dimension>(array: &ArrayRef<T, D>) -> Strided<'_, T> {
    // SAFETY: the elements of the array.
    unsafe { Strided::from_raw_parts(array.as_ptr(), array.shape(), array.strides()) }
}

#[allow(unsafe_code)]
fn strided_mut<T, D: Dimension>(array: &mut ArrayRef<T, D>) -> StridedMut<'_, T> {
    let start = array.as_mut_ptr();
    // SAFETY: the elements of the array, which is borrowed as long as the view is.
    unsafe { StridedMut::from_raw_parts(start, array.shape(), array.strides()) }
}

fn check<T: OfFormat>(case: Case) {
    for (name, shape, narrow) in layouts::<T>() {
        if cfg!(miri) && shape.iter().product::<usize>() > 400 {
            continue; // Miri takes minutes for these.
        }
        check_layout::<T>(case, name, shape, narrow);
    }
}

/// By a function that is chosen at run time, and by one whose type is known, some of whose loops are compiled with the caller.
fn check_layout<T: OfFormat>(case: Case, name: &str, shape: &[usize], narrow: impl Fn(&mut ArrayViewMutD<T>)) {
    let any = case.activation();
    check_layout_by(any, case, name, shape, &narrow);
    match any {
        AnyActivation::ClippedRelu(f) => check_layout_by(f, case, name, shape, &narrow),
        AnyActivation::HardSwish(f) => check_layout_by(f, case, name, shape, &narrow),
        AnyActivation::Hardtanh(f) => check_layout_by(f, case, name, shape, &narrow),
        AnyActivation::LeakyRelu(f) => check_layout_by(f, case, name, shape, &narrow),
        AnyActivation::Relu(f) => check_layout_by(f, case, name, shape, &narrow),
        _ => {}
    }
}

fn check_layout_by<T: OfFormat>(
    f: impl Activation,
    case: Case,
    name: &str,
    shape: &[usize],
    narrow: &impl Fn(&mut ArrayViewMutD<T>),
) {
    let about = format!("{name}: {} in {}", case.function.name, T::FORMAT.name());
    let (mut of_x, mut of_g) = (any::<T>(shape, 1), any::<T>(shape, 2));

    // The values, and all of the memory after an in-place call.
    let mut memory = of_x.clone();
    let (values, in_memory) = {
        let mut view = memory.view_mut();
        narrow(&mut view);
        view.mapv_inplace(|x| T::of(case.forward(T::FORMAT, x.bits())));
        (bits(&view), bits(&memory))
    };
    let (mut x, mut g) = (of_x.view_mut(), of_g.view_mut());
    narrow(&mut x);
    narrow(&mut g);
    assert_eq!(bits(&x.activate(f)), values, "{about}");
    let (x, mut g) = (x.view(), g);
    let gradients = Zip::from(&x)
        .and(&g)
        .map_collect(|x, g| case.backward(T::FORMAT, x.bits(), g.bits()));
    assert_eq!(bits(&x.activate_backward(f, &g)), gradients, "{about}");

    // By the crate's own views, also to the order of the indices.
    let mut appended = vec![T::of(0)];
    f.forward_strided_append(strided(&x), &mut appended);
    f.backward_strided_append(strided(&x), strided(&g), &mut appended);
    let expected = [0].iter().chain(&values).chain(&gradients).copied();
    assert!(appended.iter().map(|x| x.bits()).eq(expected), "{about}, appended");
    let mut output = Array::from_elem(x.raw_dim().f(), T::of(0));
    f.forward_strided(strided(&x), &mut strided_mut(&mut output));
    assert_eq!(bits(&output), values, "{about}, by views");
    f.backward_strided(strided(&x), strided(&g), &mut strided_mut(&mut output));
    assert_eq!(bits(&output), gradients, "{about}, by views");
    let [mut x_by_views, mut g_by_views] = [any::<T>(shape, 1), any::<T>(shape, 2)];
    let (mut view, mut grad) = (x_by_views.view_mut(), g_by_views.view_mut());
    narrow(&mut view);
    narrow(&mut grad);
    f.backward_strided_inplace(strided(&view), &mut strided_mut(&mut grad));
    f.forward_strided_inplace(&mut strided_mut(&mut view));
    assert_eq!(bits(&x_by_views), in_memory, "{about}, by views in-place");

    // Outputs and inputs in another layout: standard, Fortran, with steps, reversed.
    let standard = x.as_standard_layout();
    assert_eq!(bits(&standard.activate_backward(f, &g)), gradients, "{about}");
    let mut output = Array::from_elem(x.raw_dim().f(), T::of(0));
    x.activate_to(f, &mut output);
    assert_eq!(bits(&output), values, "{about}, to Fortran");
    output.fill(T::of(0));
    standard.activate_backward_to(f, &g, &mut output);
    assert_eq!(bits(&output), gradients, "{about}, to Fortran");
    x.activate_backward_to(f, &g.as_standard_layout(), &mut output);
    assert_eq!(bits(&output), gradients, "{about}, to Fortran");
    let mut doubled = x.raw_dim();
    doubled.slice_mut().iter_mut().for_each(|len| *len *= 2);
    let mut wide = Array::from_elem(doubled, T::of(1));
    {
        let mut output = wide.slice_each_axis_mut(|axis| Slice::new(0, None, if axis.axis.0 == 0 { -2 } else { 2 }));
        x.activate_to(f, &mut output);
        assert_eq!(bits(&output), values, "{about}, with steps");
        output.fill(T::of(1));
    }
    assert!(wide.iter().all(|x| x.bits() == 1), "{about}: wrote beside the output");
    let mut output = g.as_standard_layout().into_owned();
    x.activate_backward_inplace(f, &mut output);
    assert_eq!(bits(&output), gradients, "{about}");

    // In-place.
    x.activate_backward_inplace(f, &mut g);
    assert_eq!(bits(&g), gradients, "{about}");
    let mut x = of_x.view_mut();
    narrow(&mut x);
    x.activate_inplace(f);
    assert_eq!(bits(&of_x), in_memory, "{about}, in-place");
    // Beside the gradients nothing has changed.
    let mut expected = any::<T>(shape, 2);
    let mut view = expected.view_mut();
    narrow(&mut view);
    view.zip_mut_with(&gradients, |g, &gradient| *g = T::of(gradient));
    assert_eq!(bits(&of_g), bits(&expected), "{about}, in-place");
    assert_eq!(bits(&g_by_views), bits(&expected), "{about}, by views in-place");
}

#[test]
fn each_layout_is_as_its_elements() {
    // Those that select: the NaN of a product is any in Miri.
    let functions: &[_] = if cfg!(miri) {
        &["relu", "clipped_relu"]
    } else {
        &[
            "relu",
            "clipped_relu",
            "leaky_relu",
            "hard_swish",
            "hardtanh",
            #[cfg(feature = "smooth")]
            "sigmoid",
        ]
    };
    for name in functions {
        let case = Function::named(name).default();
        check::<f32>(case);
        if !cfg!(miri) {
            check::<f64>(case);
            #[cfg(feature = "half")]
            check::<rectify::f16>(case);
            #[cfg(feature = "half")]
            check::<rectify::bf16>(case);
        }
    }
}

/// Rows and columns of few elements, next to each other or with a step.
#[test]
fn few_elements() {
    // Miri takes seconds for each.
    let functions: &[_] = if cfg!(miri) {
        &["relu", "clipped_relu"]
    } else {
        &["relu", "clipped_relu", "leaky_relu"]
    };
    let rows: &[_] = if cfg!(miri) { &[3] } else { &[1, 2, 3, 7, 9] };
    let columns: &[_] = if cfg!(miri) {
        &[1, 17]
    } else {
        &[1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 40]
    };
    let steps: &[isize] = if cfg!(miri) {
        &[1, -2]
    } else {
        &[1, 2, 3, 5, 6, 11, -1, -2]
    };
    for case in functions.iter().map(|name| Function::named(name).default()) {
        for (&rows, &columns) in rows
            .iter()
            .flat_map(|rows| columns.iter().map(move |columns| (rows, columns)))
        {
            for &step in steps {
                for (row_step, is_swapped) in [(1, false), (2, false), (1, true), (2, true)] {
                    let about = format!("{rows}, {columns} by {row_step}, {step}, swapped: {is_swapped}");
                    let shape = [rows * row_step, columns * step.unsigned_abs()];
                    let steps = [row_step as isize, step];
                    check_few::<f32>(case, &about, &shape, is_swapped, steps);
                    if !cfg!(miri) {
                        check_few::<f64>(case, &about, &shape, is_swapped, steps);
                        #[cfg(feature = "half")]
                        check_few::<rectify::f16>(case, &about, &shape, is_swapped, steps);
                    }
                }
            }
        }
    }
}

fn check_few<T: OfFormat>(case: Case, about: &str, shape: &[usize], is_swapped: bool, steps: [isize; 2]) {
    check_layout::<T>(case, about, shape, |x| {
        every(x, 0, 0, None, steps[0]);
        every(x, 1, 0, None, steps[1]);
        if is_swapped {
            x.swap_axes(0, 1);
        }
    });
}

/// Short runs, each in a page of its own.
#[cfg_attr(miri, ignore = "takes minutes")]
#[test]
fn far_rows() {
    for name in ["relu", "leaky_relu"] {
        check_layout::<f32>(Function::named(name).default(), "far rows", &[2060, 1030], |x| {
            every(x, 1, 1, Some(4), 1);
        });
    }
}

/// Longer than a tile, and than a strip of the other axis.
#[test]
fn transposed_and_large() {
    let len = if cfg!(miri) { 40 } else { 300 };
    let (x, g) = (any::<f32>(&[len, len + 3], 1), any::<f32>(&[len + 3, len], 2));
    let relu = Function::named("relu").default();
    let g = g.t();
    let expected = Zip::from(&x)
        .and(&g)
        .map_collect(|x, g| relu.backward(Format::F32, x.bits(), g.bits()));
    assert_eq!(bits(&x.activate_backward(Relu, &g)), expected);
    let mut grad = g.to_owned();
    x.activate_backward_inplace(Relu, &mut grad);
    assert_eq!(bits(&grad), expected);
    let mut view = x.view();
    view.swap_axes(0, 1);
    let mut output = Array::zeros(view.raw_dim());
    view.activate_to(Relu, &mut output);
    assert_eq!(bits(&output), view.mapv(|x| relu.forward(Format::F32, x.bits())));
}

/// Outputs that are written with non-temporal stores.
#[cfg_attr(miri, ignore = "Miri has no fence for them")]
#[test]
fn streamed() {
    let _threshold = super::stream_from(1);
    let relu = Function::named("relu").default();
    let x = any::<f32>(&[40, 4100], 1);
    for step in [1, 2] {
        let x = x.slice(s![.., ..;step]);
        let expected = x.mapv(|x| relu.forward(Format::F32, x.bits()));
        assert_eq!(bits(&x.activate(Relu)), expected);
        let mut output = Array::zeros(x.raw_dim());
        x.activate_to(Relu, &mut output);
        assert_eq!(bits(&output), expected);
        let columns = x.len_of(Axis(1));
        let mut wide = Array2::zeros((x.len_of(Axis(0)), columns + 5));
        let mut output = wide.slice_mut(s![.., 3..columns + 3]);
        x.view()
            .into_dimensionality()
            .map(|x| x.activate_to(Relu, &mut output))
            .unwrap();
        assert_eq!(bits(&output).into_dyn(), expected.into_dyn());
    }
}

#[test]
fn broadcast_inputs() {
    let x = array![-1.0_f32, 2.0, -3.0];
    let rows = x.broadcast((700, 3)).unwrap();
    assert_eq!(rows.activate(Relu), rows.mapv(|x| x.max(0.0)));
    let columns = rows.t();
    assert_eq!(columns.activate(Relu), columns.mapv(|x| x.max(0.0)));
    let grad = rows.activate_backward(Relu, &Array::ones((700, 3)));
    assert_eq!(grad, rows.mapv(|x| f32::from(x > 0.0)));
}

#[test]
fn an_output_has_the_layout_of_its_input() {
    let x = Array::from_shape_fn((4, 5, 6), |(i, j, k)| (i + j + k) as f32 - 6.0);
    let mut x = x.permuted_axes([2, 0, 1]);
    x.invert_axis(Axis(1));
    assert_eq!(x.activate(Relu).strides(), x.strides());
    assert_eq!(x.activate_backward(Relu, &x).strides(), x.strides());
    // Without what is between the elements.
    let part = x.slice(s![..;2, .., 1..]);
    assert_eq!(part.activate(Relu).strides(), [1, -12, 3]);
}

/// An axis without elements comes after one that would take hours to walk.
#[test]
#[cfg(target_pointer_width = "64")]
fn an_array_without_elements_is_not_walked() {
    let one = ArrayD::<f32>::zeros(IxDyn(&[1, 1, 1, 1, 1, 1, 2]));
    let long = one.broadcast(IxDyn(&[1 << 40, 1, 1, 1, 1, 1, 2])).unwrap();
    let empty = long.slice_axis(Axis(6), Slice::from(0..0));
    assert!(empty.activate(Relu).is_empty());
    let two = Array2::<f32>::zeros((1, 2));
    let long = two.broadcast((1 << 40, 2)).unwrap();
    assert!(long.slice(s![.., 2..]).activate(Relu).is_empty());
    assert!(
        long.slice(s![.., 2..])
            .activate_backward(Relu, &long.slice(s![.., ..0]))
            .is_empty()
    );
    // Strides of -1 and 3, without an element.
    let mut reversed = Array2::<f32>::zeros((3, 5).f());
    reversed.invert_axis(Axis(0));
    let (empty, _) = reversed.view().split_at(Axis(1), 0);
    assert_eq!(empty.activate(LeakyRelu::default()).dim(), (3, 0));
    assert_eq!(empty.activate_backward(Relu, &empty).dim(), (3, 0));
}

#[cfg(panic = "unwind")]
mod shapes {
    use super::*;

    #[test]
    #[should_panic = "arrays of unequal shape: `output` has [2], the input [3]"]
    fn of_the_output() {
        array![1.0_f32, 2.0, 3.0].activate_to(Relu, &mut array![0.0, 0.0]);
    }

    #[test]
    #[should_panic = "arrays of unequal shape: `grad_output` has [2, 3], the input [3, 2]"]
    fn of_the_gradient_at_the_output() {
        _ = Array::<f32, _>::zeros((3, 2)).activate_backward(Relu, &Array::zeros((2, 3)));
    }

    #[test]
    #[should_panic = "arrays of unequal shape: `grad_input` has [1], the input [3]"]
    fn of_the_gradient_at_the_input() {
        let x = array![1.0_f32, 2.0, 3.0];
        x.activate_backward_to(Relu, &x, &mut array![0.0]);
    }

    #[test]
    #[should_panic = "arrays of unequal shape: `grad` has [4], the input [3]"]
    fn of_the_gradient() {
        array![1.0_f32, 2.0, 3.0].activate_backward_inplace(Relu, &mut Array::zeros(4));
    }
}
