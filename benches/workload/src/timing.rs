/// As many calls as it takes for the clock to be of no weight: `ns` nanoseconds. The least of three times decides: what interrupts one
/// of them would else make the calls too few.
pub fn calls_per_round(ns: f64, mut ns_per_call: impl FnMut(u32) -> f64) -> u32 {
    let mut calls = 1;
    while (0..3).any(|_| f64::from(calls) * ns_per_call(calls) <= ns) {
        calls *= 2;
    }
    calls
}

/// Of ways to do the same, which take turns, so that what else the machine does hits all of them: the nanoseconds of a call that a quarter
/// of the rounds stay below.
pub fn lower_quartiles(ways: usize, rounds: usize, mut ns_per_call: impl FnMut(usize) -> f64) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); ways];
    for round in 0..rounds {
        // There and back, so that no way always comes after the same one.
        for at in 0..ways {
            let way = if round % 2 == 0 { at } else { ways - 1 - at };
            times[way].push(ns_per_call(way));
        }
    }
    let lower_quartile = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 4]
    };
    times.into_iter().map(lower_quartile).collect()
}
