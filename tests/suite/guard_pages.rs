//! Nothing is accessed beside the slices of a call: they end, and start, at pages that can't be.

#![allow(unsafe_code)]

use std::io::Write;
use std::mem::take;
use std::sync::Mutex;

use rectify::{Channels, Isa, Relu};

use crate::common::all_kernels;
use crate::common::calls::{self, Before, ChannelNumbers, Method, Way};
use crate::common::format::Format;
use crate::common::functions::{Case as FunctionCase, FUNCTIONS};
use crate::common::guarded::VECTOR_BYTES;
use crate::common::tensor::{View, ViewMut};
use crate::stream_from;

/// At least so many bytes, with a page on each side that can't be accessed. They stay until the process ends.
fn guarded(bytes: usize) -> &'static mut [u8] {
    // SAFETY: what is asked for is new memory, so it is nobody else's, and zeroed.
    unsafe {
        let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap();
        let bytes = bytes.next_multiple_of(page);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        let pages = libc::mmap(std::ptr::null_mut(), bytes + 2 * page, libc::PROT_NONE, flags, -1, 0);
        assert_ne!(pages, libc::MAP_FAILED);
        let start = pages.byte_add(page);
        assert_eq!(libc::mprotect(start, bytes, libc::PROT_READ | libc::PROT_WRITE), 0);
        std::slice::from_raw_parts_mut(start.cast(), bytes)
    }
}

/// Those of a call, one after the other.
struct Slices<'a> {
    memories: &'a mut [&'static mut [u8]],
    element_bytes: usize,
    /// In the lowest bit, whether the next slice ends where its memory does, instead of starting there.
    at_end: usize,
}

impl<'a> Slices<'a> {
    fn bytes_mut(&mut self, bytes: usize) -> &'a mut [u8] {
        let (memory, others) = take(&mut self.memories).split_first_mut().unwrap();
        self.memories = others;
        let start = if self.at_end & 1 == 0 { 0 } else { memory.len() - bytes };
        self.at_end >>= 1;
        &mut memory[start..start + bytes]
    }

    fn bytes(&mut self, bytes: usize) -> &'a [u8] {
        self.bytes_mut(bytes)
    }

    fn output(&mut self, len: usize) -> &'a mut [u8] {
        self.bytes_mut(len * self.element_bytes)
    }

    fn input(&mut self, len: usize) -> &'a [u8] {
        self.output(len)
    }

    /// A matrix of one row.
    fn row(&mut self, len: usize) -> View<'a> {
        self.row_mut(len).into()
    }

    fn row_mut(&mut self, len: usize) -> ViewMut<'a> {
        let bytes = self.output(len);
        ViewMut {
            bytes,
            columns: len,
            stride: len,
        }
    }

    /// Rows with as much again between them, and nothing after the last one.
    fn rows_mut(&mut self, rows: usize, columns: usize) -> ViewMut<'a> {
        let bytes = self.output((2 * rows).saturating_sub(1) * columns);
        ViewMut {
            bytes,
            columns,
            stride: 2 * columns,
        }
    }

    fn rows(&mut self, rows: usize, columns: usize) -> View<'a> {
        self.rows_mut(rows, columns).into()
    }
}

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "it is for Debug")]
struct Case {
    call: &'static str,
    function: &'static str,
    format: Format,
    isa: Isa,
    rows: usize,
    columns: usize,
    /// A bit for each slice.
    at_end: usize,
}

/// What runs, for the handler of the signal.
static CASE: Mutex<Option<Case>> = Mutex::new(None);

/// Tells what ran, by hand: a test's output is lost in a signal.
extern "C" fn report(signal: libc::c_int) {
    // The fault is in a kernel, which holds no lock and allocates nothing, so this may do both.
    let case = CASE.lock().map(|case| *case);
    let _ = writeln!(std::io::stderr(), "accessed beside a slice: {case:#?}");
    // SAFETY: the default handler has no demands. The access is tried again, and ends the process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// The signals of a forbidden access.
const FAULTS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

fn handle_faults(handler: libc::sighandler_t) {
    for signal in FAULTS {
        // SAFETY: the handler is `report` or the default one.
        assert_ne!(unsafe { libc::signal(signal, handler) }, libc::SIG_ERR);
    }
}

struct Run<'a> {
    memories: &'a mut [&'static mut [u8]],
    case: Case,
}

