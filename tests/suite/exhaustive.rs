//! Every bit pattern of an `f32`, by each function on each instruction set, against the definition.
//!
//! By default a sample. `EXHAUSTIVE_STRIDE=1 cargo test --release --test suite exhaustive` takes all 2^32 patterns, some minutes.
//! `EXHAUSTIVE_FUNCTIONS=mish,elu` takes only these.

use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rectify::Kernels;

use crate::common::all_kernels;
use crate::common::format::Format;
use crate::common::functions::{Case, FUNCTIONS, Function};

const PATTERNS: u64 = 1 << 32;

/// Of one thread at a time: what belongs to so many stays in its cache.
const CHUNK: u64 = 1 << 14;

/// Takes about a second. Odd, so that all low bits are met.
const DEFAULT_STRIDE: u64 = if cfg!(debug_assertions) { 131_071 } else { 4093 };

/// What came out wrong.
pub type Outcome = Result<(), String>;

struct Chunk<'a> {
    kernels: &'a [Kernels],
    x: Vec<u32>,
    g: Vec<u32>,
    output: Vec<u32>,
}

impl Chunk<'_> {
    /// Each output of `run` on each instruction set.
    fn compare(&mut self, what: &str, expected: &[u32], run: impl Fn(Kernels, &[f32], &[f32], &mut [f32])) -> Outcome {
        let [x, g] = [&self.x, &self.g].map(|bits| bytemuck::cast_slice(bits));
        for &k in self.kernels {
            self.output.fill(0x5a5a_5a5a);
            run(k, x, g, bytemuck::cast_slice_mut(&mut self.output));
            if self.output != expected {
                let i = (0..expected.len()).find(|&i| self.output[i] != expected[i]).unwrap();
                let [x, g, output, expected] = [self.x[i], self.g[i], self.output[i], expected[i]];
                let isa = k.isa();
                return Err(format!(
                    "{what} on {isa}: {output:#010x} instead of {expected:#010x} for x = {x:#010x}, gradient {g:#010x}"
                ));
            }
        }
        Ok(())
    }

    /// With the masks too, where it has them.
    fn function(&mut self, case: Case) -> Outcome {
        let f = case.activation();
        let y: Vec<u32> = self
            .x
            .iter()
            .map(|&x| case.forward(Format::F32, x.into()) as u32)
            .collect();
        let gradient = |(&x, &g): (&u32, &u32)| case.backward(Format::F32, x.into(), g.into()) as u32;
        let grad: Vec<u32> = self.x.iter().zip(&self.g).map(gradient).collect();
        self.compare(&format!("{f:?} forward"), &y, |k, x, _, y| k.forward(f, x, y))?;
        self.compare(&format!("{f:?} backward"), &grad, |k, x, g, y| k.backward(f, x, g, y))?;

        let (Some(is_live), Some(f)) = (case.function.live, f.one_bit()) else {
            return Ok(());
        };
        let is_live = |&x: &u32| is_live(Format::F32, case.parameters, x.into());
        let live: Vec<bool> = self.x.iter().map(is_live).collect();
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
        let mask: Vec<u8> = live.chunks(8).map(byte).collect();
        let count = live.iter().filter(|&&is_live| is_live).count();
        for &k in self.kernels {
            let mut output = vec![0x5a; mask.len()];
            let live = k.forward_mask(
                f,
                bytemuck::cast_slice(&self.x),
                bytemuck::cast_slice_mut::<_, f32>(&mut self.output),
                &mut output,
            );
            if output != mask || live != count {
                let i = (0..mask.len()).find(|&i| output[i] != mask[i]).unwrap_or(0);
                let (x, isa) = (self.x[8 * i], k.isa());
                return Err(format!(
                    "{f:?} on {isa}: mask {:#010b} from {x:#010x} on, {live} live instead of {count}",
                    output[i]
                ));
            }
        }
        self.compare(&format!("{f:?} forward_mask"), &y, |k, x, _, y| {
            k.forward_mask(f, x, y, &mut vec![0; mask.len()]);
        })?;
        self.compare(&format!("{f:?} backward_mask"), &grad, |k, _, g, y| {
            k.backward_mask(f, &mask, g, y)
        })
    }

    fn check(&mut self) -> Outcome {
        let mut functions = FUNCTIONS.iter().filter(|function| is_selected(function));
        functions.try_for_each(|function| self.function(function.default()))
    }
}

