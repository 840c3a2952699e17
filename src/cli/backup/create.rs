//! `tern backup create`.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use super::part::Part;
use super::source::{Picture, Source};
use super::{Amount, BackupCommandError, Place};
use crate::backup::{About, FORMAT, FORMAT_WITHOUT_PICTURES, Writer};
use crate::cli::cluster::init::cluster_of;
use crate::cli::cluster::target::Target;
use crate::cli::error::CliError;
use crate::cli::signal::{Second, until_signalled};
use crate::cli::{answer_done, is_nowhere};
use crate::clock::Clock;
use crate::store::picture::Needed;
use crate::store::scan::scan;
use crate::thread::Stop;
use crate::wire::message::FEATURE_PICTURES;

/// What is made.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Create {
    pub(super) to: Place,
    pub(super) target: Target,
}

/// What was made.
#[derive(Default)]
struct Made {
    amount: Amount,
    /// Pictures that posts refer to and no machine has.
    missing: u64,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(create: &Create) -> Result<(), CliError> {
    until_signalled(Second::Exit, &|| (), |stop| make(create, stop))?
}

fn make(create: &Create, stop: &Stop) -> Result<(), CliError> {
    check_place(&create.to)?;
    let keys = create.target.keys()?;
    let cluster = cluster_of(&keys)?;
    let mut source = Source::new(create.target.machines_or_alone()?, keys, stop);
    let at = Clock::system().wall();
    let current = source.held()?.offer.current;
    let about = About {
        tern_backup: if current.features >= FEATURE_PICTURES {
            FORMAT
        } else {
            FORMAT_WITHOUT_PICTURES
        },
        program: format!("tern {}", env!("CARGO_PKG_VERSION")),
        made_at: at.timestamp().to_string(),
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
    let Amount { users, pictures, bytes } = made.amount;
    match &create.to {
        Place::Standard => {
            log::info!(users, pictures, bytes; "backup made");
        }
        Place::File(path) => {
            let done = format!("{} is made: {}", path.display(), made.amount);
            answer_done(&done, &done)?;
        }
    }
    match made.missing {
        0 => Ok(()),
        count => Err(BackupCommandError::PicturesMissing { count }.into()),
    }
}

/// Refuses a place where no backup would be kept, before anybody is asked.
fn check_place(to: &Place) -> Result<(), BackupCommandError> {
    match to {
        Place::Standard if io::stdout().is_terminal() => Err(BackupCommandError::Terminal),
        Place::Standard if is_nowhere() => Err(BackupCommandError::Nowhere),
        Place::File(path) if path.symlink_metadata().is_ok() => {
            Err(BackupCommandError::IsThere { path: path.clone() })
        }
        Place::Standard | Place::File(_) => Ok(()),
    }
}

/// Asks for user after user, then for the pictures that they refer to, and writes each before the next is
/// asked for.
fn fill(
    source: &mut Source<'_>,
    about: &About,
    to: &mut dyn Write,
    failed: &dyn Fn(io::Error) -> BackupCommandError,
) -> Result<Made, BackupCommandError> {
    let mut writer = Writer::begin(BufWriter::new(to), about).map_err(failed)?;
    let mut made = Made::default();
    let (mut after, mut pictures) = (None, BTreeSet::new());
    loop {
        let (names, next) = source.names(after)?;
        for name in names {
            let (version, lines) = source.file(&name)?;
            if version.is_zero() {
                // Somebody was about to join, and nothing of it is committed.
                continue;
            }
            writer.user(&name, version, &lines).map_err(failed)?;
            made.amount.users += 1;
            made.amount.bytes += lines.len() as u64;
            let mut needed = Needed::by(name);
            scan(&lines, &mut |line| needed.see(&line));
            pictures.extend(needed.names());
        }
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    for name in pictures {
        match source.picture(name)? {
            Picture::Held(bytes) => {
                writer.picture(name, Some(&bytes)).map_err(failed)?;
                made.amount.pictures += 1;
                made.amount.bytes += bytes.len() as u64;
            }
            Picture::Missing => {
                log::warn!(name:%; "picture missing, no machine has it");
                writer.picture(name, None).map_err(failed)?;
                made.missing += 1;
            }
            // Its post was deleted since.
            Picture::Gone => {}
        }
    }
    writer.finish().and_then(|mut to| to.flush()).map_err(failed)?;
    Ok(made)
}