impl Run<'_> {
    /// Calls it with all slices at their ends, all at their starts, and one alone at its end, another one at the next length:
    /// so that they are aligned alike or not.
    fn call(&mut self, call: &'static str, function: impl Fn(&mut Slices)) {
        let mut run = |at_end| {
            *CASE.lock().unwrap() = Some(Case {
                call,
                at_end,
                ..self.case
            });
            let mut slices = Slices {
                memories: &mut *self.memories,
                element_bytes: self.case.format.bytes(),
                at_end,
            };
            function(&mut slices);
            let left = slices.memories.len();
            self.memories.len() - left
        };
        let count = run(usize::MAX);
        run(0);
        run(1 << (self.case.columns % count));
    }

    fn slices(&mut self, way: Way, case: FunctionCase) {
        let (format, f, len) = (self.case.format, case.activation(), self.case.columns);
        let bytes = len.div_ceil(8);
        self.case.function = case.function.name;
        for (name, method) in [("forward", Method::Forward), ("forward_uninit", Method::ForwardUninit)] {
            self.call(name, |s| {
                calls::map_any(format, way, f, method, [s.input(len), &[]], s.output(len))
            });
        }
        self.call("forward_inplace", |s| {
            calls::map_any(format, way, f, Method::ForwardInplace, [&[]; 2], s.output(len));
        });
        for (name, method) in [
            ("backward", Method::Backward),
            ("backward_uninit", Method::BackwardUninit),
        ] {
            self.call(name, |s| {
                calls::map_any(format, way, f, method, [s.input(len), s.input(len)], s.output(len));
            });
        }
        self.call("backward_inplace", |s| {
            calls::map_any(
                format,
                way,
                f,
                Method::BackwardInplace,
                [s.input(len), &[]],
                s.output(len),
            );
        });
        let Some(f) = f.one_bit() else { return };
        self.call("forward_mask", |s| {
            calls::forward_mask(format, way, f, Some(s.input(len)), s.output(len), s.bytes_mut(bytes));
        });
        self.call("forward_mask_inplace", |s| {
            calls::forward_mask(format, way, f, None, s.output(len), s.bytes_mut(bytes));
        });
        self.call("backward_mask", |s| {
            calls::backward_mask(format, way, f, s.bytes(bytes), Some(s.input(len)), s.output(len));
        });
        self.call("backward_mask_inplace", |s| {
            calls::backward_mask(format, way, f, s.bytes(bytes), None, s.output(len));
        });
    }

    fn fused(&mut self, way: Way, case: FunctionCase) {
        let Case {
            format, rows, columns, ..
        } = self.case;
        let (f, len, sum_bytes) = (case.activation(), rows * columns, format.sums().bytes());
        self.case.function = case.function.name;
        self.call("backward", |s| {
            calls::fused_backward(
                format,
                way,
                f,
                None,
                (s.row(len), Some(s.row(len))),
                s.row_mut(len),
                None,
            );
        });
        self.call("forward of strided rows, with a residual", |s| {
            let residual = Some(s.rows(rows, columns));
            let input = Some(s.rows(rows, columns));
            calls::fused_forward(
                format,
                way,
                f,
                Before::added(None, residual),
                input,
                s.rows_mut(rows, columns),
            );
        });
        self.call("backward of strided rows", |s| {
            let inputs = (s.rows(rows, columns), Some(s.rows(rows, columns)));
            calls::fused_backward(format, way, f, None, inputs, s.rows_mut(rows, columns), None);
        });
        for (layout, channels) in [(Channels::Last, columns), (Channels::First { spatial: columns }, rows)] {
            self.call("forward with a bias", |s| {
                let bias = Some((s.input(channels), layout));
                calls::fused_forward(
                    format,
                    way,
                    f,
                    Before::added(bias, None),
                    Some(s.row(len)),
                    s.row_mut(len),
                );
            });
            self.call("forward_inplace with a bias and a residual", |s| {
                let bias = Some((s.input(channels), layout));
                calls::fused_forward(
                    format,
                    way,
                    f,
                    Before::added(bias, Some(s.row(len))),
                    None,
                    s.row_mut(len),
                );
            });
            self.call("forward of strided rows, with a bias and a residual", |s| {
                let added = Before::added(Some((s.input(channels), layout)), Some(s.rows(rows, columns)));
                let input = Some(s.rows(rows, columns));
                calls::fused_forward(format, way, f, added, input, s.rows_mut(rows, columns));
            });
            for are_sums in [false, true] {
                let size = if are_sums { sum_bytes } else { format.bytes() };
                self.call("forward of strided rows, with a scale and a bias", |s| {
                    let [scale, bias] = [(); 2].map(|()| {
                        let bytes = s.bytes(channels * size);
                        Some(ChannelNumbers {
                            bytes,
                            channels: layout,
                            are_sums,
                        })
                    });
                    let before = Before {
                        scale,
                        bias,
                        residual: None,
                    };
                    let input = Some(s.rows(rows, columns));
                    calls::fused_forward(format, way, f, before, input, s.rows_mut(rows, columns));
                });
            }
            self.call("backward_bias", |s| {
                let (inputs, output) = ((s.row(len), Some(s.row(len))), s.row_mut(len));
                let sums = Some((s.bytes_mut(channels * sum_bytes), layout));
                calls::fused_backward(format, way, f, None, inputs, output, sums);
            });
            self.call("backward_bias_inplace of strided rows", |s| {
                let (inputs, output) = ((s.rows(rows, columns), None), s.rows_mut(rows, columns));
                let sums = Some((s.bytes_mut(channels * sum_bytes), layout));
                calls::fused_backward(format, way, f, None, inputs, output, sums);
            });
        }
    }

    fn tensors(&mut self, way: Way) {
        let Case {
            format, rows, columns, ..
        } = self.case;
        let (len, sum_bytes) = (rows * columns, format.sums().bytes());
        self.case.function = "prelu";
        for (layout, channels) in [(Channels::Last, columns), (Channels::First { spatial: columns }, rows)] {
            self.call("forward", |s| {
                calls::prelu(
                    format,
                    way,
                    (s.input(channels), layout),
                    Some(s.row(len)),
                    s.row_mut(len),
                );
            });
            self.call("forward_inplace of strided rows", |s| {
                calls::prelu(
                    format,
                    way,
                    (s.input(channels), layout),
                    None,
                    s.rows_mut(rows, columns),
                );
            });
            self.call("backward", |s| {
                let slopes = (s.input(channels), layout);
                let (inputs, output) = ((s.row(len), Some(s.row(len))), s.row_mut(len));
                calls::prelu_backward(format, way, slopes, inputs, output, s.bytes_mut(channels * sum_bytes));
            });
            self.call("backward_inplace of strided rows", |s| {
                let slopes = (s.input(channels), layout);
                let (inputs, output) = ((s.rows(rows, columns), None), s.rows_mut(rows, columns));
                calls::prelu_backward(format, way, slopes, inputs, output, s.bytes_mut(channels * sum_bytes));
            });
        }
        self.case.function = "reglu";
        self.call("forward", |s| {
            calls::reglu(format, way, (Some(s.row(len)), s.row(len)), s.row_mut(len));
        });
        self.call("forward_inplace", |s| {
            let output = s.row_mut(len);
            calls::reglu(format, way, (None, s.row(len)), output);
        });
        self.call("backward", |s| {
            let inputs = [s.rows(rows, columns), s.rows(rows, columns), s.row(len)];
            calls::reglu_backward(format, way, inputs, [s.rows_mut(rows, columns), s.row_mut(len)]);
        });
        #[cfg(feature = "smooth")]
        {
            let f = rectify::Sigmoid.into();
            self.case.function = "sigmoid, gated";
            self.call("forward", |s| {
                let inputs = (Some(s.rows(rows, columns)), s.row(len));
                calls::gated(format, way, f, inputs, s.row_mut(len));
            });
            self.call("backward", |s| {
                let inputs = [s.rows(rows, columns), s.rows(rows, columns), s.row(len)];
                calls::gated_backward(format, way, f, inputs, [s.rows_mut(rows, columns), s.row_mut(len)]);
            });
        }
        self.case.function = "crelu";
        self.call("forward", |s| {
            calls::crelu(format, way, s.row(len), [s.row_mut(len), s.rows_mut(rows, columns)]);
        });
        self.call("backward", |s| {
            let inputs = [s.row(len), s.row(len), s.row(len)];
            calls::crelu_backward(format, way, inputs, s.row_mut(len));
        });
    }
}

