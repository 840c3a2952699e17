//! Linearizable reads: after `fresh`, this machine's view of a user holds everything that was
//! committed before the call.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

use super::Cluster;
use super::link::Asker;
use super::lock::LockError;
use super::replicas::{Body, Slot};
use crate::clock::Mono;
use crate::id::{Hash128, NodeId, UserName};
use crate::limits::{FETCH_MS_MAX, PASSED_ON_MS, PEER_ANSWER_MS};
use crate::replica::Reply;
use crate::replica::acceptor::Event;
use crate::replica::reader::{Found, Reader};
#[cfg(test)]
use crate::replica::version::Term;
use crate::replica::version::Version;
use crate::thread::LockPermit;
use crate::wire::message::{Answer, Message};

/// How long a read waits for the rest once a majority has answered, in milliseconds: they may agree
/// with one of those that differ.
const READ_GRACE_MS: u64 = 50;
/// How long a copy that is behind what a person saw waits for what is on its way, in milliseconds:
/// the notice that a write is committed follows its answer by a fraction of this.
const ON_ITS_WAY_MS: u64 = 20;
/// Milliseconds between two looks meanwhile.
const ON_ITS_WAY_LOOK_MS: u64 = 2;
/// Milliseconds between two questions whether what was passed on is held.
const PASS_ON_LOOK_MS: u64 = 20;

impl Cluster {
    /// Brings this machine's view of `user` up to what is committed now. One round trip when the
    /// machines agree; an identity write settles it when they do not.
    ///
    /// # Errors
    /// As for a write: without a majority nothing can be said.
    pub fn fresh(
        &self,
        permit: &mut LockPermit,
        user: &UserName,
        deadline: Mono,
    ) -> Result<(), LockError> {
        if self.members.count() == 1 && self.local.floors().not_voting.is_none() {
            return Ok(());
        }
        self.bring_up(permit, user, deadline).inspect(|()| self.members.has(user))
    }

    fn bring_up(
        &self,
        permit: &mut LockPermit,
        user: &UserName,
        deadline: Mono,
    ) -> Result<(), LockError> {
        let is_found = |reader: &Reader| reader.found() != Found::Pending;
        match self.ask_all((user, &[]), (deadline, READ_GRACE_MS), is_found).found() {
            Found::Fresh(version, holder) => {
                if version.is_zero() || self.learn(user, version, holder) {
                    return Ok(());
                }
                Err(LockError::NoMajority)
            }
            Found::Pending => Err(LockError::Busy),
            Found::Unsettled => {
                // Others may have made it the committed one without this machine's replica.
                let version = self.acquire(permit, user, deadline)?.confirm()?;
                if version.is_zero() || self.learn_from_any(user, version) {
                    return Ok(());
                }
                Err(LockError::NoMajority)
            }
            Found::NoMajority => Err(LockError::NoMajority),
        }
    }

    /// Waits a moment for a version that was shown elsewhere and is on its way here by itself.
    pub fn await_shown(&self, user: &UserName, version: Version) {
        let shown = || self.local.get(user).map(|slot| slot.state().com).unwrap_or_default();
        self.await_coming(|| shown() >= version);
    }

    /// Waits a moment for what may be on its way here by itself, until it has come.
    pub fn await_coming(&self, has_come: impl Fn() -> bool) {
        for _ in 0..ON_ITS_WAY_MS / ON_ITS_WAY_LOOK_MS {
            if has_come() || self.stop.wait(Duration::from_millis(ON_ITS_WAY_LOOK_MS)) {
                return;
            }
        }
    }

    /// How many members hold `version` of a user by now, of those that answer until `deadline`.
    pub fn holding(&self, user: &UserName, version: Version, deadline: Mono) -> usize {
        self.ask_all((user, &[]), (deadline, READ_GRACE_MS), Reader::is_complete).holding(version)
    }

