//! Every bit pattern of an `f32`, by each function on each instruction set, against its table in the documentation.
//!
//! By default a sample. `EXHAUSTIVE_STRIDE=1 cargo test --release --test exhaustive` takes all 2^32 patterns, some minutes.

mod common;

use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::all_kernels;
use rectify::{
    Activation, ClippedRelu, HardSigmoid, HardSwish, Hardtanh, Kernels, LeakyRelu, OneBitGradient, Relu, SquaredRelu,
    ThresholdedRelu,
};

const PATTERNS: u64 = 1 << 32;

/// Of one thread at a time: what belongs to so many stays in its cache.
const CHUNK: u64 = 1 << 14;

/// Takes about a second. Odd, so that all low bits are met.
const DEFAULT_STRIDE: u64 = if cfg!(debug_assertions) { 131_071 } else { 4093 };

/// What came out wrong.
type Outcome = Result<(), String>;

/// Exactly.
fn value(bits: u32) -> f64 {
    f32::from_bits(bits).into()
}

/// Rounded as an `f32`. Sums and products of two of them that are rounded to an `f64` first come out the same.
fn round(number: f64) -> f64 {
    (number as f32).into()
}

fn bits(number: f64) -> u32 {
    (number as f32).to_bits()
}

fn is_nan(bits: u32) -> bool {
    bits << 1 > 0xff00_0000
}

/// The product of a gradient and a number, as bits: a NaN comes out quiet.
fn product(g: u32, factor: f64) -> u32 {
    if is_nan(g) {
        g | 1 << 22
    } else {
        bits(value(g) * factor)
    }
}

fn keep(is_kept: bool, bits: u32) -> u32 {
    if is_kept { bits } else { 0 }
}

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

    fn function(
        &mut self,
        f: impl Activation,
        forward: impl Fn(u32) -> u32,
        backward: impl Fn(u32, u32) -> u32,
    ) -> Outcome {
        let expected: Vec<u32> = self.x.iter().map(|&x| forward(x)).collect();
        self.compare(&format!("{f:?} forward"), &expected, |k, x, _, y| k.forward(f, x, y))?;
        let expected: Vec<u32> = self.x.iter().zip(&self.g).map(|(&x, &g)| backward(x, g)).collect();
        self.compare(&format!("{f:?} backward"), &expected, |k, x, g, y| {
            k.backward(f, x, g, y)
        })
    }

    /// With the masks too; the gradient is g or `otherwise`, by whether x is live.
    fn one_bit_function(
        &mut self,
        f: impl OneBitGradient,
        forward: impl Fn(u32) -> u32,
        is_live: impl Fn(f64) -> bool,
        otherwise: impl Fn(u32) -> u32,
    ) -> Outcome {
        let backward = |x, g| if is_live(value(x)) { g } else { otherwise(g) };
        self.function(f, &forward, backward)?;

        let live: Vec<bool> = self.x.iter().map(|&x| is_live(value(x))).collect();
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
        let expected: Vec<u32> = self.x.iter().map(|&x| forward(x)).collect();
        self.compare(&format!("{f:?} forward_mask"), &expected, |k, x, _, y| {
            k.forward_mask(f, x, y, &mut vec![0; mask.len()]);
        })?;
        let expected: Vec<u32> = self.x.iter().zip(&self.g).map(|(&x, &g)| backward(x, g)).collect();
        self.compare(&format!("{f:?} backward_mask"), &expected, |k, _, g, y| {
            k.backward_mask(f, &mask, g, y)
        })
    }

    /// By the tables of the functions' pages.
    #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "the pages have it so, for the NaNs")]
    fn check(&mut self) -> Outcome {
        let passes = |x: f64| !(x <= 0.0);
        self.one_bit_function(Relu, |x| keep(passes(value(x)), x), passes, |_| 0)?;

        let slope = round(0.01);
        let leaky = |x| if passes(value(x)) { x } else { product(x, slope) };
        self.one_bit_function(LeakyRelu::new(0.01), leaky, passes, |g| product(g, slope))?;

        let clipped = |x| {
            if value(x) >= 6.0 {
                bits(6.0)
            } else {
                keep(passes(value(x)), x)
            }
        };
        self.one_bit_function(ClippedRelu::RELU6, clipped, |x| !(x <= 0.0 || x >= 6.0), |_| 0)?;

        let hardtanh = |x| match value(x) {
            number if number < -1.0 => bits(-1.0),
            number if number > 1.0 => bits(1.0),
            _ => x,
        };
        self.one_bit_function(Hardtanh::default(), hardtanh, |x| !(x <= -1.0 || x >= 1.0), |_| 0)?;

        let is_above = |x: f64| !(x <= 1.0);
        self.one_bit_function(
            ThresholdedRelu::default(),
            |x| keep(is_above(value(x)), x),
            is_above,
            |_| 0,
        )?;

        let squared = |x, square| if is_nan(x) { x } else { keep(value(x) > 0.0, square) };
        self.function(
            SquaredRelu,
            |x| squared(x, bits(value(x) * value(x))),
            |x, g| {
                let is_zero = value(g) == 0.0;
                let twice = if is_nan(g) { g } else { bits(2.0 * value(g)) };
                squared(x, if is_zero { g } else { product(twice, value(x)) })
            },
        )?;

        let (sixth, third) = (round(1.0 / 6.0), round(1.0 / 3.0));
        let line = |slope: f64, x: u32| round(round(slope * value(x)) + 0.5);
        self.function(
            HardSigmoid::default(),
            |x| {
                if is_nan(x) {
                    x
                } else {
                    keep(line(sixth, x) > 0.0, bits(line(sixth, x).min(1.0)))
                }
            },
            |x, g| keep(!(line(sixth, x) <= 0.0 || line(sixth, x) >= 1.0), product(g, sixth)),
        )?;

        let is_through = |x| is_nan(x) || value(x) >= 3.0;
        self.function(
            HardSwish,
            |x| {
                if is_through(x) {
                    x
                } else {
                    keep(value(x) > -3.0, bits(value(x) * line(sixth, x)))
                }
            },
            |x, g| match line(third, x) {
                _ if is_nan(x) => x,
                _ if is_through(x) => g,
                slope => keep(value(x) > -3.0 && slope != 0.0, product(g, slope)),
            },
        )
    }
}

