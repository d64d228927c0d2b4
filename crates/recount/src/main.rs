//! The `recount` program; everything is in the library beside it.

mod allocator;

use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::set_up();
    recount::run(std::env::args_os())
}
