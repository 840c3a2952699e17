//! What a backup asks: who there is, and each user's file up to what is committed by now.
//!
//! Both are told by a majority, and so hold all that was acknowledged before the question came: a list
//! of names that any majority knows lacks nobody who ever joined, and a file is read as linearizable reads
//! are. No file is locked, and no two users' are of one moment.

use super::Cluster;
use super::body::end_where;
use super::catch_up::Page;
use super::lock::LockError;
use crate::id::UserName;
use crate::limits::{BACKUP_READS_MAX, SUMS_PAGE_ROWS, WRITE_MS_MAX};
use crate::replica::version::Version;
use crate::store::StoreError;
use crate::thread::LockPermit;

/// Why a file or a name cannot be told now.
#[derive(Debug, thiserror::Error)]
pub enum NotTold {
    /// For want of machines, or of their answers.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The own copy cannot be read.
    #[error("the file cannot be read there: {0}")]
    Store(#[from] StoreError),
    /// The own copy is damaged, each time that it was filled again.
    #[error("the file is damaged there")]
    Damaged,
}

impl Cluster {
    /// Names of users, sorted, after `after`; and behind which to go on, if these are not all.
    ///
    /// # Errors
    /// [`LockError::NoMajority`] when fewer machines than that answer.
    pub fn names_after(
        &self,
        permit: &mut LockPermit,
        after: Option<&UserName>,
    ) -> Result<(Vec<UserName>, Option<UserName>), LockError> {
        let me = self.members.me;
        let mut pages = vec![Page::new(self.local.rows_after(after, SUMS_PAGE_ROWS))];
        let peers = self.members.live().into_iter().filter(|&node| node != me);
        pages.extend(peers.filter_map(|peer| self.page_of(peer, after)));
        if self.local.floors().not_voting.is_some() || pages.len() < self.members.needed() {
            return Err(LockError::NoMajority);
        }
        // As far as the shortest page reaches, all machines have spoken.
        let next = pages.iter().filter_map(Page::end).min().cloned();
        if let Some(end) = &next {
            for page in &mut pages {
                page.cut(end);
            }
        }
        let mut names: Vec<UserName> = pages.iter().flat_map(Page::names).cloned().collect();
        names.sort_unstable();
        names.dedup();
        // Lists of what is held are told to anybody. Votes are not: one that is counted now shows that
        // no other members were in force when the lists were told.
        if let Some(any) = names.last() {
            self.fresh(permit, any, self.deadline(WRITE_MS_MAX))?;
        } else if !self.can_write(&self.members.peers()) {
            return Err(LockError::NoMajority);
        }
        Ok((names, next))
    }

    /// A user's file up to the newest line that is committed, and that line's version; zero, and nothing,
    /// if there is none.
    ///
    /// # Errors
    /// [`NotTold`].
    pub fn committed_file(
        &self,
        permit: &mut LockPermit,
        user: &UserName,
    ) -> Result<(Version, Vec<u8>), NotTold> {
        for _ in 0..BACKUP_READS_MAX {
            self.fresh(permit, user, self.deadline(WRITE_MS_MAX))?;
            let Some(slot) = self.local.get(user) else {
                return Ok((Version::ZERO, Vec::new()));
            };
            let committed = slot.state().com;
            let (state, mut lines) = self.local.file(&slot)?;
            // Found damaged at this very moment, and what is left of it ends before: it is filled again.
            if state.com < committed {
                continue;
            }
            if state.com.is_zero() {
                return Ok((Version::ZERO, Vec::new()));
            }
            if state.com < state.acc {
                let Some(end) = end_where(&lines, |line| line.version == state.com) else {
                    continue;
                };
                lines.truncate(end);
            }
            return Ok((state.com, lines));
        }
        Err(NotTold::Damaged)
    }
}
