//! How a machine gets what others hold across a change of the members: a new one before the change
//! begins, all new members while nobody votes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::bounded;

use super::Cluster;
use super::config::Config;
use super::link::Asker;
use super::read::fetched;
use super::replicas::{Body, Slot};
use crate::clock::Mono;
use crate::id::{NodeId, UserName};
use crate::limits::{FETCH_MS_MAX, LEARN_THREADS, LEARNED_USERS_MAX, SUMS_MS};
use crate::replica::State;
use crate::replica::acceptor::Event;
use crate::replica::barrier::{Seat, Waiting};
use crate::replica::quorum::majority;
use crate::replica::version::Version;
use crate::store::StoreError;
use crate::thread::side_by_side;
use crate::wire::message::{Answer, Message};

/// Where the best copy of each user is, and what it is.
type Best = BTreeMap<UserName, (Version, Seat)>;

/// What is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copy {
    /// What is known to be committed.
    Committed,
    /// The highest that was accepted: nobody votes, so nothing more comes.
    Accepted,
}

impl Copy {
    const fn of(self, state: &State) -> Version {
        match self {
            Self::Committed => state.com,
            Self::Accepted => state.acc,
        }
    }
}

impl Cluster {
    /// Copies, for each user, the highest version that one of `from` holds. Done again until all new
    /// members hold the same.
    pub(super) fn install(&self, from: &[Seat]) {
        let me = self.local.node.seat();
        let mut best = Best::new();
        let mut others = from.iter().filter(|seat| **seat != me);
        let is_listed = others.all(|seat| self.list(*seat, Copy::Accepted, &mut best));
        if is_listed && self.copy_all(Copy::Accepted, &best) == Some(0) {
            self.change.has_installed.store(true, Ordering::Release);
            self.links.nudge_all();
        }
    }

    /// A new machine copies what is committed, again and again, until little is left; then, when all
    /// members of the new list can be reached, the old ones may hear of it.
    pub(super) fn learn_step(&self, config: &Config) -> Result<(), StoreError> {
        let Some(before) = &config.place.before else { return Ok(()) };
        let me = self.local.node.seat();
        let told = self.change.last_words();
        if !self.change.has_learned.load(Ordering::Acquire) {
            let mut best = Best::new();
            let reached = before.seats.iter().filter(|seat| told.contains_key(seat));
            let listed: Vec<&Seat> =
                reached.filter(|seat| self.list(**seat, Copy::Committed, &mut best)).collect();
            if listed.len() < majority(before.seats.len()) {
                let missing = before.seats.iter().filter(|seat| !listed.contains(seat));
                self.waits(Waiting::OldMembers(missing.map(|seat| seat.node).collect()));
                return Ok(());
            }
            self.waits(Waiting::SameFiles);
            match self.copy_all(Copy::Committed, &best) {
                Some(copied) if copied <= LEARNED_USERS_MAX => {
                    log::info!(users = best.len(); "copied what the others hold");
                    self.change.has_learned.store(true, Ordering::Release);
                    self.links.nudge_all();
                }
                Some(copied) => log::info!(users = copied; "copying what the others hold"),
                None => log::warn!("not all that the others hold could be copied, trying again"),
            }
            return Ok(());
        }
        let is_here = |seat: &Seat| {
            *seat == me
                || self.members.is_up(seat.node)
                    && told.get(seat).is_some_and(|t| before.has(*seat) || t.has_learned)
        };
        let missing = config.place.current.seats.iter().filter(|seat| !is_here(seat));
        let missing: Vec<NodeId> = missing.map(|seat| seat.node).collect();
        if missing.is_empty() {
            self.look_for_oneself(config);
            let _gate = self.change.gate.lock();
            self.local.node.has_learned()?;
            log::info!(
                epoch = config.place.current.epoch;
                "the old members are told of the new list"
            );
            self.links.nudge_all();
        } else {
            self.waits(Waiting::NewMembers(missing));
        }
        Ok(())
    }

