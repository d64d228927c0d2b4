//! The allocator of the program.

use std::ffi::c_long;

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// Events are many small allocations on all threads; glibc's allocator spends twice the time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, for which the bindings have no name.
const PURGE_DELAY: mi_option_t = 15;
/// Milliseconds. Under load, what one batch or segment frees is taken by the next; given back to the system every second
/// (the default), it comes back page by page, each cleared by the kernel: that cost 6 % of the events a second.
const PURGE_DELAY_MILLIS: c_long = 10_000;

/// Sets how long freed memory is kept before the system gets it back, and that it comes in small pages. Call it first.
#[expect(unsafe_code, reason = "mimalloc is set up through a C function only")]
pub(crate) fn set_up() {
    // SAFETY: the function stores a number under an option's index, which mimalloc checks.
    unsafe { mi_option_set(PURGE_DELAY, PURGE_DELAY_MILLIS) }
    // mimalloc asks for huge pages. Of what thousands of tenants and streams hold they are half empty (a quarter of the
    // server's memory), and appends don't gain by them. Its own option is read before `main`; this takes effect now.
    // A kernel that refuses changes nothing but memory.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, as it sets up the whole process. The number of an option could change with the library; its
    /// default tells.
    #[test]
    #[expect(unsafe_code, reason = "as above")]
    fn what_is_set_up_is_in_force() {
        // SAFETY: the function reads the number under an option's index, which mimalloc checks.
        let get = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(get(), 1_000, "mimalloc's own delay");
        set_up();
        assert_eq!(get(), PURGE_DELAY_MILLIS);
        #[cfg(target_os = "linux")]
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }
}
