//! Nothing is accessed beside the slices of a call: they end, and start, at pages that can't be.

#![allow(unsafe_code)]
#![cfg(unix)]

#[macro_use]
mod common;

use std::any::type_name;
use std::io::Write;
use std::mem::{MaybeUninit, take};
use std::sync::Mutex;

use bytemuck::Pod;
use common::all_kernels;
use rectify::{
    Channels, ClippedRelu, Crelu, Element, Fused, Isa, Kernels, LeakyRelu, OneBitGradient, PRelu, ReGlu, Relu, Rows,
    RowsMut,
};

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
    /// In the lowest bit, whether the next slice ends where its memory does, instead of starting there.
    at_end: usize,
}

impl<'a> Slices<'a> {
    fn output<T: Pod>(&mut self, len: usize) -> &'a mut [T] {
        let (memory, others) = take(&mut self.memories).split_first_mut().unwrap();
        self.memories = others;
        let bytes = len * size_of::<T>();
        let start = if self.at_end & 1 == 0 { 0 } else { memory.len() - bytes };
        self.at_end >>= 1;
        bytemuck::cast_slice_mut(&mut memory[start..start + bytes])
    }

    fn input<T: Pod>(&mut self, len: usize) -> &'a [T] {
        self.output(len)
    }

    fn uninit<T: Pod>(&mut self, len: usize) -> &'a mut [MaybeUninit<T>] {
        let output: &mut [T] = self.output(len);
        // SAFETY: nothing is written to it but `T`.
        unsafe { &mut *(std::ptr::from_mut(output) as *mut [MaybeUninit<T>]) }
    }

    /// Rows with as much again between them, and nothing after the last one.
    fn strided<T: Pod>(&mut self, rows: usize, columns: usize) -> RowsMut<'a, T> {
        let output = self.output((2 * rows).saturating_sub(1) * columns);
        RowsMut::with_stride(output, columns, 2 * columns)
    }

    fn strided_input<T: Pod>(&mut self, rows: usize, columns: usize) -> Rows<'a, T> {
        let input = self.input((2 * rows).saturating_sub(1) * columns);
        Rows::with_stride(input, columns, 2 * columns)
    }
}

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "it is for Debug")]
struct Case {
    call: &'static str,
    format: &'static str,
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
}

/// The name of a call is its code.
macro_rules! call {
    ($run:expr, |$slices:ident| $call:expr) => {
        $run.call(stringify!($call), |$slices| {
            let _ = $call;
        })
    };
}

fn activation<T: Element + Pod>(run: &mut Run, k: Kernels, f: impl OneBitGradient, len: usize) {
    let bytes = len.div_ceil(8);
    call!(run, |s| k.forward(f, s.input::<T>(len), s.output(len)));
    call!(run, |s| k.forward_inplace(f, s.output::<T>(len)));
    call!(run, |s| k.forward_uninit(f, s.input::<T>(len), s.uninit(len)));
    call!(run, |s| k.backward(f, s.input::<T>(len), s.input(len), s.output(len)));
    call!(run, |s| k.backward_inplace(f, s.input::<T>(len), s.output(len)));
    call!(run, |s| k.backward_uninit(
        f,
        s.input::<T>(len),
        s.input(len),
        s.uninit(len)
    ));
    call!(run, |s| k.forward_mask(
        f,
        s.input::<T>(len),
        s.output(len),
        s.output(bytes)
    ));
    call!(run, |s| k.forward_mask_inplace(f, s.output::<T>(len), s.output(bytes)));
    call!(run, |s| k.backward_mask(
        f,
        s.input(bytes),
        s.input::<T>(len),
        s.output(len)
    ));
    call!(run, |s| k.backward_mask_inplace(f, s.input(bytes), s.output::<T>(len)));
}

