//! What every instruction set has.

/// Declares an instruction set from the name of its `Isa` and, where not every CPU of the compilation target has it, the
/// one list of its target features: the proof that it is there, the detection, the function that enables it, and the fence,
/// which every CPU of x86 with such a list has. `unaligned` is another one than itself.
macro_rules! isa {
    ($name:ident) => {
        isa!(@declare $name, Self, true, [] {});
    };
    ($name:ident: $($feature:tt),+) => {
        isa!($name, unaligned Self: $($feature),+);
    };
    ($name:ident, unaligned $unaligned:ty: $($feature:tt),+) => {
        // CPUID, and whether the operating system saves the registers.
        cpufeatures::new!(cpu, $($feature),+);

        isa!(@declare $name, $unaligned, cpu::get(), [$(#[target_feature(enable = $feature)])+] {
            #[inline(always)]
            fn fence(self) {
                // SAFETY: `self` proves that the CPU has these features, and each of them comes with SSE.
                unsafe { _mm_sfence() }
            }
        });
    };
    (@declare $name:ident, $unaligned:ty, $is_available:expr, [$(#[$target_feature:meta])*] { $($method:item)* }) => {
        #[derive(Clone, Copy)]
        pub struct $name(());

        // SAFETY: `is_available` asks for the very features that `enter` enables; those of `Unaligned` are among them.
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
                // SAFETY: the caller promises what `sweep` wants of the pointers; and that the instruction set is available, so
                // that there may be a `Self`.
                unsafe {
                    $crate::sweep::sweep::<T, <T::Lane as $crate::simd::Lane>::Vector<Self>, F, N, ALIGNED>(
                        Self(()),
                        function.round::<T>(),
                        inputs,
                        output.cast(),
                        len,
                        streaming,
                    );
                }
            }
        }
    };
}