/// Says from time to time how far it is; nothing in a short run.
struct Progress {
    start: Instant,
    last: Instant,
}

impl Progress {
    const PAUSE: Duration = Duration::from_secs(5);

    /// In chunks of `size` patterns.
    fn tell(&mut self, done: u64, all: u64, size: u64) {
        if self.last.elapsed() < Self::PAUSE {
            return;
        }
        self.last = Instant::now();
        let left = self
            .start
            .elapsed()
            .mul_f64((all - done) as f64 / done as f64)
            .as_secs();
        let [done, all] = [done, all].map(|chunks| chunks * size / (1 << 18));
        let (start, end) = if stderr().is_terminal() {
            ("\r", "  ")
        } else {
            ("", "\n")
        };
        // Not by a macro, whose output a test keeps for itself.
        let _ = write!(
            stderr(),
            "{start}exhaustive: {done} of {all} MiB of patterns, {left} s left{end}"
        );
    }
}

/// Those with few bits of a mantissa, such as the integers at which a formula changes, and those next to them.
fn edges() -> Vec<u32> {
    let next_to = |high: u32| [-1, 0, 1].map(|step| (high << 20).wrapping_add_signed(step));
    (0..1 << 12).flat_map(next_to).collect()
}

/// Whether `EXHAUSTIVE_FUNCTIONS` has its name, or isn't set.
pub fn is_selected(function: &Function) -> bool {
    static SELECTED: LazyLock<Option<Vec<&str>>> = LazyLock::new(|| {
        let names = std::env::var("EXHAUSTIVE_FUNCTIONS").ok()?;
        Some(names.split(',').map(|name| Function::named(name).name).collect())
    });
    SELECTED.as_ref().is_none_or(|names| names.contains(&function.name))
}

/// One of so many patterns is taken.
pub fn stride() -> u64 {
    std::env::var("EXHAUSTIVE_STRIDE").map_or(DEFAULT_STRIDE, |stride| {
        let stride = stride.parse().ok().filter(|&stride| stride > 0);
        stride.expect("EXHAUSTIVE_STRIDE is a positive number")
    })
}

/// Checks the patterns of f32 that the stride selects and those at the edges.
pub fn for_patterns(check: &(impl Fn(Vec<u32>) -> Outcome + Sync)) {
    let stride = stride();
    // The edges, and then all.
    let chunks = 1 + PATTERNS.div_ceil(stride).div_ceil(CHUNK);
    in_parallel(chunks, CHUNK, &|chunk| {
        check(chunk.checked_sub(1).map_or_else(edges, |chunk| {
            let patterns = (chunk * CHUNK..(chunk + 1) * CHUNK).map(|i| i * stride);
            patterns.map_while(|pattern| u32::try_from(pattern).ok()).collect()
        }))
    });
}

/// Checks so many chunks of `size` patterns on all cores.
pub fn in_parallel(chunks: u64, size: u64, check: &(impl Fn(u64) -> Outcome + Sync)) {
    let require = |outcome: Outcome| outcome.unwrap_or_else(|message| panic!("{message}"));
    if cfg!(target_family = "wasm") {
        // It has no threads.
        (0..chunks).map(check).for_each(require);
        return;
    }
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let chunk = next.fetch_add(1, Ordering::Relaxed)
                    && chunk < chunks
                    && sender.send(check(chunk)).is_ok()
                {}
            });
        }
        drop(sender);
        let now = Instant::now();
        let mut progress = Progress { start: now, last: now };
        for (outcome, done) in outcomes.iter().zip(1..) {
            // The others have nobody to report to then, and end.
            require(outcome);
            progress.tell(done, chunks, size);
        }
    });
}

#[test]
fn every_pattern_is_as_defined() {
    let kernels = all_kernels();
    for_patterns(&|x| {
        // Every pattern once, as the factor is odd.
        let g = x.iter().map(|x| x.wrapping_mul(0x9e37_79b1)).collect();
        let output = vec![0; x.len()];
        let mut chunk = Chunk {
            kernels: &kernels,
            x,
            g,
            output,
        };
        chunk.check()
    });
}