fn tensors<T: Element<Sum: Pod> + Pod>(run: &mut Run, k: Kernels, rows: usize, columns: usize) {
    let (f, len) = (LeakyRelu::default(), rows * columns);
    let fused = Fused::<_, T>::new(f).on(k);
    call!(run, |s| fused.backward(s.input(len), s.input(len), s.output(len)));
    call!(run, |s| fused
        .residual(s.strided_input(rows, columns))
        .forward(s.strided_input(rows, columns), s.strided(rows, columns)));
    call!(run, |s| fused.backward(
        s.strided_input(rows, columns),
        s.strided_input(rows, columns),
        s.strided(rows, columns)
    ));
    for (layout, channels) in [(Channels::Last, columns), (Channels::First { spatial: columns }, rows)] {
        call!(run, |s| fused
            .bias(s.input(channels), layout)
            .forward(s.input(len), s.output(len)));
        call!(run, |s| fused
            .bias(s.input(channels), layout)
            .residual(s.input(len))
            .forward_inplace(s.output(len)));
        call!(run, |s| fused
            .bias(s.input(channels), layout)
            .residual(s.strided_input(rows, columns))
            .forward(s.strided_input(rows, columns), s.strided(rows, columns)));
        call!(run, |s| fused.backward_bias(
            s.input(len),
            s.input(len),
            s.output(len),
            layout,
            s.output(channels)
        ));
        call!(run, |s| fused.backward_bias_inplace(
            s.strided_input(rows, columns),
            s.strided(rows, columns),
            layout,
            s.output(channels)
        ));
        macro_rules! prelu {
            ($s:ident) => {
                PRelu::<T>::new($s.input(channels), layout).on(k)
            };
        }
        call!(run, |s| prelu!(s).forward(s.input(len), s.output(len)));
        call!(run, |s| prelu!(s).forward_inplace(s.strided(rows, columns)));
        call!(run, |s| prelu!(s).backward(
            s.input(len),
            s.input(len),
            s.output(len),
            s.output(channels)
        ));
        call!(run, |s| prelu!(s).backward_inplace(
            s.strided_input(rows, columns),
            s.strided(rows, columns),
            s.output(channels)
        ));
    }
    let (reglu, crelu) = (ReGlu::new().on(k), Crelu::new().on(k));
    call!(run, |s| reglu.forward(s.input::<T>(len), s.input(len), s.output(len)));
    call!(run, |s| reglu.forward_inplace(s.output::<T>(len), s.input(len)));
    call!(run, |s| reglu.backward(
        s.strided_input::<T>(rows, columns),
        s.strided_input(rows, columns),
        s.input(len),
        s.strided(rows, columns),
        s.output(len)
    ));
    call!(run, |s| crelu.forward(
        s.input::<T>(len),
        s.output(len),
        s.strided(rows, columns)
    ));
    call!(run, |s| crelu.backward(
        s.input::<T>(len),
        s.input(len),
        s.input(len),
        s.output(len)
    ));
}

/// Of any vector.
const VECTOR_BYTES: usize = 64;

/// Every one up to four vectors and one, and some from those on where stores are aligned (512 bytes) or go past the caches.
fn lengths<T>() -> impl Iterator<Item = usize> {
    let lanes = VECTOR_BYTES / size_of::<T>();
    let longer = [512, STREAMING_THRESHOLD].map(|bytes| bytes / size_of::<T>());
    let more = [0, 1, 3, lanes - 1, lanes, 3 * lanes + 7];
    (0..=4 * lanes + 1).chain(longer.into_iter().flat_map(move |len| more.map(|more| len + more)))
}

/// In bytes of a call: the longest slices of every call come to as much.
const STREAMING_THRESHOLD: usize = 1500;

/// Tensors are walked slowly without optimisation, so that one of some lengths has to do; of 11, because no vector's length is a
/// multiple.
const TENSOR_STRIDE: usize = if cfg!(debug_assertions) { 11 } else { 1 };

fn check<T: Element<Sum: Pod> + Pod>() {
    let mut memories = [(); 5].map(|()| guarded(8 * STREAMING_THRESHOLD));
    for k in all_kernels() {
        let mut run = |rows, columns, calls: &dyn Fn(&mut Run)| {
            let (isa, format) = (k.isa(), type_name::<T>());
            let case = Case {
                call: "",
                format,
                isa,
                rows,
                columns,
                at_end: 0,
            };
            calls(&mut Run {
                memories: &mut memories,
                case,
            });
        };
        for len in lengths::<T>() {
            run(1, len, &|run| {
                activation::<T>(run, k, ClippedRelu::RELU6, len);
                activation::<T>(run, k, LeakyRelu::default(), len);
                call!(run, |s| k.count_zeros(s.input::<T>(len)));
            });
        }
        // Sums of columns are of 256 rows each.
        for (rows, columns) in lengths::<T>()
            .step_by(TENSOR_STRIDE)
            .map(|len| (2, len))
            .chain([(7, 3), (258, 1)])
        {
            run(rows, columns, &|run| tensors::<T>(run, k, rows, columns));
        }
    }
}

#[test]
fn every_slice_may_end_or_start_at_a_guard_page() {
    rectify::set_streaming_threshold(STREAMING_THRESHOLD);
    let report: extern "C" fn(libc::c_int) = report;
    handle_faults(report as libc::sighandler_t);
    each_format!(check());
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
