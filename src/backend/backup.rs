//! What `tern backup create` is told: names, and one user's file at a time.

use super::Backend;
use crate::cluster::backup::NotTold;
use crate::cluster::lock::LockError;
use crate::id::UserName;
use crate::replica::version::Version;
use crate::thread::LockPermit;
use crate::wire::operator::Answer;

impl Backend {
    /// A page of all names.
    pub(super) fn tell_names(&self, permit: &mut LockPermit, after: Option<&UserName>) -> Answer {
        match self.cluster.names_after(permit, after) {
            Ok((names, next)) => Answer::Names { names, next },
            Err(error) => not_now(&error.into()),
        }
    }

    /// A user's file, and its lines.
    pub(super) fn tell_file(&self, permit: &mut LockPermit, user: &UserName) -> (Answer, Vec<u8>) {
        match self.cluster.committed_file(permit, user) {
            Ok((version, lines)) => (Answer::File { version }, lines),
            Err(error) => {
                let version = self.cluster.local.get(user).map_or(Version::ZERO, |s| s.state().acc);
                log::warn!("file not told for a backup user={user} here={version} error={error}");
                (not_now(&error), Vec::new())
            }
        }
    }
}

fn not_now(error: &NotTold) -> Answer {
    let is_too_few =
        matches!(error, NotTold::Lock(LockError::NoMajority | LockError::Indeterminate));
    Answer::NotNow { is_too_few, why: error.to_string() }
}
