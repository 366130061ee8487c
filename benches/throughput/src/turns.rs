//! Timing of ways to do the same, which take turns, so that what else the machine does hits all of them.

use std::time::{Duration, Instant};

use workload::calls_per_round;

use crate::figures::{Reference, Times, median};

/// Of `run(way, calls)`, whose way 0 is compared with the fastest of the others, which `reference` names.
pub fn take_turns(reference: Reference, ways: usize, mut run: impl FnMut(usize, u32)) -> Times {
    let mut ns_per_call = |way, calls| {
        let start = Instant::now();
        run(way, calls);
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    // The first calls also warm the caches up.
    let calls = calls_per_round(100_000.0, |calls| ns_per_call(1, calls));
    let mut rounds = Vec::new();
    let start = Instant::now();
    loop {
        rounds.push((0..ways).map(|way| ns_per_call(way, calls)).collect());
        let elapsed = start.elapsed();
        // Four times as many of them where they differ.
        let is_enough = |most: usize, time| rounds.len() >= 5 && (rounds.len() >= most || elapsed >= time);
        if is_enough(25, Duration::from_millis(50)) {
            let times = times(&rounds, reference);
            if !times.is_noisy || is_enough(100, Duration::from_millis(200)) {
                return times;
            }
        }
    }
}

fn times(rounds: &[Vec<f64>], reference: Reference) -> Times {
    let of_way = |way| rounds.iter().map(move |round: &Vec<f64>| round[way]);
    let median_of = |way| median(of_way(way).collect()).expect("at least one round");
    let (fastest, reference_ns) = (1..rounds[0].len())
        .map(|way| (way, median_of(way)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("at least one reference");
    let shares = of_way(fastest).zip(of_way(0)).map(|(reference, ns)| reference / ns);
    let mut shares: Vec<f64> = shares.collect();
    shares.sort_by(f64::total_cmp);
    let quarter = shares.len() / 4;
    let quartiles = [shares[quarter], shares[shares.len() - 1 - quarter]];
    let ns = median_of(0);
    Times {
        ns,
        reference_ns,
        quartiles: Some(quartiles),
        is_noisy: is_noisy(reference_ns / ns, quartiles, reference),
    }
}

pub fn is_noisy(share: f64, [low, high]: [f64; 2], reference: Reference) -> bool {
    high - low > reference.tolerance() * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_is_the_fastest_by_its_median() {
        // The second reference is faster but once.
        let rounds = [
            [10.0, 20.0, 8.0],
            [10.0, 20.0, 9.0],
            [20.0, 20.0, 8.0],
            [10.0, 1.0, 8.0],
            [10.0, 20.0, 80.0],
        ];
        let times = times(&rounds.map(Vec::from), Reference::Limit);
        assert_eq!((times.ns, times.reference_ns), (10.0, 8.0));
        // Of 0.8, 0.9, 0.4, 0.8, 8.
        assert_eq!(times.quartiles, Some([0.8, 0.9]));
        assert!(times.is_noisy);
    }
}
