//! Functions on rows of matrices: every instruction set and several threads against scalar code on rows without gaps.

#![no_main]

use std::sync::LazyLock;

use bytemuck::{Pod, Zeroable};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rectify::{Channels, Crelu, Fused, PRelu, ReGlu, Relu};
use rectify_fuzz::format::Format;
use rectify_fuzz::reference::Case;
use rectify_fuzz::tensor::{Shape, Tensor};
use rectify_fuzz::{Elements, Parameters, Way, any_misalignment, any_streaming, with_format};

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

fn run(mut u: Unstructured) -> Result<()> {
    let parameters = Parameters::any(&mut u)?;
    // One that chooses and one that computes: the others are walked in the same ways.
    with_format!(u, F => if u.arbitrary()? {
        check::<F>(u, parameters.leaky(), parameters)
    } else {
        check::<F>(u, Relu, parameters)
    })
}

#[derive(Clone, Copy, Debug)]
struct Options {
    is_inplace: bool,
    /// Or first.
    channels_last: bool,
    has_bias: bool,
    has_residual: bool,
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
type Results<F> = (
    [Vec<<F as Format>::Bits>; 2],
    Vec<<<F as Format>::Sums as Format>::Bits>,
);

struct Call<F: Format, C> {
    case: C,
    function: Function,
    options: Options,
    columns: usize,
    /// Of each channel one.
    numbers: Vec<F::Bits>,
    inputs: [Vec<F::Bits>; 3],
}

fn check<F: Format>(mut u: Unstructured, case: impl Case, parameters: Parameters) -> Result<()> {
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
    let [is_inplace, channels_last, has_bias, has_residual] = u.arbitrary()?;
    let options = Options {
        is_inplace,
        channels_last,
        has_bias,
        has_residual,
    };
    any_streaming(&mut u)?;
    let is_large = u.int_in_range(0..=63)? == 21; // rarely, and not where the input has ended
    let (channels, images) = (u.int_in_range(0..=12)?, u.int_in_range(0..=3)?);
    let rows = channels * images;
    let columns = if is_large && rows > 0 {
        // What several threads take.
        (LARGE_BYTES / size_of::<F>() + u.int_in_range(0..=255)?) / rows
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
        shape.misalignment = any_misalignment::<F>(&mut u)?;
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
    let mut elements = Elements::<F>::take_rest(u, parameters)?;
    elements.are_finite = are_finite;
    let numbers = elements.bits(channels);
    let inputs = [(); 3].map(|()| elements.bits(rows * columns));
    let call = Call::<F, _> {
        case,
        function,
        options,
        columns,
        numbers,
        inputs,
    };
    let expected = call.results(Way::SCALAR(), [contiguous; 5]);
    // On one thread each instruction set has seen enough with less.
    for way in Way::all().filter(|way| !is_large || matches!(way, Way::Parallel)) {
        let results = call.results(way, shapes);
        assert!(
            results == expected,
            "{:?}, {function:?} of {} on {way:?}: {options:?}, {channels} channels, {rows} rows of {columns}, {shapes:?}",
            case.activation(),
            std::any::type_name::<F>(),
        );
    }
    Ok(())
}

/// With an output as large, enough for two parts.
const LARGE_BYTES: usize = (1 << 20) + (1 << 10);

/// `$value`, which has builder methods for the way.
macro_rules! on {
    ($way:expr, $value:expr) => {
        match $way {
            Way::Free => $value,
            Way::Pinned(kernels) => $value.on(kernels),
            Way::Parallel => $value.parallel(),
        }
    };
}

impl<F: Format, C: Case> Call<F, C> {
    fn results(&self, way: Way, [a_shape, b_shape, c_shape, y_shape, z_shape]: [Shape; 5]) -> Results<F> {
        let Options {
            is_inplace,
            channels_last,
            has_bias,
            has_residual,
        } = self.options;
        let layout = if channels_last {
            Channels::Last
        } else {
            Channels::First { spatial: self.columns }
        };
        let numbers: &[F] = bytemuck::cast_slice(&self.numbers);
        let [a_bits, b_bits, c_bits] = &self.inputs;
        let (a, b, c) = (
            Tensor::new(a_bits, a_shape),
            Tensor::new(b_bits, b_shape),
            Tensor::new(c_bits, c_shape),
        );
        // In place it is the input that is overwritten.
        let before = match self.function {
            Function::FusedBackward | Function::PReluBackward if is_inplace => b_bits,
            _ if is_inplace => a_bits,
            _ => c_bits,
        };
        let (mut y, mut z) = (Tensor::new(before, y_shape), Tensor::new(c_bits, z_shape));
        let mut sums = vec![F::Sum::zeroed(); self.numbers.len()];

        let fused = on!(way, Fused::new(self.case.activation()));
        let prelu = on!(way, PRelu::new(numbers, layout));
        let (reglu, crelu) = (on!(way, ReGlu::new()), on!(way, Crelu::new()));
        match self.function {
            Function::Fused => {
                let fused = if has_bias { fused.bias(numbers, layout) } else { fused };
                let fused = if has_residual { fused.residual(b.rows()) } else { fused };
                if is_inplace {
                    fused.forward_inplace(y.rows_mut());
                } else {
                    fused.forward(a.rows(), y.rows_mut());
                }
            }
            Function::FusedBackward => match (has_bias, is_inplace) {
                (false, false) => fused.backward(a.rows(), b.rows(), y.rows_mut()),
                (false, true) => fused.backward_inplace(a.rows(), y.rows_mut()),
                (true, false) => fused.backward_bias(a.rows(), b.rows(), y.rows_mut(), layout, &mut sums),
                (true, true) => fused.backward_bias_inplace(a.rows(), y.rows_mut(), layout, &mut sums),
            },
            Function::PRelu if is_inplace => prelu.forward_inplace(y.rows_mut()),
            Function::PRelu => prelu.forward(a.rows(), y.rows_mut()),
            Function::PReluBackward if is_inplace => prelu.backward_inplace(a.rows(), y.rows_mut(), &mut sums),
            Function::PReluBackward => prelu.backward(a.rows(), b.rows(), y.rows_mut(), &mut sums),
            Function::ReGlu if is_inplace => reglu.forward_inplace(y.rows_mut::<F>(), b.rows()),
            Function::ReGlu => reglu.forward(a.rows::<F>(), b.rows(), y.rows_mut()),
            Function::ReGluBackward => {
                reglu.backward(a.rows::<F>(), b.rows(), c.rows(), y.rows_mut(), z.rows_mut());
            }
            Function::Crelu => crelu.forward(a.rows::<F>(), y.rows_mut(), z.rows_mut()),
            Function::CreluBackward => crelu.backward(a.rows::<F>(), b.rows(), c.rows(), y.rows_mut()),
        }
        let inputs = [a, b, c].map(|input| input.values());
        assert!(inputs == self.inputs, "{:?} wrote to an input", self.function);
        ([y, z].map(|output| output.values()), cast(sums))
    }
}

fn cast<A: Pod, B: Pod>(values: Vec<A>) -> Vec<B> {
    bytemuck::cast_slice(&values).to_vec()
}
