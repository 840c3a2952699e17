//! Linearizable reads: after `fresh`, this machine's view of a user holds everything that was
//! committed before the call.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::Cluster;
use super::link::Asker;
use super::lock::LockError;
use super::replicas::{Body, Slot};
use crate::clock::Mono;
use crate::id::{NodeId, UserName};
use crate::replica::Reply;
use crate::replica::acceptor::Event;
use crate::replica::reader::{Found, Reader};
use crate::replica::version::Version;
use crate::thread::LockPermit;
use crate::wire::message::{Answer, Message};

/// How long a read waits for the rest once a majority has answered, in milliseconds: they may agree
/// with one of those that differ.
const READ_GRACE_MS: u64 = 50;

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
        if self.members.members.len() == 1 {
            return Ok(());
        }
        match self.ask_all(user, deadline, |reader| reader.found() != Found::Pending).found() {
            Found::Fresh(version, holder) => {
                if version.is_zero() || self.learn(user, version, holder) {
                    return Ok(());
                }
                Err(LockError::NoMajority)
            }
            Found::Pending => Err(LockError::Busy),
            Found::Unsettled => {
                let version = self.acquire(permit, user, deadline)?.confirm()?;
                // A majority holds it, and this machine need not be among them.
                if self.learn_from_any(user, version) {
                    return Ok(());
                }
                Err(LockError::NoMajority)
            }
            Found::NoMajority => Err(LockError::NoMajority),
        }
    }

    /// How many members hold `version` of a user by now, of those that answer until `deadline`.
    pub fn holding(&self, user: &UserName, version: Version, deadline: Mono) -> usize {
        self.ask_all(user, deadline, Reader::is_complete).holding(version)
    }

    /// Asks every live member what it holds, until `is_enough` or `deadline`.
    fn ask_all(
        &self,
        user: &UserName,
        deadline: Mono,
        is_enough: impl Fn(&Reader) -> bool,
    ) -> Reader {
        let mut reader = Reader::new(&self.members.members);
        let live = self.members.live();
        // One answer a member.
        let (sender, receiver) = bounded(live.len());
        let ticket = self.tickets.next();
        for &node in &self.members.members {
            if node == self.members.me {
                match self.local.read(user) {
                    Reply::State(state) => reader.answered(node, state),
                    _no_vote => reader.lost(node),
                }
            } else if live.contains(&node) {
                let asker = Asker { answers: sender.clone(), ticket };
                let message = Message::Read { user: user.clone() };
                self.links.send(node, (message, Arc::default()), Some(asker), deadline);
            } else {
                reader.lost(node);
            }
        }
        while !is_enough(&reader) {
            let left = deadline.left(self.clock.mono());
            let grace = Duration::from_millis(READ_GRACE_MS);
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
        if slot.state().acc >= version {
            self.local.step(&slot, Event::Committed(version), &Body::None);
        } else if let Some(body) = self.fetch_up_to(&slot, version, holder)
            && let Some((version, hash)) = body.last()
        {
            self.local.step(&slot, Event::Learn { version, hash }, &body);
        }
        slot.state().com >= version
    }

    /// A peer's file, cut after `version` if it goes on.
    fn fetch_up_to(&self, slot: &Slot, version: Version, holder: NodeId) -> Option<Body> {
        if holder == self.members.me {
            return None;
        }
        let (_, bytes) = self.fetch(holder, &slot.name)?;
        let body = Body::file(&slot.name, bytes.into()).inspect_err(|error| {
            log::warn!("fetched file is unreadable peer={holder} error={error}");
        });
        body.ok()?.up_to(version)
    }
}
