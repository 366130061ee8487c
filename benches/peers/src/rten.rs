use std::mem::MaybeUninit;

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdUnaryOp};
use rten_vecmath::{ApproxGelu, Elu, Gelu, Sigmoid, Silu, Swish, Tanh};

use crate::Slices;

pub fn time(function: &str, slices: Slices<f32>, calls: usize) -> Option<f64> {
    match function {
        "relu" => time_op(Max0, slices, calls),
        "sigmoid" => time_op(Sigmoid {}, slices, calls),
        "tanh" => time_op(Tanh {}, slices, calls),
        "gelu" => time_op(Gelu {}, slices, calls),
        "gelu_tanh" => time_op(ApproxGelu {}, slices, calls),
        "silu" => time_op(Silu {}, slices, calls),
        "QuickGelu" => time_op(Swish { alpha: 1.702 }, slices, calls),
        "elu" => time_op(Elu { alpha: 1.0 }, slices, calls),
        _ => None,
    }
}

fn time_op(op: impl SimdUnaryOp<f32>, slices: Slices<f32>, calls: usize) -> Option<f64> {
    match slices {
        Slices::Forward(x, y) => crate::time(calls, y, |y| {
            // SAFETY: `map` writes numbers only.
            let y = unsafe { &mut *(std::ptr::from_mut(y) as *mut [MaybeUninit<f32>]) };
            op.map(x, y);
        }),
        Slices::ForwardInplace(x) => crate::time(calls, x, |x| op.map_mut(x)),
        _ => None,
    }
}

/// rten has no kernel of its own for ReLU: this is one on its vectors. NaN becomes 0 or stays by instruction set.
struct Max0;

impl SimdUnaryOp<f32> for Max0 {
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
        let ops = isa.f32();
        ops.max(x, ops.zero())
    }
}
