//! The times of the layers.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rectify::{Kernels, streaming_threshold};
use shapes::plain::Number;
use shapes::shape::Shape;
use workload::{Limit, Memory, calls_per_round, lower_quartiles};

use crate::layers::{Epilogue, Layer, Network};
use crate::peer::Peer;
use crate::results::Row;
use crate::tensors::{Numbers, Params, SLICES, Tensors};
use crate::{Options, ours, plain};

const WARM_UP_CALLS: usize = 4;

/// Layers of more elements take so long that fewer rounds do.
const LONG: usize = 1 << 20;

/// What takes longer needs no more: its memory is that of slow loops.
const WARM_UP: Duration = Duration::from_millis(10);

/// Several threads are awake after it, as those of a program that computes all the time.
const WAKING: Duration = Duration::from_millis(5);

/// The threads of a library may spin after its last call: those of PyTorch for 7 to 9 ms.
const SPINNING: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, PartialEq)]
pub enum Pass {
    /// Forward, with a scale and a bias where they are.
    Inference,
    /// Forward and backward, on what has its bias already: a batch norm isn't folded, and a matrix product adds it.
    Training,
}

impl Pass {
    pub const ALL: [(&'static str, Self); 2] = [("inference", Self::Inference), ("training", Self::Training)];

    pub fn name(self) -> &'static str {
        if self == Self::Inference {
            "inference"
        } else {
            "training"
        }
    }
}

/// Who computes a layer.
enum Way<'a> {
    Limit(Limit),
    Plain,
    Separate,
    Fused,
    Peer(&'a mut Peer),
}

impl Way<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Limit(_) => "limit",
            Self::Plain => "plain",
            Self::Separate => "separate",
            Self::Fused => "fused",
            Self::Peer(peer) => &peer.name,
        }
    }
}

pub fn all(networks: &[Network], options: &Options, scratch: &Path) -> Result<Vec<Row>, String> {
    let numbers = Numbers::new();
    let file = scratch.join(format!("networks-{}.f32", std::process::id()));
    numbers
        .write(&file)
        .map_err(|error| command_line::cannot_write(&file, &error))?;
    let result = all_with(networks, options, &numbers, &file);
    let _ = std::fs::remove_file(&file);
    result
}

fn all_with(networks: &[Network], options: &Options, numbers: &Numbers, file: &Path) -> Result<Vec<Row>, String> {
    let layers = || networks.iter().flat_map(|network| &network.layers);
    let shapes = layers().flat_map(|layer| options.batches().into_iter().map(|batch| options.shape(*layer, batch)));
    let most = shapes.map(Shape::elements).max().unwrap_or(0);
    let mut memory = Memory::<SLICES>::new(most * size_of::<f32>()).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for threads in options.threads() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| error.to_string())?;
        let peers = options.peers.iter().map(|given| Peer::start(given, file, threads));
        let mut peers: Vec<_> = peers.collect::<Result<_, _>>()?;
        for network in networks {
            for batch in options.batches() {
                for pass in options.passes() {
                    for &layer in &network.layers {
                        let mut run = Run {
                            row: Row::new(network.name, layer, options.shape(layer, batch), (pass, batch, threads)),
                            layer,
                            pass,
                            threads,
                            numbers,
                            is_tiny: options.is_tiny,
                        };
                        macro_rules! measure {
                            ($($T:ty),+) => {
                                $(if options.has_format(<$T as workload::Format>::NAME) {
                                    // On a thread of the pool, since splitting starts from there.
                                    rows.extend(pool.install(|| run.measure::<$T>(&mut memory, &mut peers))?);
                                })+
                            };
                        }
                        measure!(f32, rectify::bf16);
                    }
                }
                eprintln!("networks: {}, batch {batch}, {threads} threads", network.name);
            }
        }
    }
    Ok(rows)
}

struct Run<'a> {
    row: Row,
    layer: Layer,
    pass: Pass,
    threads: usize,
    numbers: &'a Numbers,
    is_tiny: bool,
}

