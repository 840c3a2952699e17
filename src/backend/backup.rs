//! What `tern backup create` is told: names, and one user's file or one picture at a time.

use super::Backend;
use super::view::Permit;
use crate::cluster::backup::NotTold;
use crate::cluster::lock::LockError;
use crate::id::{PictureName, UserName};
use crate::replica::version::Version;
use crate::wire::operator::Answer;

impl Backend {
    /// A page of all names.
    pub(super) fn tell_names(&self, permit: &mut Permit, after: Option<&UserName>) -> Answer {
        match self.cluster.names_after(permit, after) {
            Ok((names, next)) => Answer::Names { names, next },
            Err(error) => not_now(&error.into()),
        }
    }

    /// A user's file, and its lines.
    pub(super) fn tell_file(&self, permit: &mut Permit, user: &UserName) -> (Answer, Vec<u8>) {
        match self.cluster.committed_file(permit, user) {
            Ok((version, lines)) => (Answer::File { version }, lines),
            Err(error) => {
                let version = self.cluster.local.get(user).map_or(Version::ZERO, |s| s.state().acc);
                log::warn!(user:%, here:% = version, error:%; "file not told for a backup");
                (not_now(&error), Vec::new())
            }
        }
    }

    /// A picture, and its file. That nobody has it is said only by a machine that is in touch with a
    /// majority, one of which kept it.
    pub(super) fn tell_picture(&self, name: PictureName) -> (Answer, Vec<u8>) {
        let held = self.cluster.picture(name);
        if held.is_none() && !self.cluster.members.has_majority() {
            return (not_now(&LockError::NoMajority.into()), Vec::new());
        }
        let is_needed = self.cluster.local.index().needs_picture(name);
        if held.is_none() && is_needed {
            log::warn!(name:%; "picture not told for a backup: nobody has it");
        }
        (Answer::Picture { is_held: held.is_some(), is_needed }, held.unwrap_or_default())
    }
}

fn not_now(error: &NotTold) -> Answer {
    let is_too_few =
        matches!(error, NotTold::Lock(LockError::NoMajority | LockError::Indeterminate));
    Answer::NotNow { is_too_few, why: error.to_string() }
}
