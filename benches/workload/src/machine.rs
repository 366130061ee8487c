//! The CPU's name and caches.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use raw_cpuid::{CacheParameter, CacheType, CpuId};

pub fn cpu() -> String {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(brand) = CpuId::new().get_processor_brand_string() {
        return brand.as_str().trim().into();
    }
    format!("{} CPU of unknown name", std::env::consts::ARCH)
}

/// The size of a slice that no cache holds, within what three slices may take of the memory.
pub fn past_caches() -> usize {
    let last = caches().into_iter().max().unwrap_or_default();
    (2 * last).next_multiple_of(1 << 20).clamp(64 << 20, 1 << 30)
}

/// The size of a slice for each cache, three of which it holds, and of one that no cache holds.
pub fn size_classes() -> Vec<usize> {
    let in_caches = caches().into_iter().map(|bytes| bytes / 4);
    in_caches.chain([past_caches()]).collect()
}

/// For data, the smallest first, in bytes; what is usual where the CPU can't be asked.
fn caches() -> Vec<usize> {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(caches) = CpuId::new().get_cache_parameters() {
        let bytes = |cache: CacheParameter| {
            cache.sets() * cache.associativity() * cache.physical_line_partitions() * cache.coherency_line_size()
        };
        let of_data = caches.filter(|cache| cache.cache_type() != CacheType::Instruction);
        let mut caches: Vec<_> = of_data.map(bytes).collect();
        caches.sort();
        if !caches.is_empty() {
            return caches;
        }
    }
    vec![32 << 10, 1 << 20, 64 << 20]
}
