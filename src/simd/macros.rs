//! Macros for the files of instruction sets.

/// Declares an instruction set: a type with the name of its `Isa`, a value of which is the proof that it is available.
///
/// If not every CPU of the compilation target has it, the macro takes its target features. This one list is used for
/// detection and for the functions that enable them. F16C is always added.
macro_rules! isa {
    ($name:ident) => {
        isa!(@declare $name, true, streams false, []);
    };
    ($name:ident: $($feature:tt),+) => {
        // Asks CPUID, and whether the operating system saves the registers. `cpufeatures` has no F16C.
        cpufeatures::new!(cpu, $($feature),+);

        isa!(
            @declare $name, cpu::get() && $crate::simd::cpuid::has_f16c(),
            streams true,
            [
                $(#[target_feature(enable = $feature)])+
                #[target_feature(enable = "f16c")]
            ]
        );
    };
    (
        @declare $name:ident, $is_available:expr, streams $streams:literal,
        [$(#[$target_feature:meta])*]
    ) => {
        #[derive(Clone, Copy)]
        pub struct $name(());

        // SAFETY: `is_available` asks for all features that `enter` and `run` enable.
        unsafe impl $crate::simd::Simd for $name {
            type I16 = I16;
            type I32 = I32;
            type I64 = I64;

            const ISA: $crate::isa::Isa = $crate::isa::Isa::$name;
            const STREAMS: bool = $streams;

            fn is_available() -> bool {
                $is_available
            }

            $(#[$target_feature])*
            unsafe fn enter<L: $crate::simd::SliceLoop>(
                function: *const u8,
                first_input: *const u8,
                last_input: *const u8,
                output: *mut u8,
                len: usize,
                access: $crate::simd::Access,
            ) {
                // SAFETY: the arguments meet the contract of `L`, and the instruction set is available, so that `Self`
                // may be made: this function's contract.
                unsafe { L::walk(Self(()), function, first_input, last_input, output, len, access) }
            }

            $(#[$target_feature])*
            unsafe fn run<P: $crate::simd::Pass>(args: &P::Args) -> P::Output {
                // SAFETY: as in `enter`, with the contract of `P`.
                unsafe { P::walk(Self(()), args) }
            }
        }
    };
}

/// The method [`Vector::compute`](crate::simd::Vector::compute) of a register.
macro_rules! computed_in_registers {
    () => {
        #[inline(always)]
        fn compute<T: $crate::simd::Format<Lane = Self::Lane>, F: $crate::simd::FloatFn<N>, const N: usize>(
            simd: Self::Simd,
            function: F,
            inputs: [Self; N],
        ) -> Self {
            $crate::simd::vector::compute_in_registers::<T, Self, F, N>(simd, function, inputs)
        }
    };
}

/// The items of `Register` for lanes of `f32` and `f64`, which need no conversion to the compute format.
macro_rules! computed_as_they_are {
    () => {
        type Float = Self;

        const FLOATS: usize = 1;

        #[inline(always)]
        fn widen<T: $crate::simd::Format<Lane = Self::Lane>>(self, _: usize) -> Self {
            self
        }

        #[inline(always)]
        fn join<T: $crate::simd::Format<Lane = Self::Lane>>([float, _]: [Self; 2]) -> Self {
            float
        }
    };
}

/// Implements `Float` from intrinsics. `$numbers` and `$bits` cast a register of bits to one of floating-point numbers
/// and back.
#[cfg(any(rectify_neon, rectify_avx2, rectify_avx512))]
macro_rules! float {
    (
        $vector:ident, $numbers:ident, $bits:ident, $($method:ident: $intrinsic:ident),+; is_number($x:ident): $is_number:expr, mul_add($factor:ident, $other:ident, $summand:ident): $mul_add:expr, into_exponent: $shl:expr $(, lesser: $min:ident)? $(, lookup($indices:ident, $table:ident): $lookup:expr)? $(, fold($numbers_of:ident): $fold:expr)? $(, fused($a:ident, $b:ident, $c:ident): $fused:expr)?
    ) => {
        impl $crate::simd::Float for $vector {
            $(
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                    Self(unsafe { $bits($intrinsic($numbers(self.0), $numbers(other.0))) })
                }
            )+

            #[inline(always)]
            fn is_number(self) -> Self::Mask {
                // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                unsafe {
                    let $x = $numbers(self.0);
                    $is_number
                }
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, summand: Self) -> Self {
                // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                unsafe {
                    let ($factor, $other, $summand) = ($numbers(self.0), $numbers(factor.0), $numbers(summand.0));
                    Self($bits($mul_add))
                }
            }

            #[inline(always)]
            fn into_exponent(self) -> Self {
                // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                Self(unsafe { $shl(self.0) })
            }

            $(
                #[inline(always)]
                fn lesser(self, other: Self) -> Self {
                    // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                    Self(unsafe { $min(self.0, other.0) })
                }
            )?

            $(
                #[inline(always)]
                fn lookup(self, _: Self::Simd, $table: &'static $crate::simd::Table) -> Self {
                    let $indices = self.0;
                    // SAFETY: no vector is made without a proof that the CPU has its instruction set; 32 bytes of the table
                    // are read, which are all of it.
                    Self(unsafe { $lookup })
                }
            )?

            $(
                #[inline(always)]
                fn fold(self) -> Self::Lane {
                    // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                    unsafe {
                        let $numbers_of = $numbers(self.0);
                        $fold.to_bits().cast_signed()
                    }
                }
            )?

            $(
                // The product with 1/6, corrected by its remainder: several times as fast as a division. The remainder is
                // exact, and the corrected product is next to the quotient, whose digits end in thirds of an ulp, far
                // from a tie. Where the quotient is exact, directed rounding needs a product that isn't less.
                #[inline(always)]
                fn sixth(self, simd: Self::Simd) -> Self {
                    use $crate::simd::FloatLane;

                    let reciprocal = Self::splat(simd, Self::Lane::ABOVE_SIXTH);
                    let minus_six = Self::splat(simd, Self::Lane::nearest_finite(-6.0));
                    let product = self.mul(reciprocal);
                    // SAFETY: no vector is made without a proof that the CPU has its instruction set.
                    unsafe {
                        let remainder = {
                            let ($a, $b, $c) = ($numbers(product.0), $numbers(minus_six.0), $numbers(self.0));
                            $fused
                        };
                        let ($a, $b, $c) = (remainder, $numbers(reciprocal.0), $numbers(product.0));
                        Self($bits($fused))
                    }
                }
            )?
        }
    };
}

/// The array 1, 2, 4, ..., for each bit of a lane.
#[cfg(any(rectify_neon, rectify_portable, rectify_avx2))]
macro_rules! powers_of_2 {
    ($lane:ident) => {
        const {
            let mut powers: [$lane; $lane::BITS as usize] = [1; $lane::BITS as usize];
            let mut i = 1;
            while i < powers.len() {
                powers[i] = powers[i - 1] << 1;
                i += 1;
            }
            powers
        }
    };
}

/// The lane of `$bits` that has the bit at `$first`, and the index of that bit in the lane.
#[cfg(any(rectify_neon, rectify_portable, rectify_avx2))]
macro_rules! lane_of_bits {
    ($lane:ident, $bits:ident, $first:ident) => {{
        let width = $lane::BITS as usize;
        (($bits >> ($first / width * width)) as $lane, $first % width)
    }};
}

/// The array of `$value` for each input `$i` of `$N`, at most three.
///
/// Without a loop: the compiler takes much longer to unroll one. With `as all`, three of them, where the first is
/// repeated.
macro_rules! inputs {
    ($N:ident, $i:ident => $value:expr) => {
        $crate::simd::first_of::<_, $N>(inputs!($N, $i => $value, as all))
    };
    ($N:ident, $i:ident => $value:expr, as all) => {{
        let first = {
            let $i = 0;
            $value
        };
        let second = if const { $N > 1 } {
            let $i = const { 1 % $N };
            $value
        } else {
            first
        };
        let third = if const { $N > 2 } {
            let $i = const { 2 % $N };
            $value
        } else {
            first
        };
        [first, second, third]
    }};
}

pub(crate) use inputs;
