//! `tern backup create`.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use super::part::Part;
use super::source::Source;
use super::{BackupCommandError, Place, amount};
use crate::backup::{About, FORMAT, Writer};
use crate::cli::cluster::init::cluster_of;
use crate::cli::cluster::target::Target;
use crate::cli::error::CliError;
use crate::cli::say;
use crate::cli::signal::{Second, until_signalled};
use crate::clock::Clock;
use crate::thread::Stop;

/// What is made.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Create {
    pub(super) to: Place,
    pub(super) target: Target,
}

/// What was made.
struct Made {
    users: u64,
    bytes: u64,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(create: &Create) -> Result<(), CliError> {
    until_signalled(Second::Exit, &|| (), |stop| make(create, stop))?
}

fn make(create: &Create, stop: &Stop) -> Result<(), CliError> {
    let keys = create.target.keys()?;
    let cluster = cluster_of(&keys)?;
    let mut source = Source::new(create.target.machines_or_alone()?, keys, stop);
    let at = Clock::system().wall();
    let time = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    match &create.to {
        Place::Standard if io::stdout().is_terminal() => {
            return Err(BackupCommandError::Terminal.into());
        }
        Place::File(path) if path.symlink_metadata().is_ok() => {
            return Err(BackupCommandError::IsThere { path: path.clone() }.into());
        }
        Place::Standard | Place::File(_) => {}
    }
    let current = source.held()?.offer.current;
    let about = About {
        tern_backup: FORMAT,
        program: format!("tern {}", env!("CARGO_PKG_VERSION")),
        made_at: time.unwrap_or_default().to_string(),
        at,
        cluster,
        epoch: current.epoch,
        features: current.features,
    };
    let failed = |source: io::Error| match &create.to {
        Place::File(path) if source.kind() == ErrorKind::AlreadyExists => {
            BackupCommandError::IsThere { path: path.clone() }
        }
        Place::File(path) => BackupCommandError::Write { path: path.clone(), source },
        Place::Standard => BackupCommandError::Write { path: "standard output".into(), source },
    };
    let made = match &create.to {
        Place::Standard => fill(&mut source, &about, &mut io::stdout().lock(), &failed)?,
        Place::File(path) => {
            let mut part = Part::create(path).map_err(failed)?;
            let made = fill(&mut source, &about, &mut part.file, &failed)?;
            part.keep().map_err(failed)?;
            made
        }
    };
    let words = amount(made.users, made.bytes);
    match &create.to {
        Place::Standard => log::info!("backup made users={} bytes={}", made.users, made.bytes),
        Place::File(path) => say(&format!("{} is made: {words}", path.display())),
    }
    Ok(())
}

/// Asks for user after user, and writes each before the next is asked for.
fn fill(
    source: &mut Source<'_>,
    about: &About,
    to: &mut dyn Write,
    failed: &dyn Fn(io::Error) -> BackupCommandError,
) -> Result<Made, BackupCommandError> {
    let mut writer = Writer::begin(BufWriter::new(to), about).map_err(failed)?;
    let mut made = Made { users: 0, bytes: 0 };
    let mut after = None;
    loop {
        let (names, next) = source.names(after)?;
        for name in names {
            let (version, lines) = source.file(&name)?;
            if version.is_zero() {
                // Somebody was about to join, and nothing of it is committed.
                continue;
            }
            writer.user(&name, version, &lines).map_err(failed)?;
            made.users += 1;
            made.bytes += lines.len() as u64;
        }
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    writer.finish().and_then(|mut to| to.flush()).map_err(failed)?;
    Ok(made)
}
