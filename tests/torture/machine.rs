//! One backend's process, or a web server's: started, signalled, and ended by its id.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::harness::{PROGRAM, await_stopped};

/// Lines of a log that are shown when something is wrong.
const LOG_LINES_SHOWN: usize = 40;
/// Where Debian keeps the library that fakes the wall clock.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/arm-linux-gnueabihf/faketime/libfaketime.so.1",
];

/// The library that fakes the wall clock, if it is there.
pub(crate) fn faketime() -> Option<&'static str> {
    FAKETIME.into_iter().find(|path| Path::new(path).exists())
}

/// How a process is started this time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    /// How far its wall clock is off, in faketime's words.
    pub(crate) clock: Option<&'static str>,
    /// Another build of the program.
    pub(crate) program: Option<PathBuf>,
}

/// A process that may or may not run; ended when dropped.
pub(crate) struct Machine {
    pub(super) name: String,
    log: PathBuf,
    child: Option<Child>,
}

impl Machine {
    pub(crate) fn new(name: &str, directory: &Path) -> Self {
        Self { name: name.to_owned(), log: directory.join(format!("{name}.log")), child: None }
    }

    /// Starts it.
    pub(crate) fn start(&mut self, args: &[String], how: &Start) {
        assert!(self.child.is_none(), "{} runs", self.name);
        let mut log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        writeln!(log, "---- start {how:?}").unwrap();
        let program = how.program.clone().unwrap_or_else(|| PROGRAM.into());
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let Some((offset, library)) = how.clock.zip(faketime()) {
            command.env("LD_PRELOAD", library).env("FAKETIME", offset);
            command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        self.child = Some(command.spawn().unwrap());
    }

    /// Sends a signal, if it runs.
    pub(crate) fn signal(&self, signal: Signal) {
        // Not waited for yet, so that the number is still this process's.
        if let Some(pid) = self.pid() {
            let _gone = kill_process(pid, signal);
            if signal == Signal::STOP {
                await_stopped(pid.as_raw_nonzero().get().unsigned_abs());
            }
        }
    }

    /// Its process, if it was started.
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.child.as_ref().and_then(|child| Pid::from_raw(i32::try_from(child.id()).unwrap()))
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _gone = child.kill();
            child.wait().unwrap();
        }
    }

    /// Whether it was started and not killed.
    pub(super) fn is_wanted(&self) -> bool {
        self.child.is_some()
    }

    /// How it ended, if it did so by itself; it can be started again then.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        self.child = None;
        Some(status.to_string())
    }

    /// All it said in all its lives.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it serves in this life: before that it must be able to write.
    pub(super) fn is_serving(&self) -> bool {
        let said = self.said();
        said.rsplit("---- start").next().is_some_and(|life| life.contains("backend serving"))
    }

    /// The last it said.
    pub(super) fn log_end(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let shown = lines.len().saturating_sub(LOG_LINES_SHOWN);
        format!("{}:\n{}\n", self.name, lines[shown..].join("\n"))
    }

    /// Writes a remark between its lines.
    pub(super) fn remark(&self, what: &str) {
        if let Ok(mut log) = File::options().append(true).open(&self.log) {
            let _unread = writeln!(log, "---- {what}");
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}
