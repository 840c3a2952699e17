//! What was asked and what was told, in the order of one counter that all clients share: a number
//! taken before a request is sent, and one after its answer, so "before" needs no clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// A moment of the run.
pub(super) type Tick = u64;

/// Counts moments.
#[derive(Debug, Default)]
pub(super) struct Ticks(AtomicU64);

impl Ticks {
    pub(super) fn next(&self) -> Tick {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// What an act would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Join,
    Post { text: String },
    Delete { post: String },
    Follow { whom: String },
    Unfollow { whom: String },
}

/// What somebody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Saved; with the post's number where the answer names one.
    Saved(Option<String>),
    /// Nothing was done, and why.
    Nothing(String),
    /// That another act had this request's id.
    Conflict,
    /// Nothing at all, or that nobody knows.
    Lost,
}

/// One sending of a request.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) sent: Tick,
    pub(super) answered: Tick,
    pub(super) told: Told,
    /// Where it was sent.
    #[expect(dead_code, reason = "read by people, in what was violated")]
    pub(super) to: String,
}

/// A request, all its sendings under one id.
#[derive(Debug, Clone)]
pub(super) struct Op {
    /// Whose file it changes.
    pub(super) user: String,
    /// The request's id, 32 digits.
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) attempts: Vec<Attempt>,
}

impl Op {
    /// When it was first sent.
    pub(super) fn sent(&self) -> Tick {
        self.attempts.first().map_or(Tick::MAX, |first| first.sent)
    }

    /// When it was acknowledged: the first time, or the last if an earlier one may have needed no
    /// line, because such an act is judged anew when it is sent again.
    pub(super) fn acknowledged(&self) -> Option<Tick> {
        let saved = self.attempts.iter().filter(|one| matches!(one.told, Told::Saved(_)));
        let ticks = saved.map(|one| one.answered);
        match self.kind {
            Kind::Join | Kind::Post { .. } => ticks.min(),
            Kind::Delete { .. } | Kind::Follow { .. } | Kind::Unfollow { .. } => ticks.max(),
        }
    }

    /// Whether each sending was answered with "nothing was done".
    pub(super) fn is_refused(&self) -> bool {
        self.attempts.iter().all(|one| matches!(one.told, Told::Nothing(_)))
    }
}

/// Somebody's look at a user's newest posts.
#[derive(Debug, Clone)]
pub(super) struct Read {
    /// Whose posts.
    pub(super) user: String,
    pub(super) answered: Tick,
    /// The version in the session that asked, if it was the user's own.
    pub(super) seen: Option<String>,
    /// Requests acknowledged to the session that asked: what it must be shown.
    pub(super) acknowledged: Vec<String>,
    /// Number and text, newest first.
    pub(super) shown: Vec<(String, String)>,
    /// Whether older posts were left out.
    pub(super) has_older: bool,
    /// Whether the machine said that it is cut off and shows an old copy.
    pub(super) is_stale: bool,
    /// Whether the program before may have answered: it serves an old copy without a word when it
    /// reaches no majority.
    pub(super) may_be_of_old: bool,
    /// Who answered.
    #[expect(dead_code, reason = "read by people, in what was violated")]
    pub(super) from: String,
}

/// All that clients remember.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub(super) ops: Vec<Op>,
    pub(super) reads: Vec<Read>,
    /// What must not have been answered, whatever the files say.
    pub(super) wrong: Vec<String>,
}

impl History {
    pub(super) fn extend(&mut self, other: Self) {
        self.ops.extend(other.ops);
        self.reads.extend(other.reads);
        self.wrong.extend(other.wrong);
    }

    /// How many sendings were told what: acknowledged, refused by reason, lost.
    pub(super) fn counts(&self) -> (usize, BTreeMap<String, usize>, usize) {
        let (mut saved, mut refused, mut lost) = (0, BTreeMap::new(), 0);
        for attempt in self.ops.iter().flat_map(|op| &op.attempts) {
            match &attempt.told {
                Told::Saved(_) => saved += 1,
                Told::Nothing(why) => *refused.entry(why.clone()).or_default() += 1,
                Told::Conflict | Told::Lost => lost += 1,
            }
        }
        (saved, refused, lost)
    }
}
