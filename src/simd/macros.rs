//! What every instruction set has.

/// Declares an instruction set from the name of its `Isa` and, where not every CPU of the compilation target has it, the
/// one list of its target features: for the proof that it is there, the detection, and the functions that enable it. F16C is always on
/// the list. `short` is another one than itself, and whether that is available.
macro_rules! isa {
    ($name:ident) => {
        isa!(@declare $name, Self, true, streams false, []);
    };
    ($name:ident: $($feature:tt),+) => {
        isa!($name, short Self if true; $($feature),+);
    };
    ($name:ident, short $short:ident if $has_short:expr; $($feature:tt),+) => {
        // CPUID, and whether the operating system saves the registers. (`cpufeatures` can't ask for F16C.)
        cpufeatures::new!(cpu, $($feature),+);

        isa!(
            @declare $name, $short, cpu::get() && $crate::simd::cpuid::has_f16c() && $has_short,
            streams true,
            [
                $(#[target_feature(enable = $feature)])+
                #[target_feature(enable = "f16c")]
            ]
        );
    };
    (
        @declare $name:ident, $short:ty, $is_available:expr, streams $streams:literal,
        [$(#[$target_feature:meta])*]
    ) => {
        #[derive(Clone, Copy)]
        pub struct $name(());

        // SAFETY: `is_available` asks for the very features that `enter` and `run` enable, and for `Short`.
        unsafe impl $crate::simd::Simd for $name {
            type I16 = I16;
            type I32 = I32;
            type I64 = I64;
            type Short = $short;

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
                streaming: bool,
            ) {
                // SAFETY: the caller promises what the loop wants; and that the instruction set is available, so that there may
                // be a `Self`.
                unsafe { L::walk(Self(()), function, first_input, last_input, output, len, streaming) }
            }

            $(#[$target_feature])*
            unsafe fn run<P: $crate::simd::Pass>(args: &P::Args) -> P::Output {
                // SAFETY: as in `enter`.
                unsafe { P::walk(Self(()), args) }
            }
        }
    };
}

/// [`Vector::compute`](crate::simd::Vector::compute) of a register.
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

/// The items of `Register` for lanes that are computed in as they are.
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

/// The arithmetic of lanes that are the bits of numbers, from the intrinsics that see them as numbers and back.
#[cfg(any(rectify_neon, rectify_avx2, rectify_avx512))]
macro_rules! float {
    (
        $vector:ident, $numbers:ident, $bits:ident, $($method:ident: $intrinsic:ident),+; is_number($x:ident): $is_number:expr
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
        }
    };
}

/// 1, 2, 4, ...: for each bit of a lane.
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

/// The bits from a multiple of a lane's width on that hold the one at `first`, in as many bits; and where that is among them.
#[cfg(any(rectify_neon, rectify_portable, rectify_avx2))]
macro_rules! lane_of_bits {
    ($lane:ident, $bits:ident, $first:ident) => {{
        let width = $lane::BITS as usize;
        (($bits >> ($first / width * width)) as $lane, $first % width)
    }};
}