    /// Waits until each member that is in touch, with this machine or another that is, has heard of what this one has
    /// committed of a user: a majority alone has it on disk then, and only this one knows that. What goes to a
    /// member about one user comes in order, so one that answers a question has heard of it before. Whoever did not
    /// answer hears it by way of those that did. Whether all have, or a majority has made sure of that.
    ///
    /// Those whom nobody reaches find out by themselves before they trust what they hold.
    pub fn await_heard(&self, user: &UserName) -> bool {
        if self.members.count() == 1 {
            return true;
        }
        let until = (self.deadline(PEER_ANSWER_MS), PEER_ANSWER_MS);
        let heard = self.ask_all((user, &[]), until, Reader::is_complete);
        let unheard = heard.unanswered();
        if unheard.is_empty() {
            return true;
        }
        let until = (self.deadline(PASSED_ON_MS), PASSED_ON_MS);
        self.ask_all((user, &unheard), until, Reader::is_complete).has_majority()
    }

    /// Has those of `others` hear what is committed of a user who are in touch here, until each says that it holds as
    /// much, is given up or is silent for so long that it trusts no session any more. It need not be what one of them is
    /// told that it lacks: it knows so from then on.
    pub(super) fn pass_on(&self, user: &UserName, others: &[NodeId]) {
        let com = self.local.get(user).map(|slot| slot.state().com).unwrap_or_default();
        let (until, epoch) = (self.deadline(PEER_ANSWER_MS), self.local.floors().epoch);
        let mut reached = others.to_vec();
        reached.retain(|&node| node != self.members.me && self.members.is_up(node));
        for &node in &reached {
            let notice = Message::Unlock { user: user.clone(), term: com.term, com: Some(com) };
            self.links.send(node, (notice, Arc::default()), None, (until, epoch));
        }
        for node in reached {
            self.await_holding(node, (user, com), PEER_ANSWER_MS);
        }
    }

    /// Waits until a member says that it holds as much of a user, is given up or `ms` have passed. One that stands
    /// still is given up long before its connection ends.
    pub(super) fn await_holding(&self, node: NodeId, (user, com): (&UserName, Version), ms: u64) {
        let (until, look) = (self.deadline(ms), Duration::from_millis(PASS_ON_LOOK_MS));
        let mut asked = None;
        // So often at most, too: a test's clock stands.
        for _ in 0..ms / PASS_ON_LOOK_MS {
            if !self.members.is_up(node) || self.clock.mono() >= until {
                return;
            }
            let read = || Message::Read { user: user.clone(), pass_on: Vec::new() };
            let answers = asked.get_or_insert_with(|| self.ask(node, read(), until));
            let heard = match answers.recv_timeout(look) {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => None,
                Ok(heard) => heard.answer,
            };
            match heard {
                None => {}
                Some((Answer::State { state }, _)) if state.com < com => {}
                Some(_) => return,
            }
            asked = None;
            if self.stop.wait(look) {
                return;
            }
        }
    }

    /// Asks every live member what it holds, until `is_enough` or `deadline`, and for no more than
    /// `grace_ms` for the next answer once a majority has answered. Not those to whom the others are to `pass_on` what
    /// they have heard.
    fn ask_all(
        &self,
        (user, pass_on): (&UserName, &[NodeId]),
        (deadline, grace_ms): (Mono, u64),
        is_enough: impl Fn(&Reader) -> bool,
    ) -> Reader {
        let config = self.local.node.config();
        let (members, epoch) = (config.nodes(), config.place.current.epoch);
        let mut reader = Reader::new(&members);
        let live = self.members.live();
        // One answer a member.
        let (sender, receiver) = bounded(live.len());
        let ticket = self.tickets.next();
        for &node in &members {
            if node == self.members.me {
                match self.local.read(user) {
                    Reply::State(state) if self.local.floors().epoch == epoch => {
                        reader.answered(node, state);
                    }
                    _no_vote => reader.lost(node),
                }
            } else if live.contains(&node) && !pass_on.contains(&node) {
                let asker = Asker { answers: sender.clone(), ticket };
                let message = Message::Read { user: user.clone(), pass_on: pass_on.to_vec() };
                self.links.send(node, (message, Arc::default()), Some(asker), (deadline, epoch));
            } else {
                reader.lost(node);
            }
        }
        while !is_enough(&reader) {
            let left = deadline.left(self.clock.mono());
            let grace = Duration::from_millis(grace_ms);
            let wait = if reader.has_majority() { left.min(grace) } else { left };
            let Ok(heard) = receiver.recv_timeout(wait) else {
                reader.give_up_rest();
                break;
            };
            match heard.answer {
                Some((Answer::State { state }, _)) => reader.answered(heard.from, state),
                _ => reader.lost(heard.from),
            }
        }
        reader
    }

