//! Signals: the first SIGTERM or SIGINT closes `Stop`, the second ends the wait for an orderly end.
//!
//! SIGHUP reads the configuration again. SIGPIPE is ignored by Rust's start-up code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals};

use super::error::CliError;
use super::notify;
use crate::thread::{Stop, spawn_named};

/// What SIGHUP does.
pub(super) type Again<'a> = &'a (dyn Fn() + Sync);

/// What the second SIGTERM or SIGINT does.
#[derive(Clone)]
pub(super) enum Second {
    /// Ends the process at once: a kill is always safe.
    Exit,
    /// Closes this flag: for a process that has others to end first.
    Close(Stop),
}

/// Ends the thread that waits for signals, also when what it served panicked.
struct Closer(Handle);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A write beyond a limit on the size of files is an error like one on a full disk; the signal that comes
/// with it would end the process without a word. With a handler and not ignored: programs started by this one
/// have it as it was.
pub(super) fn defy_file_limits() {
    let seen = Arc::new(AtomicBool::new(false));
    if let Err(error) = signal_hook::flag::register(SIGXFSZ, seen) {
        log::warn!(error:%; "a limit on the size of files ends the process");
    }
}

/// Runs `body` with a `Stop` that signals close; returns when `body` does.
///
/// # Errors
/// When the system gives no signal handler or thread, and `body` is not run; [`CliError::Panicked`] when it
/// panics.
pub(super) fn until_signalled<T>(
    second: Second,
    again: Again<'_>,
    body: impl FnOnce(&Stop) -> T,
) -> Result<T, CliError> {
    let system = |source| CliError::System { what: "watch for signals", source };
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(system)?;
    let stop = Stop::new();
    std::thread::scope(|scope| {
        let _closer = Closer(signals.handle());
        let seen = stop.clone();
        spawn_named(scope, "signal", move |_permit| {
            for signal in &mut signals {
                act(signal, &seen, &second, again);
            }
        })
        .map_err(system)?;
        // What unwinds further would end the process with an exit code that is in no table.
        catch_unwind(AssertUnwindSafe(|| body(&stop))).map_err(|_logged| CliError::Panicked)
    })
}

fn act(signal: i32, stop: &Stop, second: &Second, again: Again<'_>) {
    let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
    if signal == SIGHUP {
        again();
    } else if !stop.is_closed() {
        log::info!(signal:% = name; "stopping");
        notify::stopping();
        stop.close();
    } else {
        log::warn!(signal:% = name; "stopping at once");
        match second {
            Second::Exit => exit_at_once(),
            Second::Close(force) => force.close(),
        }
    }
}

#[expect(clippy::exit, reason = "the operator asked twice; files are safe at any moment")]
fn exit_at_once() {
    std::process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_first_stops_second_forces_hangup_reads_again() {
        let (stop, force) = (Stop::new(), Stop::new());
        let second = Second::Close(force.clone());
        let count = std::sync::atomic::AtomicU32::new(0);
        let again = || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        };
        act(SIGHUP, &stop, &second, &again);
        assert!(!stop.is_closed());
        act(SIGTERM, &stop, &second, &again);
        assert!(stop.is_closed() && !force.is_closed());
        act(SIGHUP, &stop, &second, &again);
        assert!(!force.is_closed());
        assert_eq!(count.into_inner(), 2);
        act(SIGINT, &stop, &second, &|| ());
        assert!(force.is_closed());
    }

    #[test]
    fn r0025_panic_of_what_is_served_is_an_error_with_an_exit_code() {
        let hear = |_stop: &Stop| panic!("no thread for a worker");
        let served: Result<(), CliError> = until_signalled(Second::Exit, &|| {}, hear);
        assert_eq!(served.unwrap_err().code(), 1);
    }
}
