//! Has kernels in place only: out of place, x is copied first.

use half::f16;
use tract_linalg::Func;

use crate::{Number, Slices};

pub type Kernel<T> = Box<dyn Fn(&mut [T])>;

pub trait Kernels: Number {
    fn kernel(function: Func) -> Kernel<Self>;

    /// ReLU.
    fn leaky_relu_of_0() -> Kernel<Self>;
}

macro_rules! kernels {
    ($($format:ident: $kernel:ident $kernel_of_slope:ident;)+) => {
        $(
            impl Kernels for $format {
                fn kernel(function: Func) -> Kernel<Self> {
                    let kernel = function.$kernel().expect("a kernel of tract's");
                    Box::new(move |x| kernel.run(x).expect("tract runs"))
                }

                fn leaky_relu_of_0() -> Kernel<Self> {
                    let kernel = Func::LeakyRelu.$kernel_of_slope().expect("a kernel of tract's");
                    Box::new(move |x| kernel.run_with_params(x, Default::default()).expect("tract runs"))
                }
            }
        )+
    };
}

kernels! {
    f32: ew_f32 ew_f32_param;
    f16: ew_f16 ew_f16_param;
}

pub fn time<T: Kernels>(function: &str, slices: Slices<T>, calls: usize) -> Option<f64> {
    let kernel = match function {
        "relu" => T::leaky_relu_of_0(),
        "sigmoid" => T::kernel(Func::Sigmoid),
        "tanh" => T::kernel(Func::Tanh),
        "gelu_tanh" => T::kernel(Func::Gelu),
        "silu" => T::kernel(Func::Silu),
        _ => return None,
    };
    match slices {
        Slices::Forward(x, y) => crate::time(calls, y, |y| {
            y.copy_from_slice(x);
            kernel(y);
        }),
        Slices::ForwardInplace(x) => crate::time(calls, x, kernel),
        _ => None,
    }
}
