//! A number that is decided at its first use, and read by all threads.

use core::sync::atomic::{AtomicUsize, Ordering};

/// Not 0 once it is decided.
pub(super) struct Decided(AtomicUsize);

impl Decided {
    pub(super) const fn undecided() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// 0 if it is undecided.
    #[inline(always)]
    pub(super) fn get(&self) -> usize {
        // Relaxed: no other memory depends on the value.
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, number: usize) {
        self.0.store(number, Ordering::Relaxed);
    }

    /// Sets it if it is still undecided, else returns what it is.
    pub(super) fn decide(&self, number: usize) -> Result<(), usize> {
        cfg_if::cfg_if! {
            if #[cfg(target_has_atomic = "ptr")] {
                let set = self.0.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
                set.map(drop)
            } else {
                // One core: only an interrupt may have decided between these two lines.
                match self.get() {
                    0 => {
                        self.set(number);
                        Ok(())
                    }
                    decided => Err(decided),
                }
            }
        }
    }
}
