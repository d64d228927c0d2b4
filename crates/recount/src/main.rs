//! The `recount` program; everything is in the library beside it.

use std::process::ExitCode;

/// Events are many small allocations on all threads; glibc's allocator spends twice the time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    recount::run(std::env::args_os())
}
