//! The ways to the same result, checked and timed.

use std::time::Instant;

use crate::block::{Block, Sums};
use crate::format::Format;

const ROUNDS: usize = 9;

#[derive(Clone, Copy)]
struct Pass<'a, T: Format> {
    name: &'static str,
    /// How many are read or written; a mask is a part of one.
    tensors: f64,
    run: fn(&mut Block<'a, T>),
}

struct Comparison<'a, T: Format> {
    name: &'static str,
    /// Untimed.
    prepare: fn(&mut Block<'a, T>),
    /// As an engine without fusion, or masks, goes; and the other one.
    ways: [Vec<Pass<'a, T>>; 2],
    /// How much is wrong.
    check: fn(&Block<'a, T>, Sums) -> usize,
}

/// Backward takes y and the mask from forward, which comes before it.
fn comparisons<'a, T: Format>() -> [Comparison<'a, T>; 5] {
    let pass = |name, tensors, run| Pass { name, tensors, run };
    let mask = 1.0 / (8 * size_of::<T>()) as f64;
    let add_bias_inplace = pass("add the bias", 2.0, Block::add_bias_inplace);
    let add_skip_inplace = pass("add skip", 3.0, Block::add_skip_inplace);
    let relu_inplace = pass("relu_inplace", 2.0, Block::relu_inplace);
    let relu_mask_inplace = pass("relu_mask_inplace", 2.0 + mask, Block::relu_mask_inplace);
    let fused_inplace = pass("fused", 3.0, Block::fused_inplace);
    let relu_backward = pass("relu_backward", 3.0, Block::relu_backward);
    [
        Comparison {
            name: "forward, in place",
            prepare: Block::prepare_forward,
            ways: [
                vec![add_bias_inplace, add_skip_inplace, relu_inplace],
                vec![fused_inplace],
            ],
            check: Block::wrong_outputs,
        },
        Comparison {
            name: "forward, x stays",
            prepare: Block::prepare_forward,
            ways: [
                vec![
                    pass("add the bias, to y", 2.0, Block::add_bias),
                    add_skip_inplace,
                    relu_inplace,
                ],
                vec![pass("fused, to y", 3.0, Block::fused)],
            ],
            check: Block::wrong_outputs,
        },
        Comparison {
            name: "forward with a mask, in place",
            prepare: Block::prepare_forward,
            ways: [
                vec![add_bias_inplace, add_skip_inplace, relu_mask_inplace],
                vec![fused_inplace, relu_mask_inplace],
            ],
            check: |block, sums| block.wrong_outputs(sums) + block.wrong_mask(),
        },
        Comparison {
            name: "backward from y, or from the mask",
            prepare: Block::prepare_backward,
            ways: [
                vec![relu_backward],
                vec![pass("relu_backward_mask", 2.0 + mask, Block::relu_backward_mask)],
            ],
            check: |block, _| block.wrong_gradients(),
        },
        Comparison {
            name: "backward with the gradient of the bias",
            prepare: Block::prepare_backward,
            ways: [
                vec![relu_backward, pass("sum of each channel", 1.0, Block::sum_grad_bias)],
                vec![pass("fused", 3.0, Block::fused_backward)],
            ],
            check: |block, _| block.wrong_gradients() + block.wrong_grad_bias(),
        },
    ]
}

/// Whether all of them give what they have to, bit for bit.
pub fn check<T: Format>(block: &mut Block<T>) -> Result<(), String> {
    for Comparison {
        name,
        prepare,
        ways,
        check,
    } in comparisons()
    {
        for (way, sums) in ways.iter().zip([Sums::Separate, Sums::Fused]) {
            prepare(block);
            way.iter().for_each(|pass| (pass.run)(block));
            let wrong = check(block, sums);
            if wrong != 0 {
                return Err(format!("{name}: {} gave {wrong} wrong results", way[0].name));
            }
        }
    }
    Ok(())
}

/// Each comparison as lines of the table, as soon as it is there.
pub fn time<T: Format>(block: &mut Block<T>, print: impl Fn(&str) -> Result<(), String>) -> Result<(), String> {
    let tensor_bytes = size_of_val(block.y) as f64;
    let line = |name, tensors: f64, ns: f64| {
        let gb_per_s = tensors * tensor_bytes / ns;
        format!("\n  {name:<24} {:>10.1} {gb_per_s:>7.1}", ns / 1e3)
    };
    for comparison in comparisons() {
        let mut text = comparison.name.to_owned();
        let times = times(&comparison, block);
        let totals = times
            .each_ref()
            .map(|rounds| median(rounds.iter().map(|round| round.iter().sum())));
        for ((way, rounds), total) in comparison.ways.iter().zip(times).zip(totals) {
            for (i, pass) in way.iter().enumerate() {
                text += &line(pass.name, pass.tensors, median(rounds.iter().map(|round| round[i])));
            }
            if way.len() > 1 {
                text += &line("together", way.iter().map(|pass| pass.tensors).sum(), total);
            }
        }
        let [first, second] = totals;
        print(&format!("{text} {:>7.2} x\n", first / second))?;
    }
    Ok(())
}

/// In nanoseconds, of each pass in each round of both ways. These take turns, so that what else the machine does hits both.
fn times<'a, T: Format>(comparison: &Comparison<'a, T>, block: &mut Block<'a, T>) -> [Vec<Vec<f64>>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (way, rounds) in comparison.ways.iter().zip(&mut times) {
            (comparison.prepare)(block);
            let time = |pass: &Pass<'a, T>| {
                let start = Instant::now();
                (pass.run)(block);
                start.elapsed().as_nanos() as f64
            };
            rounds.push(way.iter().map(time).collect());
        }
    }
    times
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