    /// Adds what a machine holds to the best copies. False if it does not tell all.
    fn list(&self, seat: Seat, copy: Copy, best: &mut Best) -> bool {
        let mut after: Option<UserName> = None;
        loop {
            let until = self.deadline(SUMS_MS);
            let message = Message::Sums { after: after.clone() };
            let Some((Answer::Sums { rows, last }, _)) = self.ask_across(seat, message, until)
            else {
                return false;
            };
            for row in rows {
                let version = copy.of(&row.state);
                let known = best.entry(row.user.clone()).or_insert((version, seat));
                if version > known.0 {
                    *known = (version, seat);
                }
                after = Some(row.user);
            }
            if last || self.stop.is_closed() {
                return last;
            }
        }
    }

    /// Copies what is better than what is held here, several users at a time: how many, or `None` if
    /// some could not be had.
    fn copy_all(&self, copy: Copy, best: &Best) -> Option<usize> {
        let held = |name: &UserName| {
            self.local.get(name).map(|slot| copy.of(&slot.state())).unwrap_or_default()
        };
        let lacking: Vec<_> =
            best.iter().filter(|(name, (version, _))| held(name) < *version).collect();
        let (next, is_whole) = (AtomicUsize::new(0), AtomicBool::new(true));
        let work = || {
            while let Some((name, (version, seat))) =
                lacking.get(next.fetch_add(1, Ordering::Relaxed))
                && !self.stop.is_closed()
            {
                if let Err(why) = self.copy_one(copy, name, (*version, *seat)) {
                    let node = seat.node;
                    log::debug!(user:% = name, version:%, peer = node, why:%; "not copied");
                    is_whole.store(false, Ordering::Relaxed);
                }
            }
        };
        side_by_side("copy", LEARN_THREADS.min(lacking.len()), work);
        (is_whole.into_inner() && !self.stop.is_closed()).then_some(lacking.len())
    }

    fn copy_one(
        &self,
        copy: Copy,
        name: &UserName,
        (version, seat): (Version, Seat),
    ) -> Result<(), &'static str> {
        let slot = self.local.get_or_make(name);
        if copy == Copy::Committed && slot.state().acc >= version {
            // Copied before this machine was started: its files do not say that their ends are
            // committed. Whatever is accepted above a committed version builds on it.
            self.local.step(&slot, Event::Committed(version), &Body::None);
            return Ok(());
        }
        if !self.local.may_take(&slot) {
            return Err("there is no room for it");
        }
        let body = self.body_from(seat, &slot).ok_or("it was not sent")?;
        let body = match copy {
            Copy::Committed => body.up_to(version).ok_or("what was sent does not lead there")?,
            Copy::Accepted => body,
        };
        let (version, hash) = body.last().ok_or("nothing was sent")?;
        let event = match copy {
            Copy::Committed => Event::Learn { version, hash },
            Copy::Accepted => Event::Install { version, hash },
        };
        // Not once this list votes: then what is copied would be a vote given away.
        if self.local.floors().not_voting.is_none() {
            return Err("this machine votes by now");
        }
        self.local.step(&slot, event, &body);
        if copy.of(&slot.state()) < version {
            return Err("it was not taken");
        }
        Ok(())
    }

    /// What another machine holds of a user, or the lines behind what is held here.
    fn body_from(&self, seat: Seat, slot: &Slot) -> Option<Body> {
        let state = slot.state();
        let have = (!state.acc.is_zero() && !slot.is_damaged()).then_some((state.acc, state.hash));
        let until = self.deadline(FETCH_MS_MAX);
        let message = Message::Fetch { user: slot.name.clone(), have };
        let (after, bytes) = fetched(have, self.ask_across(seat, message, until)?)?;
        let body = Body::after(&slot.name, bytes.into(), after);
        let node = seat.node;
        body.inspect_err(|error| log::warn!(peer = node, error:%; "file is unreadable")).ok()
    }

    /// Asks a machine of this list or the one before, whatever its epoch, and waits for the answer.
    fn ask_across(&self, seat: Seat, message: Message, until: Mono) -> Option<(Answer, Vec<u8>)> {
        // Room for the one answer.
        let (sender, receiver) = bounded(1);
        let asker = Asker { answers: sender, ticket: self.tickets.next() };
        self.links.send_across(seat, message, asker, until);
        receiver.recv_timeout(until.left(self.clock.mono())).ok()?.answer
    }
}
