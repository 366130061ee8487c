//! The size of the last-level cache.

/// In bytes, where the CPU says so.
pub(crate) fn last_level() -> Option<usize> {
    #[cfg(target_arch = "x86")]
    use core::arch::x86::{__cpuid, __cpuid_count, CpuidResult};
    #[cfg(target_arch = "x86_64")]
    use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};

    #[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), not(any(target_env = "sgx", miri))))]
    // SAFETY: every CPU of x86 that Rust's targets run on has CPUID; in an SGX enclave it may not be used. (The functions are
    // safe from Rust 1.94 on.)
    #[allow(unused_unsafe)]
    unsafe {
        // Intel's leaf and AMD's, of the same format: a subleaf for each cache.
        for (last, leaf) in [(__cpuid(0).eax, 4), (__cpuid(0x8000_0000).eax, 0x8000_001d)] {
            if last < leaf {
                continue;
            }
            let caches = (0..16).map(|subleaf| __cpuid_count(leaf, subleaf));
            let largest = caches.take_while(|cache| cache.eax & 0x1f != 0).map(size).max();
            if largest.is_some() {
                return largest;
            }
        }
    }
    return None;

    /// Ways, partitions, bytes a line and sets, each of them less one.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    fn size(cache: CpuidResult) -> usize {
        let field = |shift: u32, width: u32| (cache.ebx >> shift & ((1 << width) - 1)) as usize + 1;
        let way = field(12, 10) * field(0, 12);
        field(22, 10)
            .saturating_mul(way)
            .saturating_mul((cache.ecx as usize).saturating_add(1))
    }
}
