//! The CPU's name and caches.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use raw_cpuid::{CacheParameter, CacheType, CpuId};

pub fn cpu() -> String {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let cpu = CpuId::new();
        if let (Some(brand), Some(model)) = (cpu.get_processor_brand_string(), cpu.get_feature_info()) {
            // Virtual machines leave the brand vague.
            let (name, family, model) = (brand.as_str().trim(), model.family_id(), model.model_id());
            return format!("{name} (family {family}, model {model})");
        }
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
    let mut classes = quarters_of_caches();
    classes.push(past_caches());
    classes
}

pub fn quarters_of_caches() -> Vec<usize> {
    caches().into_iter().map(|bytes| bytes / 4).collect()
}

/// For data, the smallest first, in bytes; what is usual where the CPU can't be asked.
pub fn caches() -> Vec<usize> {
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
