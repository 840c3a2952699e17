//! One process that the cluster consists of: how it is started, how it ended.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::cli::config::setting::{SETTINGS, Setting};
use crate::cli::notify;
use crate::id::NodeId;

/// What a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Backend(NodeId),
    Web,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(node) => write!(f, "backend {node}"),
            Self::Web => f.write_str("web"),
        }
    }
}

/// How to start a child, as often as needed.
#[derive(Debug, Clone)]
pub(super) struct ChildSpec {
    program: PathBuf,
    pub(super) role: Role,
    args: Vec<OsString>,
    /// What its line says behind the process id.
    place: String,
}

/// A child that was started and not yet seen to end.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    /// Never written to; its end, with this process or before, tells the child to stop.
    lifeline: Option<ChildStdin>,
}

impl ChildSpec {
    pub(super) fn new(program: &Path, role: Role, args: Vec<OsString>, place: String) -> Self {
        Self { program: program.to_owned(), role, args, place }
    }

    /// Its arguments.
    #[cfg(test)]
    pub(super) fn args(&self) -> &[OsString] {
        &self.args
    }

    /// Starts it, in a process group of its own.
    pub(super) fn start(&self) -> io::Result<Running> {
        let mut command = Command::new(&self.program);
        // What they are told for themselves stands on their command lines.
        for name in SETTINGS.iter().map(Setting::variable) {
            command.env_remove(format!("{name}_FILE")).env_remove(name);
        }
        for name in notify::VARIABLES {
            command.env_remove(name);
        }
        let mut child = command
            .args(&self.args)
            .stdin(Stdio::piped())
            // Its own lines would mix with those that scripts read here; its log is on stderr.
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let lifeline = child.stdin.take();
        Ok(Running { child, lifeline })
    }

    /// The line that tells of a start.
    pub(super) fn line(&self, running: &Running) -> String {
        format!("{} pid={} {}", self.role, running.id(), self.place)
    }
}

impl Running {
    /// Its process id: until its end was seen, nobody else's.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Asks it to stop.
    pub(super) fn ask_to_stop(&mut self) {
        self.lifeline = None;
        if let Err(error) = kill_process(Pid::from_child(&self.child), Signal::TERM) {
            log::warn!(pid = self.id(), error:%; "cannot signal a child");
        }
    }

    /// Ends it, stopped or hanging as it may be, and waits until it is gone.
    pub(super) fn kill(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            log::error!(pid = self.id(), error:%; "cannot end a child");
        }
    }
}

/// How a process ended, in words.
pub(super) fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(9), _) => "killed by signal 9".to_owned(),
        (Some(signal), _) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("ended by signal {signal}, {name}"),
            None => format!("ended by signal {signal}"),
        },
        (None, Some(code)) => format!("exited with {code}"),
        (None, None) => status.to_string(),
    }
}

/// The exit code of a child that a new start would not help: 2, wrong use or configuration, and 3,
/// data directory unusable.
pub(super) fn refusal(status: ExitStatus) -> Option<u8> {
    match status.code() {
        Some(2) => Some(2),
        Some(3) => Some(3),
        _ => None,
    }
}