    /// Takes note that `version` is committed, fetching it from `holder` if it is not held here.
    /// Whether the view shows it now.
    pub fn learn(&self, user: &UserName, version: Version, holder: NodeId) -> bool {
        let slot = self.local.get_or_make(user);
        let until = self.deadline(FETCH_MS_MAX);
        if slot.state().acc >= version {
            return self.learn_until(&slot, (version, holder), until);
        }
        // A long file would be sent, and held in memory, once for each who waits for it.
        let at_once = slot.learning.try_lock();
        let has_waited = at_once.is_none();
        let left = || until.left(self.clock.mono());
        let Some(mut failed) = at_once.or_else(|| slot.learning.try_lock_for(left())) else {
            return false;
        };
        // All who wait for one that hangs would wait for it in turn.
        if has_waited && *failed == Some(holder) && slot.state().acc < version {
            return false;
        }
        let is_learned = self.learn_until(&slot, (version, holder), until);
        *failed = (!is_learned).then_some(holder);
        is_learned
    }

    /// The same, waiting for the holder no longer than `until`.
    pub(super) fn learn_until(
        &self,
        slot: &Slot,
        (version, holder): (Version, NodeId),
        until: Mono,
    ) -> bool {
        if slot.state().acc >= version {
            self.local.step(slot, Event::Committed(version), &Body::None);
        } else if let Some(body) = self.fetch_up_to(slot, (version, holder), until)
            && let Some((version, hash)) = body.last()
        {
            self.local.step(slot, Event::Learn { version, hash }, &body);
        }
        slot.state().com >= version
    }

    /// The same, from whichever live peer has it.
    pub fn learn_from_any(&self, user: &UserName, version: Version) -> bool {
        let me = self.members.me;
        let mut peers = self.members.live().into_iter().filter(|&node| node != me);
        peers.any(|peer| self.learn(user, version, peer))
    }

    /// A peer's file, cut after `version` if it goes on; or the lines behind what is held here.
    fn fetch_up_to(
        &self,
        slot: &Slot,
        (version, holder): (Version, NodeId),
        until: Mono,
    ) -> Option<Body> {
        if holder == self.members.me || !self.local.may_take(slot) {
            return None;
        }
        // What follows here on what is committed may stand nowhere else.
        let have = self.local.stem(slot).map(|stem| stem.at);
        let (after, bytes) = self.fetch(holder, &slot.name, have, until)?;
        let body = Body::after(&slot.name, bytes.into(), after).inspect_err(|error| {
            log::warn!(peer = holder, error:%; "fetched file is unreadable");
        });
        body.ok()?.up_to(version)
    }

    /// A peer's file of a user, or the lines in it behind what the asker has, and what they follow on:
    /// that, or zero of a whole file. A long file may take long; nobody waits beyond `until`.
    pub(super) fn fetch(
        &self,
        peer: NodeId,
        user: &UserName,
        have: Option<(Version, Hash128)>,
        until: Mono,
    ) -> Option<((Version, Hash128), Vec<u8>)> {
        fetched(have, self.ask_until(peer, Message::Fetch { user: user.clone(), have }, until)?)
    }
}

#[cfg(test)]
impl Cluster {
    /// Is told that more of a user is committed than it holds.
    pub(crate) fn hears_of_more(&self, user: &UserName) {
        let slot = self.local.get_or_make(user);
        let acc = slot.state().acc;
        let term = Term { epoch: 1, round: acc.term.round + 1, ..acc.term };
        let more = Version { term, seq: 1 };
        self.local.step(&slot, Event::Committed(more), &Body::None);
    }
}

/// Of an answer to a `Fetch` by who has `have`: what the bytes follow on, that or zero, and they.
pub(super) fn fetched(
    have: Option<(Version, Hash128)>,
    (answer, bytes): (Answer, Vec<u8>),
) -> Option<((Version, Hash128), Vec<u8>)> {
    let Answer::Body { after, .. } = answer else { return None };
    Some((have.filter(|have| have.0 == after).unwrap_or_default(), bytes))
}
