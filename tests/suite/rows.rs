//! What tensors may be.

use rectify::{Activation, Channels, Crelu, Fused, LeakyRelu, OneBitGradient, PRelu, ReGlu, Relu, Rows, RowsMut};

const SPATIAL_2: Channels = Channels::First { spatial: 2 };

#[test]
fn slices_arrays_vectors_and_rows_are_the_same() {
    let x = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0];
    let expected = [2.0, 0.0, 4.0, 0.0, 6.0, 0.0];
    let fused = Fused::new(Relu).bias(&[1.0, 0.0], Channels::Last);

    let mut array = [0.0; 6];
    fused.forward(&x, &mut array);
    assert_eq!(array, expected);
    let mut vector = x.to_vec();
    fused.forward_inplace(&mut vector);
    assert_eq!(vector, expected);
    let mut output = vec![0.0; 6];
    fused.forward(&x[..], &mut output[..]);
    assert_eq!(output, expected);
    let mut output = vec![0.0; 6];
    fused.forward(Rows::new(&x, 3), &mut RowsMut::new(&mut output, 6));
    assert_eq!(output, expected);
}

#[test]
fn halves_of_rows() {
    let x = [1.0_f32, -2.0, 10.0, 20.0, 3.0, 4.0, 30.0, 40.0];
    let (a, b) = Rows::new(&x, 4).split_at_column(2);
    assert_eq!((a.rows(), a.columns(), a.stride()), (2, 2, 4));
    let mut y = [0.0; 4];
    ReGlu::new().forward(a, b, &mut y);
    assert_eq!(y, [10.0, 0.0, 90.0, 160.0]);

    let mut grad = [f32::NAN; 8];
    let (mut grad_a, mut grad_b) = RowsMut::new(&mut grad, 4).split_at_column(2);
    ReGlu::new().backward(a, b, &[1.0; 4], &mut grad_a, &mut grad_b);
    assert_eq!(grad, [10.0, 0.0, 1.0, 0.0, 30.0, 40.0, 3.0, 4.0]);

    let mut both = [0.0; 8];
    let (mut positive, mut negative) = RowsMut::new(&mut both, 4).split_at_column(2);
    Crelu::new().forward(a, &mut positive, &mut negative);
    assert_eq!(both, [1.0, 0.0, 0.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
}

/// Two views of rows between each other, one of them written: no slice can be made of either.
#[allow(unsafe_code)]
#[test]
fn rows_whose_gaps_belong_to_others() {
    let mut memory = [1.0_f32, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0, 9.0];
    let start = memory.as_mut_ptr();
    // SAFETY: two rows of two numbers and two of one, with strides of 4 and 3, in the array: no number is in both. They are
    // used as long as the pointer.
    let (mut written, read) = unsafe {
        (
            RowsMut::from_raw_parts(start, 2, 2, 4),
            Rows::from_raw_parts(start.add(3).cast_const(), 2, 1, 3),
        )
    };
    assert_eq!((written.rows(), written.columns(), written.stride()), (2, 2, 4));
    let mut sums = [0.0];
    Fused::new(Relu).backward_bias(read, &[10.0, 20.0], &mut [0.0; 2], Channels::Last, &mut sums);
    assert_eq!(sums, [20.0]);
    Fused::new(Relu)
        .bias(&[1.0, -1.0], Channels::Last)
        .forward_inplace(&mut written);
    assert_eq!(memory, [2.0, 0.0, 3.0, -4.0, 6.0, 0.0, 7.0, -8.0, 9.0]);

    // No rows, and rows without elements, where there is no memory.
    let dangling = std::ptr::NonNull::<f32>::dangling().as_ptr();
    for (rows, columns) in [(0, 3), (3, 0)] {
        // SAFETY: no element is accessed.
        let mut empty = unsafe { RowsMut::from_raw_parts(dangling, rows, columns, 3) };
        Fused::new(Relu).forward_inplace(&mut empty);
    }
}

#[test]
fn empty_tensors_are_fine() {
    let empty: [f32; 0] = [];
    let (mut output, mut grad_bias) = ([0.0_f32; 0], [1.0; 3]);
    Fused::new(Relu).forward(&empty, &mut output);
    for channels in [Channels::Last, SPATIAL_2, Channels::First { spatial: 0 }] {
        Fused::new(Relu)
            .bias(&[1.0, 2.0], channels)
            .residual(&empty)
            .forward(&empty, &mut output);
        Fused::new(Relu).bias::<f32>(&[], channels).forward_inplace(&mut output);
        grad_bias.fill(1.0);
        Fused::new(Relu).backward_bias(&empty, &empty, &mut output, channels, &mut grad_bias);
        assert_eq!(grad_bias, [0.0; 3]);
        PRelu::new(&[0.5, 0.25, 1.0], channels).backward(&empty, &empty, &mut output, &mut grad_bias);
    }
    ReGlu::new().forward(&empty, &empty, &mut output);
    Crelu::new().forward(&empty, &mut output, &mut [0.0_f32; 0]);
    assert_eq!(Relu.forward_mask(&empty, &mut output, &mut []), 0);
    Relu.backward_mask_inplace(&[], &mut output);
}

/// A positive slope for each channel is a leaky ReLU of it; one for all is one channel.
#[test]
fn slopes_are_those_of_leaky_relus() {
    let x: Vec<f32> = (-40..40).map(|x| x as f32 / 7.0).collect();
    let mut expected = vec![0.0; 80];
    LeakyRelu::new(0.25).forward(&x, &mut expected);
    let mut y = vec![0.0; 80];
    PRelu::new(&[0.25], Channels::First { spatial: 80 }).forward(&x, &mut y);
    assert_eq!(y, expected);
    PRelu::new(&[0.25; 5], Channels::Last).forward(&x, &mut y);
    assert_eq!(y, expected);
    PRelu::new(&[0.25; 4], Channels::First { spatial: 10 }).forward(&x, &mut y);
    assert_eq!(y, expected);
}

/// Bit for bit, the order of sums included: contiguous, and with a gap after each row of one element.
#[test]
fn channels_first_with_one_element_are_channels_last() {
    let first = Channels::First { spatial: 1 };
    // An interpreter takes minutes for the last ones.
    let large: &[_] = if cfg!(miri) {
        &[]
    } else {
        &[(300, 5), (3, 1030), (2, 2051)]
    };
    for &(images, channels) in [(1, 1), (1, 3), (3, 1), (7, 9)].iter().chain(large) {
        let len = images * channels;
        let numbers = |step: usize| -> Vec<f32> { (0..len).map(|i| (i * step % 2003) as f32 / 7.0 - 143.0).collect() };
        let [x, g, residual] = [5, 11, 7].map(numbers);
        let params: Vec<f32> = (0..channels).map(|channel| channel as f32 / 3.0 - 1.0).collect();
        // Each element in the first of `stride` columns.
        let spread = |numbers: &[f32], stride: usize| -> Vec<f32> {
            let gap = vec![f32::NAN; stride - 1];
            numbers
                .iter()
                .flat_map(|&number| [&[number], &gap[..]].concat())
                .collect()
        };
        let outputs = |layout: Channels, stride: usize| -> Vec<Vec<u32>> {
            let [x, g, residual] = [&x, &g, &residual].map(|numbers| spread(numbers, stride));
            // Rows of one element, or those that the layout has.
            let columns = if layout == first { 1 } else { len };
            let rows = |numbers| Rows::with_stride(numbers, columns, columns * stride);
            let mut all = Vec::new();
            let mut run = |call: &dyn Fn(&mut RowsMut<'_, f32>, &mut [f32])| {
                let (mut output, mut sums) = (g.clone(), vec![7.0; channels]);
                call(
                    &mut RowsMut::with_stride(&mut output, columns, columns * stride),
                    &mut sums,
                );
                let elements = output.iter().step_by(stride);
                all.push(elements.chain(&sums).map(|number| number.to_bits()).collect());
            };
            let fused = Fused::new(Relu).bias(&params, layout);
            run(&|output, _| fused.forward(rows(&x), output));
            run(&|output, _| fused.residual(rows(&residual)).forward_inplace(output));
            run(&|output, sums| Fused::new(Relu).backward_bias(rows(&x), rows(&g), output, layout, sums));
            let prelu = PRelu::new(&params, layout);
            run(&|output, _| prelu.forward(rows(&x), output));
            run(&|output, sums| prelu.backward_inplace(rows(&x), output, sums));
            all
        };
        let last = outputs(Channels::Last, 1);
        assert!(outputs(first, 1) == last, "{images} images of {channels} channels");
        assert!(
            outputs(first, 3) == last,
            "{images} images of {channels} channels, with gaps"
        );
    }
}

/// What a stride is matters to more than one row only.
#[test]
fn strides_as_long_as_they_can_be() {
    let mut x = [-1.0_f32, 2.0, -3.0, 4.0];
    let mut row = RowsMut::with_stride(&mut x, 4, usize::MAX);
    Fused::new(Relu)
        .bias(&[1.0; 4], Channels::Last)
        .forward_inplace(&mut row);
    assert_eq!(x, [0.0, 3.0, 0.0, 5.0]);

    let mut empty = [0.0_f32; 0];
    let mut no_rows = RowsMut::with_stride(&mut empty, 5, usize::MAX);
    Fused::new(Relu)
        .bias(&[1.0, 2.0], Channels::First { spatial: 5 })
        .forward_inplace(&mut no_rows);
    // Tensors without columns may differ in rows, which have no stride then.
    for elements in [0, 1] {
        let input = Rows::with_stride(&x[..elements], 0, usize::MAX);
        let mut output = RowsMut::with_stride(&mut [], 0, 1);
        Fused::new(Relu).forward(input, &mut output);
        Fused::new(Relu).forward(input, &mut RowsMut::with_stride(&mut [0.0; 5], 0, 1));
    }

    let spatial = Channels::First { spatial: usize::MAX };
    Fused::new(Relu).bias(&[1.0], spatial).forward_inplace(&mut empty);
    let mut grad_bias = [1.0; 2];
    Fused::new(Relu).backward_bias_inplace(&[], &mut empty, spatial, &mut grad_bias);
    assert_eq!(grad_bias, [0.0; 2]);
}

/// Short rows are walked several at a time, with the bias again and again, and those that are left one by one.
#[test]
fn short_rows() {
    let (rows, columns) = (19, 3);
    let numbers = |step: i32| -> Vec<f32> { (0..57).map(|i| (i * step % 23 - 11) as f32).collect() };
    let (x, residual, bias) = (numbers(5), numbers(7), [1.0, -2.0, 0.5]);
    let expected: Vec<f32> = (0..rows * columns)
        .map(|i| (x[i] + bias[i % columns] + residual[i]).max(0.0))
        .collect();
    let fused = Fused::new(Relu).bias(&bias, Channels::Last).residual(&residual);

    let mut y = vec![0.0; x.len()];
    fused.forward(&x, &mut y);
    assert_eq!(y, expected);
    y.copy_from_slice(&x);
    fused.forward_inplace(&mut y);
    assert_eq!(y, expected);
}
