//! Tensors of any layout in slices: which of them are refused, and against the reference, one element after the other.

use rectify::{Activation, LeakyRelu, Relu, Strided, StridedMut};

use crate::common::functions::{Case, Function};
use crate::of_format::OfFormat;

/// The length of a slice, where the first element is, the shape and the strides.
type Layout = (usize, usize, &'static [usize], &'static [isize]);

/// Of each shape some that can be written, since their elements are distinct, and then some that can be read only.
const LAYOUTS: &[(&[Layout], &[Layout])] = &[
    (
        &[
            (12, 0, &[3, 4], &[4, 1]),
            (12, 0, &[3, 4], &[1, 3]),
            (24, 0, &[3, 4], &[8, 2]),
            (12, 11, &[3, 4], &[-4, -1]),
            (23, 3, &[3, 4], &[5, -1]),
            (40, 2, &[3, 4], &[1, 11]),
        ],
        &[
            (4, 0, &[3, 4], &[0, 1]),
            (1, 0, &[3, 4], &[0, 0]),
            (6, 0, &[3, 4], &[1, 1]),
        ],
    ),
    (
        &[
            (700, 0, &[7, 100], &[100, 1]),
            (1400, 0, &[7, 100], &[200, 2]),
            (2100, 2, &[7, 100], &[300, 3]),
            (1700, 1699, &[7, 100], &[-1, -17]),
        ],
        &[(100, 99, &[7, 100], &[0, -1]), (7, 6, &[7, 100], &[-1, 0])],
    ),
    // Axes of one index have any stride.
    (
        &[
            (60, 0, &[3, 1, 4, 1, 5], &[20, 0, 5, 999, 1]),
            (150, 100, &[3, 1, 4, 1, 5], &[-40, -7, 2, 0, 8]),
        ],
        &[(5, 0, &[3, 1, 4, 1, 5], &[0, 1, 0, 1, 1])],
    ),
    // None, and one.
    (&[(0, 0, &[0], &[1]), (3, 3, &[0], &[-9])], &[]),
    (&[(2, 7, &[4, 0], &[0, 0])], &[]),
    (&[(1, 0, &[], &[]), (5, 4, &[], &[])], &[]),
];

/// The index of each element in its slice, in the order of the indices of the axes.
fn indices((_, offset, shape, strides): Layout) -> Vec<usize> {
    let mut indices = vec![offset as isize];
    for (&len, &stride) in shape.iter().zip(strides) {
        let along = |start: isize| (0..len as isize).map(move |i| start + i * stride);
        indices = indices.into_iter().flat_map(along).collect();
    }
    indices.into_iter().map(|index| index as usize).collect()
}

fn any<T: OfFormat>(len: usize, seed: u64) -> Vec<T> {
    T::FORMAT.scattered(len, seed).into_iter().map(T::of).collect()
}

fn bits<T: OfFormat>(elements: &[T]) -> Vec<u64> {
    elements.iter().map(|x| x.bits()).collect()
}

fn view<'a, T>(elements: &'a [T], (_, offset, shape, strides): Layout) -> Strided<'a, T> {
    Strided::new(elements, offset, shape, strides)
}

fn view_mut<'a, T>(elements: &'a mut [T], (_, offset, shape, strides): Layout) -> StridedMut<'a, T> {
    StridedMut::new(elements, offset, shape, strides)
}

fn check<T: OfFormat>(f: impl Activation, case: Case, input: Layout, grad_output: Layout, output: Layout) {
    let about = format!(
        "{} in {}: {input:?}, {grad_output:?} to {output:?}",
        case.function.name,
        T::FORMAT.name()
    );
    let (x, g) = (any::<T>(input.0, 1), any::<T>(grad_output.0, 2));
    let before = any::<T>(output.0, 3);
    let (mut values, mut gradients) = (bits(&before), bits(&before));
    #[cfg(feature = "alloc")]
    let mut expected = vec![];
    let places = indices(input).into_iter().zip(indices(grad_output));
    for ((at_x, at_g), at_output) in places.zip(indices(output)) {
        values[at_output] = case.forward(T::FORMAT, x[at_x].bits());
        gradients[at_output] = case.backward(T::FORMAT, x[at_x].bits(), g[at_g].bits());
        #[cfg(feature = "alloc")]
        expected.push((values[at_output], gradients[at_output]));
    }

    let mut written = before.clone();
    f.forward_strided(view(&x, input), &mut view_mut(&mut written, output));
    assert_eq!(bits(&written), values, "{about}");
    let mut written = before;
    f.backward_strided(
        view(&x, input),
        view(&g, grad_output),
        &mut view_mut(&mut written, output),
    );
    assert_eq!(bits(&written), gradients, "{about}");

    #[cfg(feature = "alloc")]
    {
        // To new memory, and to a vector that has room.
        let (mut values, mut gradients) = (vec![T::of(0)], Vec::with_capacity(expected.len()));
        f.forward_strided_append(view(&x, input), &mut values);
        f.backward_strided_append(view(&x, input), view(&g, grad_output), &mut gradients);
        let (expected_values, expected_gradients): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
        assert_eq!(bits(&values), [vec![0], expected_values].concat(), "{about}, appended");
        assert_eq!(bits(&gradients), expected_gradients, "{about}, appended");
    }
}

