//! Whether what was told fits what is on disk. A user's file gives the order in which everything
//! happened to them; each answer must fit into it:
//!
//! - what was acknowledged stands there exactly once, with the receipt that was given each time;
//! - what was answered before another request was sent stands before it;
//! - what was told to have had no effect, at each sending, has none; what is open may have or not;
//! - an act that needed no line (following twice) fits some moment between its sending and answer;
//! - what was read was so at some moment: not before what that session knew, not after what was
//!   sent later; nothing shown is unknown to the file, or gone without having been deleted;
//! - a name has one winner; nothing stands there that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use tern::limits::REQUESTS_KEPT;
use tern::replica::version::Version;

use super::history::{History, Kind, Op, Read, Tick, Told};
use super::witness::{Entry, Files, Line};

/// How a read is named that shows less than its session had seen, without a word of being cut off.
pub(super) const BEHIND: &str = "read behind its session";

/// Everything that does not fit; empty is good.
pub(super) fn violations(history: &History, files: &Files) -> Vec<String> {
    let mut found = history.wrong.clone();
    let mut users: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    users.extend(history.ops.iter().map(|op| op.user.as_str()));
    let nothing = Vec::new();
    for user in users {
        let lines = files.get(user).unwrap_or(&nothing);
        let ops: Vec<_> = history.ops.iter().filter(|op| op.user == user).collect();
        let account = Account::new(user, lines, ops);
        account.check_winner(&mut found);
        account.check_asked_for(&mut found);
        account.check_effects(&mut found);
        account.check_order(&mut found);
        for read in history.reads.iter().filter(|read| read.user == user) {
            account.check_read(read, &mut found);
        }
    }
    found
}

/// One user: what the file says beside what was told.
struct Account<'a> {
    user: &'a str,
    lines: &'a [Line],
    ops: Vec<&'a Op>,
    /// Request id to the lines that answer it, with the result.
    requests: BTreeMap<&'a str, Vec<(usize, &'a str)>>,
    /// Number, text and line of each post, in the order of the file.
    posts: Vec<(&'a str, &'a str, usize)>,
    /// Number to the line that deletes it.
    deleted: BTreeMap<&'a str, usize>,
}

impl<'a> Account<'a> {
    fn new(user: &'a str, lines: &'a [Line], ops: Vec<&'a Op>) -> Self {
        let mut requests: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let (mut posts, mut deleted) = (Vec::new(), BTreeMap::new());
        for (at, line) in lines.iter().enumerate() {
            for (id, result) in &line.requests {
                requests.entry(id.as_str()).or_default().push((at, result.as_str()));
            }
            for entry in &line.entries {
                match entry {
                    Entry::Posted { id, text } => posts.push((id.as_str(), text.as_str(), at)),
                    Entry::Deleted { id } => {
                        deleted.insert(id.as_str(), at);
                    }
                    _ => {}
                }
            }
        }
        Self { user, lines, ops, requests, posts, deleted }
    }

    /// How many lines sum up what is gone: what was between is not known, its end is.
    fn folded(&self) -> usize {
        self.lines.iter().take_while(|line| line.is_summary).count()
    }

    /// Whether a request may have been done that is not recorded: a snapshot keeps the last ones.
    fn may_forget(&self) -> bool {
        let first = self.lines.first().filter(|line| line.is_summary);
        first.is_some_and(|line| line.requests.len() == REQUESTS_KEPT)
    }

    fn at(&self, op: &Op) -> Option<usize> {
        self.requests.get(op.id.as_str()).and_then(|found| found.first()).map(|(at, _)| *at)
    }

    /// Where an act stands in the order: a snapshot keeps that of its requests.
    fn place(&self, op: &Op) -> Option<(usize, usize)> {
        let at = self.at(op)?;
        let line = &self.lines[at];
        let number = line.requests.iter().position(|(id, _)| *id == op.id);
        Some((at, number.filter(|_| line.is_summary).unwrap_or_default()))
    }

    fn check_winner(&self, found: &mut Vec<String>) {
        let joined = self.lines.iter().flat_map(|line| &line.entries);
        let count = joined.filter(|entry| **entry == Entry::Joined).count();
        let winners: Vec<_> = (self.ops.iter())
            .filter(|op| op.kind == Kind::Join && op.acknowledged().is_some())
            .collect();
        if count > 1 || winners.len() > 1 {
            found.push(format!("two winners: {} joined {count} times: {winners:?}", self.user));
        }
    }