/// Every one up to four vectors and one, and some from those on where stores are aligned (512 bytes) or go past the caches.
fn lengths(format: Format) -> impl Iterator<Item = usize> {
    let lanes = VECTOR_BYTES / format.bytes();
    let longer = [512, STREAMING_THRESHOLD].map(|bytes| bytes / format.bytes());
    let more = [0, 1, 3, lanes - 1, lanes, 3 * lanes + 7];
    (0..=4 * lanes + 1).chain(longer.into_iter().flat_map(move |len| more.map(|more| len + more)))
}

/// In bytes of a call: the longest slices of every call come to as much.
const STREAMING_THRESHOLD: usize = 1500;

/// Tensors and smooth functions are slow without optimisation, so that one of some lengths has to do; of 11, because no vector's length is
/// a multiple.
const SLOW_STRIDE: usize = if cfg!(debug_assertions) { 11 } else { 1 };

fn check(format: Format) {
    let mut memories = [(); 5].map(|()| guarded(8 * STREAMING_THRESHOLD));
    for kernels in all_kernels() {
        let way = Way::Pinned(kernels);
        let mut run = |rows, columns, calls: &dyn Fn(&mut Run)| {
            let case = Case {
                call: "",
                function: "",
                format,
                isa: kernels.isa(),
                rows,
                columns,
                at_end: 0,
            };
            calls(&mut Run {
                memories: &mut memories,
                case,
            });
        };
        for (i, len) in lengths(format).enumerate() {
            run(1, len, &|run| {
                FUNCTIONS
                    .iter()
                    .filter(|function| !function.is_smooth() || i % SLOW_STRIDE == 0)
                    .for_each(|function| run.slices(way, function.default()));
                run.call("count_zeros", |s| _ = calls::count_zeros(format, way, s.input(len)));
            });
        }
        // Sums of columns are of 256 rows each.
        for (rows, columns) in lengths(format)
            .step_by(SLOW_STRIDE)
            .map(|len| (2, len))
            .chain([(7, 3), (258, 1)])
        {
            run(rows, columns, &|run| {
                FUNCTIONS
                    .iter()
                    .filter(|function| !function.is_walked_as_sigmoid())
                    .for_each(|function| run.fused(way, function.default()));
                run.tensors(way);
            });
        }
    }
}