/// In-place, of a layout that can be written.
fn check_inplace<T: OfFormat>(f: impl Activation, case: Case, input: Layout, layout: Layout) {
    let about = format!("{} in {}: {layout:?}", case.function.name, T::FORMAT.name());
    let (x, mut g) = (any::<T>(input.0, 1), any::<T>(layout.0, 2));
    let (mut values, mut gradients) = (bits(&g), bits(&g));
    for (at_x, at) in indices(input).into_iter().zip(indices(layout)) {
        values[at] = case.forward(T::FORMAT, g[at].bits());
        gradients[at] = case.backward(T::FORMAT, x[at_x].bits(), g[at].bits());
    }
    let mut in_place = g.clone();
    f.forward_strided_inplace(&mut view_mut(&mut in_place, layout));
    assert_eq!(bits(&in_place), values, "{about}");
    f.backward_strided_inplace(view(&x, input), &mut view_mut(&mut g, layout));
    assert_eq!(bits(&g), gradients, "{about}");
}

fn check_all<T: OfFormat>(f: impl Activation, case: Case) {
    for &(distinct, repeated) in LAYOUTS {
        if cfg!(miri) && distinct[0].0 > 100 {
            continue; // Miri takes minutes for these.
        }
        let inputs: Vec<_> = distinct.iter().chain(repeated).copied().collect();
        for (i, &input) in inputs.iter().enumerate() {
            let grad_output = inputs[(i + 1) % inputs.len()];
            for &output in distinct {
                check::<T>(f, case, input, grad_output, output);
                check_inplace::<T>(f, case, input, output);
            }
        }
    }
}

#[test]
fn each_layout_is_as_its_elements() {
    let relu = Function::named("relu").default();
    check_all::<f32>(Relu, relu);
    if cfg!(miri) {
        return;
    }
    let leaky = Function::named("leaky_relu").default();
    check_all::<f64>(Relu, relu);
    check_all::<f32>(leaky.activation(), leaky);
    #[cfg(feature = "half")]
    check_all::<rectify::f16>(leaky.activation(), leaky);
    #[cfg(feature = "half")]
    check_all::<rectify::bf16>(Relu, relu);
}

/// Outputs that are written with non-temporal stores.
#[cfg_attr(miri, ignore = "Miri has no fence for them")]
#[test]
fn streamed() {
    let _threshold = super::stream_from(1);
    let relu = Function::named("relu").default();
    let contiguous: Layout = (16_400, 0, &[4, 4_100], &[4_100, 1]);
    let padded: Layout = (16_412, 0, &[4, 4_100], &[4_104, 1]);
    let stepped: Layout = (32_800, 1, &[4, 4_100], &[8_200, 2]);
    let repeated: Layout = (4_100, 0, &[4, 4_100], &[0, 1]);
    for input in [contiguous, padded, stepped, repeated] {
        for output in [contiguous, padded, stepped] {
            check::<f32>(Relu, relu, input, contiguous, output);
            check::<f64>(relu.activation(), relu, input, repeated, output);
        }
    }
}

#[test]
fn views_know_their_layout() {
    let mut x = [1.0_f32; 6];
    let view = Strided::new(&x, 5, &[2, 3], &[-3, -1]);
    assert_eq!((view.shape(), view.strides()), (&[2, 3][..], &[-3, -1][..]));
    assert_eq!(format!("{view:?}"), "Strided { shape: [2, 3], strides: [-3, -1], .. }");
    let view = StridedMut::new(&mut x, 0, &[2], &[5]);
    assert_eq!((view.shape(), view.strides()), (&[2][..], &[5][..]));
}

