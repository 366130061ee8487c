//! What the instruction sets of x86 share.

/// Declares an instruction set of x86 from the one list of its target features: the proof that the CPU has it, the
/// detection, and the function that enables it.
#[cfg(any(rectify_avx2, rectify_avx512))]
macro_rules! x86_isa {
    ($name:ident: $($feature:tt),+) => {
        #[derive(Clone, Copy)]
        pub struct $name(());

        // CPUID, and whether the operating system saves the registers.
        cpufeatures::new!(cpu, $($feature),+);

        pub(super) fn is_available() -> bool {
            cpu::get()
        }

        impl $crate::simd::Simd for $name {
            type I16 = I16;
            type I32 = I32;
            type I64 = I64;

            #[inline(always)]
            unsafe fn assume_available() -> Self {
                Self(())
            }
        }

        /// # Safety
        ///
        /// As for [`Entry`](crate::simd::entries::Entry).
        $(#[target_feature(enable = $feature)])+
        pub(super) unsafe fn enter<T: $crate::element::Element, K: $crate::sweep::Kernel<N>, const N: usize>(
            kernel: K,
            inputs: [*const u8; N],
            output: *mut u8,
            len: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe { $crate::simd::entries::enter::<$name, T, K, N>(kernel, inputs, output, len) }
        }
    };
}
