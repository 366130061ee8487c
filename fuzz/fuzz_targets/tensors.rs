//! Functions on rows of matrices: every instruction set and several threads against scalar code on rows without gaps.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rectify::Channels;
use rectify_fuzz::common::calls::{self, Before, Way};
use rectify_fuzz::common::format::Format;
use rectify_fuzz::common::functions::Case;
use rectify_fuzz::common::guarded::Bytes;
use rectify_fuzz::common::tensor::{Shape, Tensor};
use rectify_fuzz::{Elements, SCALAR, all_ways, any_case, any_misalignment, any_streaming};

fuzz_target!(|data: &[u8]| {
    // Work is only split among the threads of a pool. Of one, which does the parts in order: the same coverage each time.
    static POOL: LazyLock<rayon::ThreadPool> = LazyLock::new(|| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .use_current_thread()
            .build()
            .unwrap()
    });
    LazyLock::force(&POOL);
    let _ = run(Unstructured::new(data));
});

#[derive(Clone, Copy, Debug)]
struct Options {
    is_inplace: bool,
    /// Or first.
    channels_last: bool,
    has_bias: bool,
    has_residual: bool,
    has_scale: bool,
}

#[derive(Clone, Copy, Debug)]
enum Function {
    Fused,
    FusedBackward,
    PRelu,
    PReluBackward,
    ReGlu,
    ReGluBackward,
    Crelu,
    CreluBackward,
}

/// What is written: two tensors and sums.
#[derive(PartialEq)]
struct Results([Vec<u8>; 2], Bytes);

struct Call {
    format: Format,
    case: Case,
    function: Function,
    options: Options,
    columns: usize,
    /// Of each channel one.
    numbers: Bytes,
    inputs: [Bytes; 3],
}

fn run(mut u: Unstructured) -> Result<()> {
    let (format, case) = any_case(&mut u, |_| true)?;
    use Function::*;
    let functions = [
        Fused,
        FusedBackward,
        PRelu,
        PReluBackward,
        ReGlu,
        ReGluBackward,
        Crelu,
        CreluBackward,
    ];
    let function = *u.choose(&functions)?;
    let [is_inplace, channels_last, has_bias, has_residual, has_scale] = u.arbitrary()?;
    let options = Options {
        is_inplace,
        channels_last,
        has_bias,
        has_residual,
        has_scale,
    };
    any_streaming(&mut u)?;
    let is_large = u.int_in_range(0..=63)? == 21; // rarely, and not where the input has ended
    let (channels, images) = (u.int_in_range(0..=12)?, u.int_in_range(0..=3)?);
    let rows = channels * images;
    let columns = if is_large && rows > 0 {
        // What several threads take.
        (LARGE_BYTES / format.bytes() + u.int_in_range(0..=255)?) / rows
    } else {
        let most = *u.choose(&[20, 300, 9000])?;
        u.int_in_range(0..=most)? / rows.max(1)
    };
    let channels = if options.channels_last { columns } else { channels };
    let contiguous = Shape {
        rows,
        columns,
        gap: 0,
        misalignment: 0,
    };
    let mut shapes = [contiguous; 5];
    for shape in &mut shapes {
        shape.misalignment = any_misalignment(&mut u, format)?;
        // A row of nothing at the end would leave no trace.
        shape.gap = if columns == 0 {
            0
        } else {
            *u.choose(&[0, 0, 0, 1, 3, 16])?
        };
        // All in one row, as slices are.
        if shape.gap == 0 && u.arbitrary()? {
            (shape.rows, shape.columns) = (1, rows * columns);
        }
    }
    let are_finite = u.arbitrary()?;
    let mut elements = Elements::take_rest(u, format, case)?;
    elements.are_finite = are_finite;
    let numbers = format.to_bytes(elements.bits(channels));
    let inputs = [(); 3].map(|()| format.to_bytes(elements.bits(rows * columns)));
    let call = Call {
        format,
        case,
        function,
        options,
        columns,
        numbers,
        inputs,
    };
    let expected = call.results(SCALAR(), [contiguous; 5]);
    // On one thread each instruction set has seen enough with less.
    for way in all_ways().filter(|way| !is_large || matches!(way, Way::Parallel)) {
        let results = call.results(way, shapes);
        assert!(
            results == expected,
            "{:?}, {function:?} of {format:?} on {way}: {options:?}, {channels} channels, {rows} rows of {columns}, {shapes:?}",
            case.activation(),
        );
    }
    Ok(())
}

/// With an output as large, enough for two parts.
const LARGE_BYTES: usize = (1 << 20) + (1 << 10);

impl Call {
    fn results(&self, way: Way, [a_shape, b_shape, c_shape, y_shape, z_shape]: [Shape; 5]) -> Results {
        let Options {
            is_inplace,
            channels_last,
            has_bias,
            has_residual,
            has_scale,
        } = self.options;
        let layout = if channels_last {
            Channels::Last
        } else {
            Channels::First { spatial: self.columns }
        };
        let (format, f) = (self.format, self.case.activation());
        let tensor = |values: &Bytes, shape| Tensor::new(format.bytes(), values, shape);
        let [a_bytes, b_bytes, c_bytes] = &self.inputs;
        let tensors = [
            tensor(a_bytes, a_shape),
            tensor(b_bytes, b_shape),
            tensor(c_bytes, c_shape),
        ];
        let [a, b, c] = tensors.each_ref().map(|input| input.view());
        // In place it is the input that is overwritten.
        let before = match self.function {
            Function::FusedBackward | Function::PReluBackward if is_inplace => b_bytes,
            _ if is_inplace => a_bytes,
            _ => c_bytes,
        };
        let [mut y, mut z] = [tensor(before, y_shape), tensor(c_bytes, z_shape)];
        let (y_view, z_view) = (y.view_mut(), z.view_mut());
        let numbers = (&self.numbers[..], layout);
        let count = self.numbers.len() / format.bytes();
        let mut sums = Bytes::filled(0, count * format.sums().bytes());

        let scale = || has_scale.then(|| numbers.into());
        let unless_inplace = |view| (!is_inplace).then_some(view);
        match self.function {
            Function::Fused => {
                let added = Before::added(has_bias.then_some(numbers), has_residual.then_some(b));
                let before = Before {
                    scale: scale(),
                    ..added
                };
                calls::fused_forward(format, way, f, before, unless_inplace(a), y_view);
            }
            Function::FusedBackward => {
                let sums = has_bias.then_some((&mut sums[..], layout));
                calls::fused_backward(format, way, f, scale(), (a, unless_inplace(b)), y_view, sums);
            }
            Function::PRelu => calls::prelu(format, way, numbers, unless_inplace(a), y_view),
            Function::PReluBackward => {
                calls::prelu_backward(format, way, numbers, (a, unless_inplace(b)), y_view, &mut sums);
            }
            Function::ReGlu => calls::reglu(format, way, (unless_inplace(a), b), y_view),
            Function::ReGluBackward => calls::reglu_backward(format, way, [a, b, c], [y_view, z_view]),
            Function::Crelu => calls::crelu(format, way, a, [y_view, z_view]),
            Function::CreluBackward => calls::crelu_backward(format, way, [a, b, c], y_view),
        }
        for (tensor, values) in tensors.iter().zip(&self.inputs) {
            assert!(*tensor.values() == **values, "{:?} wrote to an input", self.function);
        }
        Results([y, z].map(|output| output.values()), sums)
    }
}
