/// As many calls as it takes for the clock to be of no weight: `ns` nanoseconds. The least of three times decides: what interrupts one
/// of them would else make the calls too few.
pub fn calls_per_round(ns: f64, mut ns_per_call: impl FnMut(u32) -> f64) -> u32 {
    let mut calls = 1;
    while (0..3).any(|_| f64::from(calls) * ns_per_call(calls) <= ns) {
        calls *= 2;
    }
    calls
}