fn error_of(len: usize, offset: usize, shape: &[usize], strides: &[isize]) -> [Option<(&'static str, String)>; 2] {
    let mut x = vec![0.0_f32; len];
    let read = Strided::try_new(&x, offset, shape, strides).err();
    let written = StridedMut::try_new(&mut x, offset, shape, strides).err();
    [read, written].map(|error| error.map(|error| (error.argument(), error.to_string())))
}

#[track_caller]
fn assert_refused(layout: (usize, usize, &[usize], &[isize]), argument: &'static str, message: &str) {
    let (len, offset, shape, strides) = layout;
    let expected = Some((argument, message.to_owned()));
    assert_eq!(
        error_of(len, offset, shape, strides),
        [expected.clone(), expected],
        "{layout:?}"
    );
}

#[test]
fn layouts_beyond_the_elements_are_refused() {
    let outside = |len, index| format!("`elements` has {len} elements, and the layout leads to index {index}");
    let refused = |len, offset, shape: &[usize], strides: &[isize], index| {
        assert_refused((len, offset, shape, strides), "elements", &outside(len, index));
    };
    refused(6, 0, &[2, 3], &[4, 1], 6);
    refused(6, 1, &[2, 3], &[3, 1], 6);
    refused(6, 4, &[2, 3], &[-3, -1], -1);
    refused(0, 0, &[], &[], 0);
    refused(6, 6, &[1], &[1], 6);
    // Both ends.
    refused(2, 1, &[3, 3], &[-1, 1], -1);
    refused(6, usize::MAX, &[1], &[1], isize::MAX);
    refused(6, 0, &[usize::MAX], &[1], isize::MAX);
    refused(6, 0, &[3, 3], &[isize::MAX, isize::MAX], isize::MAX);
    refused(6, 0, &[3, 3], &[isize::MIN, isize::MIN], isize::MIN);
    refused(6, 5, &[2, 2], &[isize::MIN, isize::MAX], isize::MIN + 5);
    for (shape, strides) in [(&[2, 3][..], &[3][..]), (&[], &[1]), (&[0, 2], &[1])] {
        let message = format!("`strides` has {} elements, not {}", strides.len(), shape.len());
        assert_refused((6, 0, shape, strides), "strides", &message);
    }
}

/// Some that are refused are distinct: which is what the page says.
#[test]
fn repeated_elements_are_not_written() {
    let repeated = Some((
        "strides",
        "the strides may lead to one element more than once".to_owned(),
    ));
    for (shape, strides) in [
        (&[2][..], &[0][..]),
        (&[2, 2], &[1, 1]),
        (&[2, 2], &[1, -1]),
        (&[3, 2], &[1, 2]),
        (&[2, 3], &[2, 1]),
        (&[2, 2, 2], &[1, 2, 3]),
        (&[3, 2], &[2, 3]),
        (&[1, 2, 1, 2], &[1, 1, 1, 1]),
    ] {
        let offset = 10;
        assert_eq!(
            error_of(20, offset, shape, strides),
            [None, repeated.clone()],
            "{shape:?}, {strides:?}"
        );
    }
    for (shape, strides) in [
        (&[2, 2][..], &[1, 2][..]),
        (&[2, 2], &[-2, 1]),
        (&[2, 3], &[3, -1]),
        (&[2, 2, 2], &[4, 2, 1]),
        (&[2, 2, 2], &[2, 1, 4]),
        (&[2, 2], &[2, 3]),
        (&[2, 1, 2], &[1, 1, 2]),
        (&[0, 2, 2], &[0, 0, 0]),
    ] {
        assert_eq!(error_of(20, 10, shape, strides), [None, None], "{shape:?}, {strides:?}");
    }
}

#[test]
fn unequal_shapes_are_refused() {
    let x = [1.0_f32; 12];
    let two = Strided::new(&x, 0, &[3, 4], &[4, 1]);
    let others: [(&[usize], &[isize], &str); 3] = [
        (&[3, 3], &[3, 1], "on axis 1 `NAME` has 3 indices, `input` has 4"),
        (&[4, 4], &[0, 1], "on axis 0 `NAME` has 4 indices, `input` has 3"),
        (&[3], &[1], "`NAME` is 1-dimensional, `input` 2-dimensional"),
    ];
    for (shape, strides, message) in others {
        let message = |name: &str| format!("tensors of unequal shape: {}", message.replace("NAME", name));
        let mut written = [7.0; 16];
        let strides_mut: &[isize] = if strides.len() == 2 { &[4, 1] } else { strides };
        let other = Strided::new(&x, 0, shape, strides);
        let mut right = x;
        let mut right = StridedMut::new(&mut right, 0, &[3, 4], &[4, 1]);
        let mut wrong = StridedMut::new(&mut written, 0, shape, strides_mut);
        let errors = [
            LeakyRelu::default().try_forward_strided(two, &mut wrong),
            Relu.try_backward_strided(two, other, &mut right),
            Relu.try_backward_strided(two, two, &mut wrong),
            Relu.try_backward_strided_inplace(two, &mut wrong),
        ];
        let names = ["output", "grad_output", "grad_input", "grad"];
        for (error, name) in errors.into_iter().zip(names) {
            let error = error.unwrap_err();
            assert_eq!((error.argument(), error.to_string()), (name, message(name)));
        }
        assert_eq!(written, [7.0; 16]);
    }
}