    fn check_asked_for(&self, found: &mut Vec<String>) {
        let asked: BTreeSet<_> = self.ops.iter().map(|op| op.id.as_str()).collect();
        for id in self.requests.keys().filter(|id| !asked.contains(*id)) {
            found.push(format!("never asked for: {} has request {id}", self.user));
        }
    }

    fn check_effects(&self, found: &mut Vec<String>) {
        for op in &self.ops {
            let stands = self.requests.get(op.id.as_str()).map_or(&[][..], Vec::as_slice);
            if stands.len() > 1 {
                found.push(format!("doubled: {op:?} stands in lines {stands:?}"));
            }
            if let Kind::Post { text } = &op.kind
                && self.posts.iter().filter(|post| post.1 == text).count() > 1
            {
                found.push(format!("doubled: the text of {op:?} was posted twice"));
            }
            if op.attempts.iter().any(|one| one.told == Told::Conflict) {
                found.push(format!("conflict: nobody else used this id: {op:?}"));
            }
            if op.is_refused() && self.has_effect(op) {
                found.push(format!("took effect after \"nothing was saved\": {op:?}"));
            }
            if op.acknowledged().is_some() && !self.is_kept(op) {
                found.push(format!("lost: {op:?}"));
            }
            self.check_receipts(op, found);
        }
    }

    fn has_effect(&self, op: &Op) -> bool {
        let is_posted = match &op.kind {
            Kind::Post { text } => self.posts.iter().any(|post| post.1 == text),
            _ => false,
        };
        is_posted || self.requests.contains_key(op.id.as_str())
    }

    /// Whether an acknowledged act is there. A snapshot keeps which posts were deleted, and their
    /// numbers; of follows only what came of them.
    fn is_kept(&self, op: &Op) -> bool {
        let is_recorded = self.requests.contains_key(op.id.as_str()) || self.may_forget();
        match &op.kind {
            Kind::Join => is_recorded,
            Kind::Post { text } => {
                let stands = self.posts.iter().any(|post| post.1 == text);
                is_recorded && (stands || self.folded() > 0 && self.was_deleted(op))
            }
            Kind::Delete { post } => self.deleted.contains_key(post.as_str()),
            Kind::Follow { whom } => is_recorded || self.fits(op, whom, true),
            Kind::Unfollow { whom } => is_recorded || self.fits(op, whom, false),
        }
    }

    /// Whether the post that this act made was taken back.
    fn was_deleted(&self, op: &Op) -> bool {
        op.attempts.iter().any(|one| match &one.told {
            Told::Saved(Some(number)) => self.deleted.contains_key(number.as_str()),
            _ => false,
        })
    }

    /// Whether `whom` was followed, or was not, at some moment from an act's sending to its answer.
    fn fits(&self, op: &Op, whom: &str, is_followed: bool) -> bool {
        let (from, to) = self.window(op.sent(), op.acknowledged().unwrap_or(Tick::MAX));
        if from < self.folded() {
            return true;
        }
        let mut now = false;
        for (at, line) in self.lines.iter().enumerate().take(to) {
            if at >= from && now == is_followed {
                return true;
            }
            for entry in &line.entries {
                match entry {
                    Entry::Followed { user } if user == whom => now = true,
                    Entry::Unfollowed { user } if user == whom => now = false,
                    _ => {}
                }
            }
        }
        now == is_followed
    }

    fn check_receipts(&self, op: &Op, found: &mut Vec<String>) {
        let recorded = self.requests.get(op.id.as_str()).and_then(|at| at.first()).map(|at| at.1);
        for attempt in &op.attempts {
            if let Told::Saved(Some(number)) = &attempt.told
                && recorded.is_some_and(|result| result != number)
            {
                found.push(format!("another receipt: {recorded:?} is on disk for {op:?}"));
            }
        }
    }

    /// How many lines had to be there for what was sent at `sent`, and could be at `answered`.
    fn window(&self, sent: Tick, answered: Tick) -> (usize, usize) {
        let (mut from, mut to) = (0, self.lines.len());
        for op in &self.ops {
            let Some(at) = self.at(op) else { continue };
            // When in a snapshot an act was done is not known.
            if at >= self.folded() && op.acknowledged().is_some_and(|tick| tick < sent) {
                from = from.max(at + 1);
            }
            if op.sent() > answered {
                to = to.min(at);
            }
        }
        (from, to)
    }