impl Run<'_> {
    /// A row a way.
    fn measure<T: Number<Sum = f32>>(
        &mut self,
        memory: &mut Memory<SLICES>,
        peers: &mut [Peer],
    ) -> Result<Vec<Row>, String> {
        let kernels = Kernels::best();
        let mut params = Params::default();
        let shape = self.row.shape;
        let mut tensors = Tensors::<T>::new(memory, &mut params, self.numbers, shape);
        self.row.format = T::NAME.into();
        let expected = self.sum_of(&Way::Fused, &mut tensors);
        let limit = Limit::of(kernels);
        let mut ways = vec![Way::Fused, Way::Separate, Way::Plain];
        if self.threads == 1 {
            ways.push(Way::Limit(limit));
            let is_beyond_caches = 2 * size_of::<T>() * shape.elements() >= streaming_threshold();
            ways.extend(limit.streaming().filter(|_| is_beyond_caches).map(Way::Limit));
        }
        let line = self.row.question();
        for peer in peers {
            let answer = peer.ask(&line)?;
            match answer.parse() {
                _ if answer == "none" => continue,
                Ok(sum) => check(&peer.name, &line, sum, expected)?,
                Err(_) if answer == "?" => {}
                Err(_) => return Err(format!("{} answers '{answer}'", peer.name)),
            }
            ways.push(Way::Peer(peer));
        }
        for way in [Way::Separate, Way::Plain] {
            let sum = self.sum_of(&way, &mut tensors);
            check(way.name(), &line, sum, expected)?;
        }
        let (round_ns, rounds) = match shape.elements() {
            _ if self.is_tiny => (1e3, 1),
            ..=LONG => (3e5, 9),
            _ => (3e5, 5),
        };
        let calls: Vec<_> = ways
            .iter_mut()
            .map(|way| calls_per_round(round_ns, |calls| self.ns_per_call(way, &mut tensors, calls)))
            .collect();
        let times = lower_quartiles(ways.len(), rounds, |way| {
            let way_calls = calls[way];
            let way = &mut ways[way];
            self.warm_up(way, &mut tensors);
            let ns = self.ns_per_call(way, &mut tensors, way_calls);
            if self.threads > 1 && matches!(way, Way::Peer(_)) {
                thread::sleep(SPINNING);
            }
            ns
        });
        let mut rows: Vec<Row> = Vec::new();
        for (way, ns) in ways.iter().zip(times) {
            if let Some(row) = rows.iter_mut().find(|row| row.way == way.name()) {
                // The limit is the faster one.
                row.ns = row.ns.min(ns);
            } else {
                let way = way.name().into();
                rows.push(Row {
                    way,
                    ns,
                    ..self.row.clone()
                });
            }
        }
        Ok(rows)
    }

    /// Another way before it left the caches with other memory. After candle, whose calls allocate, it takes four calls of ReLU's largest
    /// layers until a call takes as long as the next one; with one, what was timed next took 1.3 times as long.
    fn warm_up<T: Number<Sum = f32>>(&self, way: &mut Way, tensors: &mut Tensors<'_, T>) {
        let start = Instant::now();
        let mut calls = 0;
        while calls < WARM_UP_CALLS || self.threads > 1 && start.elapsed() < WAKING {
            self.ns_per_call(way, tensors, 1);
            calls += 1;
            if start.elapsed() > WARM_UP {
                break;
            }
        }
    }

    fn run<T: Number<Sum = f32>>(&self, way: &Way, tensors: &mut Tensors<'_, T>) {
        let Self {
            layer, pass, threads, ..
        } = *self;
        let kernels = Kernels::best();
        match way {
            Way::Limit(limit) => plain::run_limit(layer, pass, tensors, *limit),
            Way::Plain => plain::run(layer, pass, &mut tensors.exact(), kernels, threads),
            Way::Separate => ours::separate(layer, pass, &mut tensors.exact(), kernels, threads),
            Way::Fused => ours::fused(layer, pass, &mut tensors.exact(), threads),
            Way::Peer(_) => unreachable!("it runs elsewhere"),
        }
    }

    fn ns_per_call<T: Number<Sum = f32>>(&self, way: &mut Way, tensors: &mut Tensors<'_, T>, calls: u32) -> f64 {
        if let Way::Peer(peer) = way {
            let ns = peer.ask(&calls.to_string()).map(|answer| answer.parse::<f64>());
            return ns.expect("it has answered before").expect("a number") / f64::from(calls);
        }
        let start = Instant::now();
        for _ in 0..calls {
            self.run(way, std::hint::black_box(&mut *tensors));
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    }

    /// Of the magnitudes of what is computed, into memory that had something else.
    fn sum_of<T: Number<Sum = f32>>(&self, way: &Way, tensors: &mut Tensors<'_, T>) -> f64 {
        for output in &mut tensors.outputs {
            output.fill(T::rounded(99.0));
        }
        tensors.sums.fill(99.0);
        self.run(way, tensors);
        let tensors = tensors.exact();
        let [y, _, first_gradient, second_gradient] = tensors.outputs;
        let sum = |slice: &[T]| slice.iter().map(|&element| element.into().abs()).sum::<f64>();
        let of_params: f64 = tensors.sums.iter().map(|&sum| f64::from(sum).abs()).sum();
        match (self.pass, self.layer.epilogue) {
            (Pass::Inference, _) => sum(y),
            (Pass::Training, Epilogue::Gate) => sum(first_gradient) + sum(second_gradient),
            (Pass::Training, Epilogue::Bias) => sum(first_gradient) + of_params,
            (Pass::Training, _) => sum(first_gradient),
        }
    }
}

fn check(way: &str, line: &str, sum: f64, expected: f64) -> Result<(), String> {
    if (sum - expected).abs() <= 0.01 * expected {
        return Ok(());
    }
    Err(format!(
        "{way} gave a wrong result for '{line}': magnitudes of {sum} in all instead of {expected}"
    ))
}
