//! The `recount` program; everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    recount::run(std::env::args_os())
}
