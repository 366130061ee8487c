//! What every instruction set has.

/// Declares an instruction set from the name of its `Isa` and, where not every CPU of the compilation target has it, the
/// one list of its target features: the proof that it is there, the detection, the function that enables it, and the fence,
/// which every CPU of x86 with such a list has. F16C is always on it. `unaligned` is another one than itself, and whether that is
/// available.
macro_rules! isa {
    ($name:ident) => {
        isa!(@declare $name, Self, true, [] {});
    };
    ($name:ident: $($feature:tt),+) => {
        isa!($name, unaligned Self if true; $($feature),+);
    };
    ($name:ident, unaligned $unaligned:ident if $has_unaligned:expr; $($feature:tt),+) => {
        // CPUID, and whether the operating system saves the registers. (`cpufeatures` can't ask for F16C.)
        cpufeatures::new!(cpu, $($feature),+);

        isa!(@declare $name, $unaligned, cpu::get() && $crate::simd::cpuid::has_f16c() && $has_unaligned, [
            $(#[target_feature(enable = $feature)])+
            #[target_feature(enable = "f16c")]
        ] {
            const STREAMS: bool = true;

            #[inline(always)]
            fn fence(self) {
                // SAFETY: `self` proves that the CPU has these features, and F16C comes with SSE.
                unsafe { _mm_sfence() }
            }

            #[inline(always)]
            unsafe fn stream_16(bytes: [u8; 16], target: *mut u8) {
                // SAFETY: the caller's promises: F16C comes with SSE2.
                unsafe { _mm_stream_si128(target.cast(), bytemuck::cast(bytes)) }
            }

            #[inline(always)]
            unsafe fn f16_to_f32(halves: [i16; 4]) -> [f32; 4] {
                // SAFETY: the caller promises F16C; 8 bytes can be read.
                bytemuck::cast(unsafe { _mm_cvtph_ps(_mm_loadl_epi64(halves.as_ptr().cast())) })
            }

            #[inline(always)]
            unsafe fn f16_from_f32(floats: [f32; 4]) -> [i16; 4] {
                // SAFETY: the caller promises F16C.
                let halves = unsafe { _mm_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(bytemuck::cast(floats)) };
                let [halves, _] = bytemuck::cast::<_, [[i16; 4]; 2]>(halves);
                halves
            }
        });
    };
    (@declare $name:ident, $unaligned:ty, $is_available:expr, [$(#[$target_feature:meta])*] { $($method:item)* }) => {
        #[derive(Clone, Copy)]
        pub struct $name(());

        // SAFETY: `is_available` asks for the very features that `enter` enables, and for `Unaligned`.
        unsafe impl $crate::simd::Simd for $name {
            type I16 = I16;
            type I32 = I32;
            type I64 = I64;
            type Unaligned = $unaligned;

            const ISA: $crate::isa::Isa = $crate::isa::Isa::$name;

            fn is_available() -> bool {
                $is_available
            }

            $($method)*

            $(#[$target_feature])*
            unsafe fn enter<
                T: $crate::element::Element,
                F: $crate::sweep::VectorFn<N>,
                const N: usize,
                const ALIGNED: bool,
            >(
                function: F,
                first_input: *const u8,
                last_input: *const u8,
                output: *mut u8,
                len: usize,
                streaming: bool,
            ) {
                const { assert!(N == 1 || N == 2) };
                let mut inputs = [first_input.cast(); N];
                inputs[N - 1] = last_input.cast();
                // SAFETY: the caller promises what `Map` wants of the pointers; and that the instruction set is available, so
                // that there may be a `Self`.
                unsafe {
                    let simd = Self(());
                    $crate::sweep::Map::<Self, T, F, N, 1>::new(simd, function.round::<T>(), inputs, [output.cast()])
                        .sweep::<<T::Lane as $crate::simd::Lane>::Vector<Self>, ALIGNED>(len, streaming);
                    if streaming {
                        simd.fence();
                    }
                }
            }

            $(#[$target_feature])*
            unsafe fn run<W: $crate::simd::Walk>(walk: &W) -> W::Output {
                // The caller promises that the instruction set is available, so there may be a `Self`.
                walk.walk(Self(()))
            }
        }
    };
}

/// The items of `Vector` for lanes that are computed in as they are.
macro_rules! computed_as_they_are {
    () => {
        type Float = Self;

        const FLOATS: usize = 1;

        #[inline(always)]
        fn widen<T: $crate::element::Format<Lane = Self::Lane>>(self, _: usize) -> Self {
            self
        }

        #[inline(always)]
        fn join<T: $crate::element::Format<Lane = Self::Lane>>([float, _]: [Self; 2]) -> Self {
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
