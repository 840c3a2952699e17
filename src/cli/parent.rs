//! The end of the process that started this one: `tern run-cluster` gives each child a pipe as
//! standard input and never writes; when it is gone, however it ended, the pipe ends.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};

use super::config::ConfigError;
use super::error::CliError;
use super::signal::{Again, Second, until_signalled};
use crate::limits::PARENT_POLL_MS;
use crate::thread::{CloseOnDrop, Stop, spawn_named};

/// Runs `body` until it is done; a signal closes its `Stop`, and so does the end of the parent if that
/// is asked for.
///
/// # Errors
/// What `body` returns; the system's refusal of a thread; standard input that is no pipe.
pub(super) fn until_stopped(
    with_parent: bool,
    again: Again<'_>,
    body: impl FnOnce(&Stop) -> Result<(), CliError>,
) -> Result<(), CliError> {
    if !with_parent {
        return until_signalled(Second::Exit, again, body)?;
    }
    let pipe = io::stdin();
    let system = |source| CliError::System { what: "watch the parent process", source };
    prepare(&pipe)?;
    until_signalled(Second::Exit, again, |stop| {
        std::thread::scope(|scope| {
            spawn_named(scope, "parent", |_permit| watch(&pipe, stop)).map_err(system)?;
            let _ended = CloseOnDrop(stop.clone());
            body(stop)
        })
    })?
}

/// Checks that it is a pipe, which this process reads alone, and makes reading it return at once:
/// a blocked read could not be ended when this process is told to stop by a signal.
fn prepare(pipe: &impl AsFd) -> Result<(), CliError> {
    let system = |error: rustix::io::Errno| CliError::System {
        what: "watch the parent process",
        source: error.into(),
    };
    let kind = FileType::from_raw_mode(fstat(pipe).map_err(system)?.st_mode);
    if kind != FileType::Fifo {
        return Err(ConfigError::NoParentPipe.into());
    }
    let flags = fcntl_getfl(pipe).map_err(system)?;
    fcntl_setfl(pipe, flags | OFlags::NONBLOCK).map_err(system)
}

/// Closes `stop` when the pipe ends; returns when `stop` is closed.
fn watch(pipe: &impl AsFd, stop: &Stop) {
    while !stop.wait(Duration::from_millis(PARENT_POLL_MS)) {
        match rustix::io::read(pipe, &mut [0_u8; 64]) {
            // Nothing is ever written; were it, it would mean nothing.
            Ok(1..) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Ok(0) => {
                log::info!("stopping, the parent process is gone");
                stop.close();
            }
            Err(error) => {
                log::warn!(error:%; "stopping, the parent process cannot be watched");
                stop.close();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipe_ended_closes_stop() {
        let (reader, writer) = io::pipe().unwrap();
        prepare(&reader).unwrap();
        let stop = Stop::new();
        std::thread::scope(|scope| {
            let watcher = spawn_named(scope, "parent", |_permit| watch(&reader, &stop)).unwrap();
            assert!(!stop.is_closed());
            drop(writer);
            watcher.join().unwrap();
        });
        assert!(stop.is_closed());
    }

    #[test]
    fn watch_ends_when_stopped_otherwise() {
        let (reader, _writer) = io::pipe().unwrap();
        prepare(&reader).unwrap();
        let stop = Stop::new();
        std::thread::scope(|scope| {
            let watcher = spawn_named(scope, "parent", |_permit| watch(&reader, &stop)).unwrap();
            stop.close();
            watcher.join().unwrap();
        });
    }

    #[test]
    fn file_instead_of_pipe_refused() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(prepare(&file).unwrap_err().code(), 2);
    }
}