    /// Walks the file backwards with the earliest acknowledgement seen: nothing that stands earlier
    /// may have been sent after it.
    fn check_order(&self, found: &mut Vec<String>) {
        let mut placed: Vec<_> =
            self.ops.iter().filter_map(|op| self.place(op).map(|at| (at, *op))).collect();
        placed.sort_by_key(|(at, _)| *at);
        let mut earliest: Option<&Op> = None;
        for group in placed.chunk_by(|a, b| a.0 == b.0).rev() {
            // Those of one line were waiting at the same time, so they bind each other as well.
            for (_, op) in group {
                let tick = |op: &Op| op.acknowledged().unwrap_or(Tick::MAX);
                if earliest.is_none_or(|other| tick(op) < tick(other)) {
                    earliest = Some(op);
                }
            }
            for (at, op) in group {
                if let Some(later) = earliest
                    && later.acknowledged().is_some_and(|tick| tick < op.sent())
                {
                    found.push(format!(
                        "order reversed: line {:?} of {} was sent after a later one was \
                         acknowledged: {op:?} and {later:?}",
                        at, self.user
                    ));
                }
            }
        }
    }

    fn check_read(&self, read: &Read, found: &mut Vec<String>) {
        let folded = self.folded();
        let known = |id: &str, text: &str| {
            self.posts.iter().any(|one| one.0 == id && one.1 == text)
                || self.deleted.get(id).is_some_and(|at| *at < folded)
        };
        let unknown: Vec<_> = read.shown.iter().filter(|(id, text)| !known(id, text)).collect();
        if !unknown.is_empty() {
            found.push(format!("vanished: {unknown:?} shown and not on disk: {read:?}"));
            return;
        }
        let (_, to) = self.window(0, read.answered);
        let mut from = 0;
        for id in &read.acknowledged {
            let at = self.requests.get(id.as_str()).and_then(|lines| lines.first());
            let at = at.filter(|(at, _)| *at >= folded);
            from = from.max(at.map_or(0, |(at, _)| at + 1));
        }
        if let Some(seen) = &read.seen {
            match self.lines.iter().rposition(|line| line.version == *seen) {
                Some(at) => from = from.max(at + 1),
                None if self.is_folded_away(seen) => {}
                None => found.push(format!("vanished: the version of a session: {read:?}")),
            }
        }
        // What a moment before the snapshot's end showed is not known any more.
        if from < folded || (from..=to).any(|lines| self.was_shown(read, lines, to)) {
            return;
        }
        // Older than what the session knew, or wrong at any age?
        let is_old = folded > 0 || (0..from).any(|lines| self.was_shown(read, lines, to));
        let is_excused = read.is_stale || read.may_be_of_old;
        let what = match (is_old, is_excused) {
            (true, true) => return,
            (true, false) => BEHIND,
            (false, _) => "read of no moment",
        };
        found.push(format!("{what}: lines {from} to {to} of {} never gave {read:?}", self.user));
    }

    /// Whether a version may be one of those that a snapshot took the place of.
    fn is_folded_away(&self, seen: &str) -> bool {
        let end = self.lines.iter().rfind(|line| line.is_summary);
        let end = end.and_then(|line| line.version.parse::<Version>().ok());
        end.zip(seen.parse::<Version>().ok()).is_some_and(|(end, seen)| seen < end)
    }

    /// Whether the newest posts after `lines` lines are what was shown, apart from those that were
    /// deleted by line `to`: texts are read after the list was made.
    fn was_shown(&self, read: &Read, lines: usize, to: usize) -> bool {
        let is_deleted = |id: &str, by: usize| self.deleted.get(id).is_some_and(|at| *at < by);
        let mut shown = read.shown.iter().peekable();
        for (id, _, at) in self.posts.iter().rev() {
            if *at >= lines || is_deleted(id, lines) {
                continue;
            }
            match shown.peek() {
                Some((next, _)) if next == id => {
                    shown.next();
                }
                None if read.has_older => return true,
                _ if is_deleted(id, to) => {}
                _ => return false,
            }
        }
        shown.peek().is_none()
    }
}