/// Says from time to time how far it is; nothing in a short run.
struct Progress {
    start: Instant,
    last: Instant,
}

impl Progress {
    const PAUSE: Duration = Duration::from_secs(5);

    fn tell(&mut self, done: u64, all: u64) {
        if self.last.elapsed() < Self::PAUSE {
            return;
        }
        self.last = Instant::now();
        let left = self
            .start
            .elapsed()
            .mul_f64((all - done) as f64 / done as f64)
            .as_secs();
        let [done, all] = [done, all].map(|chunks| chunks * CHUNK / (1 << 18));
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

/// Those with few bits of a mantissa, such as the whole numbers at which a table changes, and those next to them.
fn edges() -> Vec<u32> {
    let next_to = |high: u32| [-1, 0, 1].map(|step| (high << 20).wrapping_add_signed(step));
    (0..1 << 12).flat_map(next_to).collect()
}

#[test]
fn every_pattern_gives_what_the_tables_say() {
    let stride = std::env::var("EXHAUSTIVE_STRIDE").map_or(DEFAULT_STRIDE, |stride| {
        let stride = stride.parse().ok().filter(|&stride| stride > 0);
        stride.expect("EXHAUSTIVE_STRIDE is a positive number")
    });
    let kernels = all_kernels();
    // The edges, and then all.
    let chunks = 1 + PATTERNS.div_ceil(stride).div_ceil(CHUNK);
    let next = AtomicU64::new(0);
    let check = |chunk: u64| {
        let x = chunk.checked_sub(1).map_or_else(edges, |chunk| {
            let patterns = (chunk * CHUNK..(chunk + 1) * CHUNK).map(|i| i * stride);
            patterns.map_while(|pattern| u32::try_from(pattern).ok()).collect()
        });
        // Every pattern once, as the factor is odd.
        let g = x.iter().map(|x| x.wrapping_mul(0x9e37_79b1)).collect();
        let output = vec![0; x.len()];
        Chunk {
            kernels: &kernels,
            x,
            g,
            output,
        }
        .check()
    };
    thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (sender, next, check) = (sender.clone(), &next, &check);
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
            outcome.unwrap_or_else(|message| panic!("{message}"));
            progress.tell(done, chunks);
        }
    });
}
