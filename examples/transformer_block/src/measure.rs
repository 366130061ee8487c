//! Both ways to the same result, checked and timed.

use std::time::Instant;

use command_line::print;

use crate::matrices::Shape;

const ROUNDS: usize = 15;

#[derive(Clone, Copy, PartialEq)]
pub enum Direction {
    Forward,
    Backward,
}

#[derive(Clone, Copy)]
pub enum Way {
    Separate,
    Fused,
}

/// Two products of matrices with an activation between them. Backward comes after forward.
pub trait Mlp {
    fn shape(&self) -> Shape;

    /// The products of matrices before the activation, or before its gradient.
    fn before(&mut self, direction: Direction);

    fn forward_separate(&mut self);
    fn forward_fused(&mut self);
    fn backward_separate(&mut self);
    fn backward_fused(&mut self);

    fn activate(&mut self, direction: Direction, way: Way) {
        match (direction, way) {
            (Direction::Forward, Way::Separate) => self.forward_separate(),
            (Direction::Forward, Way::Fused) => self.forward_fused(),
            (Direction::Backward, Way::Separate) => self.backward_separate(),
            (Direction::Backward, Way::Fused) => self.backward_fused(),
        }
    }

    /// The products of matrices after it, backward also those for the weights.
    fn after(&mut self, direction: Direction);

    /// What [`activate`](Self::activate) writes.
    fn results(&mut self, direction: Direction) -> Vec<&mut [u8]>;
}

/// Prints a table of its times, after a check.
pub fn report(mlp: &mut impl Mlp, name: &str) -> Result<(), String> {
    let Shape {
        tokens, hidden, inner, ..
    } = mlp.shape();
    print(&format!(
        "\n{name}: {tokens} tokens, {hidden} to {inner} to {hidden}\n  {:<9} {:>11} {:>11} {:>9} {:>15} {:>15} {:>9}\n",
        "", "separate µs", "fused µs", "x", "separate share", "fused share", "GFLOP/s"
    ))?;
    let mut agree = true;
    for (direction, name, products) in [
        (Direction::Forward, "forward", 1.0),
        (Direction::Backward, "backward", 2.0),
    ] {
        agree &= do_agree(mlp, direction);
        let [separate, fused] = times(mlp, direction);
        let share = |times: Times| 100.0 * times.activation / (times.activation + times.products);
        print(&format!(
            "  {name:<9} {:>11.1} {:>11.1} {:>9.2} {:>13.1} % {:>13.1} % {:>9.1}\n",
            separate.activation / 1e3,
            fused.activation / 1e3,
            separate.activation / fused.activation,
            share(separate),
            share(fused),
            products * mlp.shape().operations() / fused.products,
        ))?;
    }
    if !agree {
        return Err(format!("{name}: the results of separate and fused passes differ"));
    }
    print("  results   separate and fused passes agree, bit for bit\n")
}

fn do_agree(mlp: &mut impl Mlp, direction: Direction) -> bool {
    mlp.before(direction);
    let [separate, fused] = [Way::Separate, Way::Fused].map(|way| {
        // Leaves nothing of the other way's result.
        mlp.results(direction).into_iter().for_each(|bytes| bytes.fill(0xff));
        mlp.activate(direction, way);
        mlp.results(direction).concat()
    });
    separate == fused
}

/// In nanoseconds.
#[derive(Clone, Copy)]
struct Times {
    activation: f64,
    /// Of matrices.
    products: f64,
}

/// Medians. The ways take turns, so that what else the machine does hits both.
fn times(mlp: &mut impl Mlp, direction: Direction) -> [Times; 2] {
    let mut rounds = [const { [Vec::new(), Vec::new()] }; 2];
    for _ in 0..ROUNDS {
        for (way, [activations, products]) in [Way::Separate, Way::Fused].into_iter().zip(&mut rounds) {
            let before = ns(|| mlp.before(direction));
            activations.push(ns(|| mlp.activate(direction, way)));
            products.push(before + ns(|| mlp.after(direction)));
        }
    }
    rounds.map(|[activations, products]| Times {
        activation: median(activations),
        products: median(products),
    })
}

fn ns(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_nanos() as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