#[test]
fn every_slice_may_end_or_start_at_a_guard_page() {
    let _streaming = stream_from(STREAMING_THRESHOLD);
    let report: extern "C" fn(libc::c_int) = report;
    handle_faults(report as libc::sighandler_t);
    Format::ALL.iter().copied().for_each(check);
    handle_faults(libc::SIG_DFL);
}

/// Whether `access`, in a process of its own, ends it by a fault.
fn is_fault(access: impl FnOnce()) -> bool {
    // SAFETY: the child, which has one thread, needs no other one: it takes no lock and allocates nothing, but where it panics, and
    // then it ends here too.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            handle_faults(libc::SIG_DFL);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(access));
            libc::_exit(if result.is_ok() { 0 } else { 101 });
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        libc::WIFSIGNALED(status) && FAULTS.contains(&libc::WTERMSIG(status))
    }
}

#[test]
fn an_access_beside_a_slice_is_seen() {
    let memory = guarded(1);
    let (start, len) = (memory.as_mut_ptr(), memory.len());
    for (address, is_beside) in [
        (start.wrapping_sub(1), true),
        (start, false),
        (start.wrapping_add(len - 1), false),
        (start.wrapping_add(len), true),
    ] {
        // SAFETY: it is no memory of Rust's, so that a volatile access may fault.
        let [read, write] = unsafe {
            [
                is_fault(|| _ = address.read_volatile()),
                is_fault(|| address.write_volatile(1)),
            ]
        };
        assert_eq!((read, write), (is_beside, is_beside));
    }
    for k in all_kernels() {
        for too_many in [0, 1] {
            let bytes = VECTOR_BYTES * 2 + 4;
            let call = || {
                let first = start.wrapping_add(len - bytes).cast::<f32>();
                // SAFETY: broken on purpose by the one too many, in a process of its own: that it is not there is what the test is about.
                let x = unsafe { std::slice::from_raw_parts_mut(first, bytes / 4 + too_many) };
                k.forward_inplace(Relu, x);
            };
            assert_eq!(is_fault(call), too_many != 0, "{}", k.isa());
        }
    }
}
