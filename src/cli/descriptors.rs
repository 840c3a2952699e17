//! How many files and connections the process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

use super::error::CliError;
use super::memory::Part;
use crate::limits::{BACKEND_DESCRIPTORS_MIN, SERVE_DESCRIPTORS_MIN, WEB_DESCRIPTORS_MIN};

/// Descriptors asked for: 512 browsers, as many connections to the workers, to backends and peers, and
/// files. The usual soft limit of 1,024 would end connections long before their caps do.
const WANTED: u64 = 16_384;

/// Raises the soft limit as far as the hard one lets it.
pub(super) fn raise() {
    let mut limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if limit.current.is_some_and(|current| current < allowed) {
        limit.current = Some(allowed);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::warn!(error:%; "limit of open files not raised");
        }
    }
}

/// Refuses a limit under which this process could not even start its workers: they would find out one by one,
/// each in its own words.
///
/// # Errors
/// [`CliError::Descriptors`].
pub(super) fn check(part: Part) -> Result<(), CliError> {
    let least = match part {
        Part::Backend => BACKEND_DESCRIPTORS_MIN,
        Part::Web => WEB_DESCRIPTORS_MIN,
        Part::Serve => SERVE_DESCRIPTORS_MIN,
    };
    match getrlimit(Resource::Nofile).current {
        Some(has) if has < least => {
            Err(CliError::Descriptors { command: part.command(), has, least })
        }
        _ => Ok(()),
    }
}
