//! Mistakes that the protocol must not make, each of which the model checker must find.
//!
//! A proof that nothing goes wrong is worth what it would have found. Built with the feature
//! `mistakes`, which no release has, one of them can be switched on; [`is_made`] then steers the very
//! code that runs in production past a rule. Without the feature it is `false` and costs nothing.

use std::sync::atomic::{AtomicU8, Ordering};

/// A rule left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mistake {
    /// Whoever does not answer in time is counted as having agreed.
    TimeoutIsYes = 1,
    /// A promise is neither flushed nor covered by the ceiling.
    PromiseLost,
    /// A machine whose directory was emptied votes as if it were new.
    WipedVotes,
    /// A term goes on after a write whose outcome is not known.
    TermAfterUnknown,
    /// A repeated request is answered from what is found, committed or not.
    RepeatUnconfirmed,
    /// The count of starts is lost, so that a term is used twice.
    TermReused,
    /// A line is appended without a look at what it builds on.
    BaseUnchecked,
    /// A read tells the highest version that a majority holds, committed or not.
    ReadHighest,
    /// Pages show what is accepted, committed or not.
    AcceptedShown,
    /// A new machine is filled from one member of the old configuration, not from a majority.
    FilledFromOne,
    /// New members install while the old configuration still votes.
    OldEpochVotes,
    /// The list of users to install comes from one member.
    ListedFromOne,
    /// A configuration is taken on in memory alone.
    EpochVolatile,
    /// Catch-up copies what is not committed.
    UncommittedLearned,
    /// A damaged file is rebuilt from what others say when read, without a lock.
    RepairedByReading,
    /// A damaged file votes as if there had been none.
    DamagedVotes,
    /// The mark of damage does not outlive a restart.
    MarkForgotten,
    /// What is left of a deleted user is removed.
    TombstoneCollected,
}

/// The mistake that is switched on, as its number; 0 for none.
static MADE: AtomicU8 = AtomicU8::new(0);

/// Switches a mistake on, for the whole process, or all off.
#[cfg(feature = "mistakes")]
pub fn make(mistake: Option<Mistake>) {
    MADE.store(mistake.map_or(0, |mistake| mistake as u8), Ordering::SeqCst);
}

/// Whether this mistake is switched on.
pub fn is_made(mistake: Mistake) -> bool {
    cfg!(feature = "mistakes") && MADE.load(Ordering::Relaxed) == mistake as u8
}
