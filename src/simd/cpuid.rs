//! CPUID queries that `cpufeatures` doesn't have.

cfg_if::cfg_if! {
    if #[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), not(any(target_env = "sgx", miri))))] {
        #[cfg(target_arch = "x86")]
        use core::arch::x86::{CpuidResult, __cpuid, __cpuid_count};
        #[cfg(target_arch = "x86_64")]
        use core::arch::x86_64::{CpuidResult, __cpuid, __cpuid_count};

        /// Returns the size of the last-level cache in bytes, if the CPU reports it.
        pub(crate) fn last_level_cache() -> Option<usize> {
            // Intel's leaf, then AMD's. They have the same format, with a subleaf for each cache.
            for (last, leaf) in [(cpuid(0, 0).eax, 4), (cpuid(0x8000_0000, 0).eax, 0x8000_001d)] {
                if last < leaf {
                    continue;
                }
                let caches = (0..16).map(|subleaf| cpuid(leaf, subleaf));
                let largest = caches.take_while(|cache| cache.eax & 0x1f != 0).map(cache_size).max();
                if largest.is_some() {
                    return largest;
                }
            }
            None
        }

        /// The product of ways, partitions, bytes of a line and sets. Each field is the number minus one.
        fn cache_size(cache: CpuidResult) -> usize {
            let field = |shift: u32, width: u32| (cache.ebx >> shift & ((1 << width) - 1)) as usize + 1;
            let way = field(12, 10) * field(0, 12);
            field(22, 10).saturating_mul(way).saturating_mul((cache.ecx as usize).saturating_add(1))
        }

        #[cfg(any(rectify_avx2, rectify_avx512))]
        pub(super) fn has_f16c() -> bool {
            use core::sync::atomic::{AtomicU8, Ordering};

            const UNKNOWN: u8 = 2;
            // Cached: in a virtual machine CPUID takes tens of microseconds.
            static HAS_F16C: AtomicU8 = AtomicU8::new(UNKNOWN);

            let mut has_f16c = HAS_F16C.load(Ordering::Relaxed);
            if has_f16c == UNKNOWN {
                has_f16c = (cpuid(1, 0).ecx >> 29 & 1) as u8;
                HAS_F16C.store(has_f16c, Ordering::Relaxed);
            }
            has_f16c == 1
        }

        fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
            // SAFETY: every x86 CPU that Rust's targets run on has CPUID. SGX enclaves, where it faults, are excluded
            // above. (The functions are safe from Rust 1.94 on.)
            #[allow(unused_unsafe)]
            unsafe {
                if subleaf == 0 { __cpuid(leaf) } else { __cpuid_count(leaf, subleaf) }
            }
        }
    } else {
        pub(crate) fn last_level_cache() -> Option<usize> {
            None
        }

        #[cfg(any(rectify_avx2, rectify_avx512))]
        pub(super) fn has_f16c() -> bool {
            cfg!(target_feature = "f16c")
        }
    }
}
