//! CPUID queries that `cpufeatures` doesn't have.

cfg_if::cfg_if! {
    if #[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), not(any(target_env = "sgx", miri))))] {
        #[cfg(target_arch = "x86")]
        use core::arch::x86::{CpuidResult, __cpuid, __cpuid_count};
        #[cfg(target_arch = "x86_64")]
        use core::arch::x86_64::{CpuidResult, __cpuid, __cpuid_count};
        #[cfg(any(rectify_avx2, rectify_avx512))]
        use core::sync::atomic::{AtomicU8, Ordering};

        /// Returns the size of the last-level cache in bytes, if the CPU reports one of the third level or a later one.
        pub(crate) fn last_level_cache() -> Option<usize> {
            last_level_cache_of(cpuid)
        }

        /// [`last_level_cache`] of a CPU by what it answers to a leaf and subleaf.
        pub(super) fn last_level_cache_of(cpuid: impl Fn(u32, u32) -> CpuidResult) -> Option<usize> {
            // Intel's leaf, then AMD's. They have the same format, with a subleaf for each cache.
            for (last, leaf) in [(cpuid(0, 0).eax, 4), (cpuid(0x8000_0000, 0).eax, 0x8000_001d)] {
                if last < leaf {
                    continue;
                }
                let caches = (0..16).map(|subleaf| cpuid(leaf, subleaf));
                let caches = caches.take_while(|cache| cache.eax & 0x1f != 0);
                // A virtual machine may hide the L3. Few CPUs with AVX2 have none, such as AMD's Excavator.
                let largest = caches.filter(|cache| cache.eax >> 5 & 7 >= 3).map(cache_size).max();
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
            static HAS_F16C: Cached = Cached::new();
            HAS_F16C.get_or_ask(|| cpuid(1, 0).ecx >> 29 & 1 == 1)
        }

        /// Whether the CPU computes registers of 512 bits in two halves, as Zen 4 does: AMD's family 25. (Zen 3, of the same
        /// family, has no such registers.)
        #[cfg(rectify_avx512)]
        pub(crate) fn splits_512_bits() -> bool {
            static SPLITS: Cached = Cached::new();
            SPLITS.get_or_ask(|| {
                let signature = cpuid(1, 0).eax;
                let (base, extended) = (signature >> 8 & 0xf, signature >> 20 & 0xff);
                base + extended == 25
            })
        }

        /// An answer of CPUID, which takes tens of microseconds in a virtual machine.
        #[cfg(any(rectify_avx2, rectify_avx512))]
        struct Cached(AtomicU8);

        #[cfg(any(rectify_avx2, rectify_avx512))]
        impl Cached {
            const UNKNOWN: u8 = 2;

            const fn new() -> Self {
                Self(AtomicU8::new(Self::UNKNOWN))
            }

            fn get_or_ask(&self, ask: impl FnOnce() -> bool) -> bool {
                let mut answer = self.0.load(Ordering::Relaxed);
                if answer == Self::UNKNOWN {
                    answer = ask().into();
                    self.0.store(answer, Ordering::Relaxed);
                }
                answer == 1
            }
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

        #[cfg(rectify_avx512)]
        pub(crate) fn splits_512_bits() -> bool {
            false
        }

        #[cfg(any(rectify_avx2, rectify_avx512))]
        pub(super) fn has_f16c() -> bool {
            cfg!(target_feature = "f16c")
        }
    }
}
