//! The program `tern`: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tern::cli::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(&mut std::io::stderr().lock()),
    }
}
