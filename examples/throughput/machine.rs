//! The CPU's name and caches.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use raw_cpuid::CpuId;

pub fn cpu() -> String {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(brand) = CpuId::new().get_processor_brand_string() {
        return brand.as_str().trim().into();
    }
    format!("{} CPU of unknown name", std::env::consts::ARCH)
}

/// The size of a slice that no cache holds, within what three slices may take of the memory.
pub fn past_caches() -> usize {
    (2 * last_level_cache())
        .next_multiple_of(1 << 20)
        .clamp(64 << 20, 1 << 30)
}

/// In bytes; 64 MiB where the CPU can't be asked.
fn last_level_cache() -> usize {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(caches) = CpuId::new().get_cache_parameters() {
        let bytes = |cache: raw_cpuid::CacheParameter| {
            cache.sets() * cache.associativity() * cache.physical_line_partitions() * cache.coherency_line_size()
        };
        if let Some(largest) = caches.map(bytes).max() {
            return largest;
        }
    }
    64 << 20
}
