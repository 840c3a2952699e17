//! Why a command ended, as its operator reads it, and with which exit code.

use std::error::Error;
use std::io::{self, Write};
use std::iter::successors;
use std::path::PathBuf;
use std::process::ExitCode;

use super::backup::BackupCommandError;
use super::check::CheckError;
use super::cluster::ClusterError;
use super::config::ConfigError;
use super::harmless;
use super::logging;
use super::run_cluster::RunClusterError;
use super::user::import::ImportError;
use crate::web::origin::OriginError;

/// The exit code for what may well go at another time: `EX_TEMPFAIL` of sysexits.h.
pub(super) const TRY_AGAIN: u8 = 75;

const MIB: u64 = 1024 * 1024;

/// Why a command ended otherwise than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line cannot be read, or asks for help or the version.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// A value in it cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Several things are wrong with the configuration.
    #[error("{}", .0.join("; "))]
    Faults(Vec<String>),
    /// The system refused something that every command needs.
    #[error("cannot {what}")]
    System {
        /// What was refused.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Our bug, or a library's; the log tells where.
    #[error("ended, for a part of it has failed: the log tells which, and how")]
    Panicked,
    /// Nobody has what was asked for.
    #[error("cannot write standard output")]
    Output {
        /// What the system said.
        source: io::Error,
    },
    /// Nobody has what is told once.
    #[error("{lost}")]
    Untold {
        /// What was made, and what to do about it.
        lost: String,
        /// What the system said.
        source: io::Error,
    },
    /// A limit on the memory of this process is too low.
    #[error("{command} needs {} MiB of {} at least, and may take {} MiB (ulimit -{option})",
        .least.div_ceil(MIB), if *.option == "v" { "address space" } else { "memory" }, .has / MIB)]
    Memory {
        /// Which command.
        command: &'static str,
        /// What sets the limit.
        option: &'static str,
        /// Bytes that may be taken.
        has: u64,
        /// Bytes that are needed.
        least: u64,
    },
    /// A limit on the open files of this process is too low.
    #[error("{command} needs {least} open files at least, and may have {has} (ulimit -n)")]
    Descriptors {
        /// Which command.
        command: &'static str,
        /// How many it may have.
        has: u64,
        /// How many are needed.
        least: u64,
    },
    /// A web server does not answer, or is not well.
    #[error("{address} is not well: {why}")]
    Unwell {
        /// Where it was asked.
        address: String,
        /// What it said, or why it said nothing.
        why: String,
    },
    /// The numbers cannot be told where they were to be.
    #[error("cannot listen on --metrics={address}")]
    Metrics {
        /// As configured.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error("cannot {what} the data directory {path}", path = path.display())]
    Data {
        /// What was tried: a verb.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The site's address cannot be used.
    #[error("--origin: {0}")]
    Origin(OriginError),
    /// The web server did not start, or ended by itself.
    #[error(transparent)]
    Web(#[from] crate::web::server::WebError),
    /// No key, or one that cannot be used.
    #[error(transparent)]
    Key(#[from] crate::transport::KeyError),
    /// A backend did not start, or ended by itself.
    #[error(transparent)]
    Backend(#[from] crate::backend::BackendError),
    /// `tern run-cluster` could not start or go on.
    #[error(transparent)]
    RunCluster(#[from] RunClusterError),
    /// A file cannot be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A command to a running cluster failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A backup was not made, is not whole, or was not restored.
    #[error(transparent)]
    Backup(#[from] BackupCommandError),
    /// A data directory is not as it should be.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// It is said in full by what it became: as a source it would be said again.
impl From<OriginError> for CliError {
    fn from(error: OriginError) -> Self {
        Self::Origin(error)
    }
}

impl CliError {
    /// The exit code: 1 failed while running, or for want of room on a disk, 2 wrong use or configuration,
    /// 3 data directory unusable or newer than this program, 4 not enough machines, 75 try again. Help and the version are no failure.
    pub fn code(&self) -> u8 {
        match self {
            // Nothing else is wrong with what was asked for: once there is room it succeeds.
            _ if is_full(self) => 1,
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Config(ConfigError::Directory { .. }) | Self::Data { .. } => 3,
            Self::Config(_)
            | Self::Faults(_)
            | Self::Memory { .. }
            | Self::Descriptors { .. }
            | Self::Key(_)
            | Self::Origin(_)
            | Self::Import(_) => 2,
            Self::Backend(error) if error.is_data() => 3,
            Self::Backend(error) if error.is_config() => 2,
            Self::System { .. }
            | Self::Panicked
            | Self::Output { .. }
            | Self::Untold { .. }
            | Self::Metrics { .. }
            | Self::Unwell { .. }
            | Self::Web(_)
            | Self::Backend(_) => 1,
            Self::RunCluster(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::Check(error) => error.code(),
        }
    }

    /// All that is wrong with a configuration.
    pub(super) fn faults(faults: Vec<ConfigError>) -> Self {
        Self::Faults(faults.iter().map(ToString::to_string).collect())
    }

    /// It and what caused it, as [`chain`] says it. As a `dyn Error` it would bring 25 KB of `Debug` into the program.
    pub(super) fn chain(&self) -> String {
        caused(self.to_string(), self.source())
    }

    /// Tells what went wrong, with its causes, in one line. Help and the version go to standard output
    /// as they are.
    pub fn report(&self, to: &mut dyn Write) -> ExitCode {
        if let Self::Usage(error) = self {
            if error.use_stderr() {
                // It names what was typed as that was.
                let said = error.render().to_string();
                let lines = said.lines().map(|line| format!("{}\n", harmless(line)));
                let _told = to.write_all(lines.collect::<String>().as_bytes());
                return ExitCode::from(self.code());
            }
            let printed = error.print().and_then(|()| io::stdout().flush());
            let is_lost = |error: &io::Error| error.kind() != io::ErrorKind::BrokenPipe;
            return match printed {
                Err(source) if is_lost(&source) => Self::Output { source }.report(to),
                _ => ExitCode::from(self.code()),
            };
        }
        let why = self.chain();
        if !logging::last_word(&why, self.code()) {
            // A terminal that went away cannot be told so; the exit code still tells.
            let faults = if let Self::Faults(faults) = self { faults } else { &vec![why] };
            let mark = logging::last_mark();
            let lines = faults.iter().map(|fault| format!("{mark}tern: {}", harmless(fault)));
            let _told = writeln!(to, "{}", lines.collect::<Vec<_>>().join("\n"));
        }
        ExitCode::from(self.code())
    }
}

/// Whether there was no room for what was to be written.
fn is_full(error: &CliError) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let kind = |cause: &(dyn Error + 'static)| cause.downcast_ref().map(io::Error::kind);
    causes(error.source())
        .any(|cause| matches!(kind(cause), Some(FileTooLarge | QuotaExceeded | StorageFull)))
}

/// An error and what caused it: `cannot read a: permission denied`.
pub(super) fn chain(error: &dyn Error) -> String {
    caused(error.to_string(), error.source())
}

fn causes<'a>(
    cause: Option<&'a (dyn Error + 'static)>,
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(cause, |&cause| cause.source())
}

fn caused(said: String, cause: Option<&(dyn Error + 'static)>) -> String {
    causes(cause).fold(said, |said, cause| format!("{said}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_says_whether_to_try_again() {
        let busy = CliError::from(ClusterError::Busy("the machines are busy".to_owned()));
        let too_few = CliError::from(ClusterError::TooFew("one of three".to_owned()));
        let refused = CliError::from(ClusterError::Refused("the name is taken".to_owned()));
        assert_eq!([busy.code(), too_few.code(), refused.code()], [75, 4, 2]);
    }

    /// A name in a file of somebody else's, say.
    #[test]
    fn r0196_report_steers_no_terminal() {
        let fault = "no such thing: \u{1b}]0;x\u{7}\u{202e}größe\r".to_owned();
        let one = CliError::from(ClusterError::Refused(format!("{fault}\ntern: all is well")));
        let several = CliError::Faults(vec![fault.clone(), "another".to_owned()]);
        let shown = "tern: no such thing: \\u{1b}]0;x\\u{7}\\u{202e}größe\\r";
        for (error, rest) in [(one, "\\ntern: all is well"), (several, "\ntern: another")] {
            let mut out = Vec::new();
            error.report(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{shown}{rest}\n"));
        }
    }

    #[test]
    fn r0274_what_was_typed_steers_no_terminal() {
        let typed =
            clap::Command::new("tern").try_get_matches_from(["tern", "\u{1b}]0;x\u{7}größe"]);
        let mut out = Vec::new();
        let code = CliError::from(typed.unwrap_err()).report(&mut out);
        let said = String::from_utf8(out).unwrap();
        assert!(
            said.starts_with(
                "error: unexpected argument '\\u{1b}]0;x\\u{7}größe' found\n\nUsage: tern\n"
            ),
            "{said}"
        );
        assert_eq!(code, ExitCode::from(2));
    }

    #[test]
    fn report_names_error_and_causes() {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = CliError::System { what: "watch for signals", source };
        let mut out = Vec::new();
        assert_eq!(error.report(&mut out), ExitCode::from(1));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "tern: cannot watch for signals: permission denied\n"
        );
    }
}
