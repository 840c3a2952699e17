//! The thread `change`: carries a change of the members through, as `replica::barrier` says what is
//! next, and keeps the links those that the list of members needs.
//!
//! A machine hears where the others stand with their pings. Whoever holds an older list is offered
//! the newer one; each takes it on durably before it tells of it, and from then on votes nowhere until
//! the new list opens. A new machine copies first, and only then offers its list to the old members,
//! which take it on only if they find that machine where it says: so writing pauses for seconds only,
//! and a mistyped address stops nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::Cluster;
use super::config::{Config, roster, wrong};
use super::replicas::Slot;
use crate::clock::Mono;
use crate::id::{Hash128, NodeId};
use crate::limits::{CHANGE_LOOK_MS, IDLE_LOOK_MS, INSTALL_AGAIN_MS, PING_MS};
use crate::replica::barrier::{Phase, Place, Seat, Stale, Standing, Step, Waiting};
use crate::replica::{NotVoting, State};
use crate::store::StoreError;
use crate::wire::message::{Message, Offer, Reject};
use crate::wire::operator::Waits;
use crate::wire::status::ChangeKind;

/// What is known of a change that is under way; nothing here is durable.
pub(super) struct Change {
    /// Held while the list of members changes: nobody is told of one before all that was begun under
    /// the one before has ended.
    pub(super) gate: Mutex<()>,
    told: Mutex<BTreeMap<Seat, Told>>,
    pub(super) has_installed: AtomicBool,
    pub(super) has_learned: AtomicBool,
    /// The sum over all that it held when it got ready, in this life of its process: the same as at all
    /// other members.
    agreed: Mutex<Option<Hash128>>,
    waiting: Mutex<Option<(Waiting, Mono)>>,
    /// Why a list of members was not taken on, when that was last so.
    refused: Mutex<Option<String>>,
    wake: (Sender<()>, Receiver<()>),
}

/// A machine's last word on where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) standing: Standing,
    pub(super) has_learned: bool,
}

/// Why a list of members is not taken on.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It makes no sense.
    #[error("the list of members makes no sense: {0}")]
    Wrong(&'static str),
    /// It is no later one.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// A new machine is not where it says: with it nobody could save anything.
    #[error("machine {node} is not found at {address}: {why}")]
    NotFound {
        /// Which.
        node: NodeId,
        /// Where it was looked for.
        address: String,
        /// What was found instead.
        why: String,
    },
    /// It could not be made durable.
    #[error("not written")]
    Store(#[from] StoreError),
}

impl Change {
    pub(super) fn new() -> Self {
        Self {
            gate: Mutex::default(),
            told: Mutex::default(),
            has_installed: AtomicBool::new(false),
            has_learned: AtomicBool::new(false),
            agreed: Mutex::default(),
            waiting: Mutex::default(),
            refused: Mutex::default(),
            // Two who wake the thread are as good as one.
            wake: bounded(1),
        }
    }

    fn wake(&self) {
        let _woken_already = self.wake.0.try_send(());
    }

    pub(super) fn last_words(&self) -> BTreeMap<Seat, Told> {
        self.told.lock().clone()
    }
}

impl Cluster {
    /// Where this machine stands between lists of members.
    pub(super) fn standing(&self) -> Standing {
        // Not in the midst of a change: what was begun under the old list may not have ended.
        let _gate = self.change.gate.lock();
        let config = self.local.node.config();
        Standing {
            epoch: config.place.current.epoch,
            digest: config.place.current.digest,
            phase: config.place.phase,
            is_clean: config.place.is_clean(),
            has_installed: self.change.has_installed.load(Ordering::Acquire),
            sum: self.local.sum(),
            is_damaged: self.local.damaged_count() > 0,
        }
    }

    /// A machine told where it stands.
    pub(super) fn told(&self, seat: Seat, standing: Standing, has_learned: bool) {
        let mine = self.local.node.config().place.current.digest;
        self.passed_over(seat, standing.epoch, standing.digest == mine);
        let before = self.change.told.lock().insert(seat, Told { standing, has_learned });
        if before.is_none_or(|before| before.standing != standing) {
            self.change.wake();
        }
    }

    /// What a machine that stands there must hear, or be asked: both are to hold the same list.
    pub(super) fn answer_to(&self, other: &Standing) -> Option<Message> {
        let config = self.local.node.config();
        let mine = config.place.current.epoch;
        if other.epoch > mine {
            Some(Message::Members)
        } else if other.epoch < mine && !config.is_learning && config.offer.before.is_some() {
            Some(Message::Adopt(config.offer.clone()))
        } else {
            None
        }
    }

    /// A machine that stands there told of a list of members: takes it on, or says why not, once for
    /// each reason.
    pub(super) fn hear_of(&self, offer: &Offer, (from, standing): (NodeId, Option<Standing>)) {
        let is_open = standing.is_some_and(|standing| {
            standing.phase == Phase::Open && standing.epoch == offer.current.epoch
        });
        let Err(error) = self.take_on(offer, is_open) else { return };
        let why = error.to_string();
        let mut last = self.change.refused.lock();
        if last.as_ref() != Some(&why) {
            let epoch = offer.current.epoch;
            log::error!(peer = from, epoch, error:% = why; "list of members not taken on");
            *last = Some(why);
        }
    }

    /// Takes on a list of members if it is newer than the one held: durably, and when this returns
    /// this machine votes in no older one any more. Not before its new machines are found, unless it
    /// votes elsewhere already.
    ///
    /// # Errors
    /// [`ChangeError`]: all is as it was.
    pub fn take_on(&self, offer: &Offer, is_open: bool) -> Result<(), ChangeError> {
        if offer.current.epoch <= self.local.node.config().place.current.epoch {
            return Ok(());
        }
        if let Some(why) = wrong(offer) {
            return Err(ChangeError::Wrong(why));
        }
        if !is_open {
            self.find_new(&self.local.node.config(), offer)?;
        }
        let gate = self.change.gate.lock();
        let config = self.local.node.config();
        if offer.current.epoch <= config.place.current.epoch {
            return Ok(());
        }
        let before = offer.before.as_ref().map(roster).ok_or(Stale::Before)?;
        let place = config.place.adopt(&roster(&offer.current), &before)?;
        self.local.node.take(offer, &place)?;
        self.change.has_installed.store(false, Ordering::Release);
        *self.change.agreed.lock() = None;
        self.members_now(&config);
        // Each replica's step ends before the next one begins: whoever accepted something under the
        // old list has it on disk now, and nobody accepts anything under it any more.
        for slot in self.local.slots() {
            slot.state();
        }
        drop(gate);
        log::info!(epoch = offer.current.epoch; "list of members taken on");
        self.change.wake();
        self.links.nudge_all();
        Ok(())
    }

    /// Sees to it that those who are talked to are those of the list in force now.
    fn members_now(&self, before: &Config) {
        let config = self.local.node.config();
        let nodes = config.nodes();
        let is_fresh = |node: &NodeId| before.seat(*node) != config.seat(*node);
        let fresh: Vec<NodeId> = nodes.iter().copied().filter(is_fresh).collect();
        self.members.now(nodes, &fresh);
        let old = config.place.before.iter().flat_map(|before| &before.seats);
        let seats: Vec<Seat> = config.place.current.seats.iter().chain(old).copied().collect();
        self.change.told.lock().retain(|seat, _| seats.contains(seat));
    }

    /// For what a change waits that is under way, if one is.
    pub fn waiting(&self) -> Option<Waits> {
        self.change.waiting.lock().as_ref().map(|(waiting, _)| told_of(waiting))
    }

    /// Carries changes through until the process stops.
    ///
    /// # Errors
    /// When the system has no thread for the first links.
    pub fn run_change<'scope>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
    ) -> std::io::Result<()> {
        self.run_links(scope)?;
        crate::thread::spawn_vital(scope, &self.stop, "change", move |_permit| {
            while !self.stop.is_closed() {
                let is_open = self.local.node.config().place.phase == Phase::Open;
                let wait =
                    Duration::from_millis(if is_open { IDLE_LOOK_MS } else { CHANGE_LOOK_MS });
                let _woken = self.change.wake.1.recv_timeout(wait);
                if let Err(error) = self.change_step() {
                    log::error!(error:%; "change of the members does not go on");
                    self.stop.wait(Duration::from_millis(PING_MS));
                }
                if let Err(error) = self.run_links(scope) {
                    log::error!(error:%; "no thread for a link");
                }
            }
        })?;
        Ok(())
    }

    fn change_step(&self) -> Result<(), StoreError> {
        let config = self.local.node.config();
        if config.not_voting == Some(NotVoting::Joining) {
            return Ok(());
        }
        if config.is_learning {
            return self.learn_step(&config);
        }
        let me = self.local.node.seat();
        let told = self.all_told(me);
        let step = config.place.next(me, &told);
        match step {
            Step::Done => *self.change.waiting.lock() = None,
            Step::Wait(waiting) => self.waits(waiting),
            Step::Install { from, .. } => {
                self.waits(Waiting::SameFiles);
                self.install(&from);
            }
            Step::GetReady => {
                let own = told.iter().find(|(seat, _)| *seat == me);
                *self.change.agreed.lock() = own.map(|(_, standing)| standing.sum);
                self.advance_to(&config, &config.place.made_ready())?;
            }
            Step::Open => {
                let rebuilt = self.rebuilt();
                self.advance_to(&config, &config.place.opened())?;
                self.opened(&rebuilt);
            }
            Step::Leave => self.leave(&config),
        }
        Ok(())
    }

    fn all_told(&self, me: Seat) -> Vec<(Seat, Standing)> {
        let own = (me, self.standing());
        let told = self.change.last_words();
        let others = told.into_iter().filter(|(seat, _)| *seat != me);
        std::iter::once(own).chain(others.map(|(seat, told)| (seat, told.standing))).collect()
    }

    /// Remembers for what a change waits. New members that copied at different times may differ:
    /// then each copies again what it lacks.
    pub(super) fn waits(&self, waiting: Waiting) {
        let now = self.clock.mono();
        let mut known = self.change.waiting.lock();
        match known.as_ref() {
            Some((before, since)) if *before == waiting => {
                let is_long = now.since_ms(*since) >= INSTALL_AGAIN_MS;
                if waiting == Waiting::SameFiles && is_long {
                    self.change.has_installed.store(false, Ordering::Release);
                    *known = Some((waiting, now));
                }
            }
            _ => {
                log::info!("for":% = told_of(&waiting); "change of the members waits");
                *known = Some((waiting, now));
            }
        }
    }

    /// Makes the next place durable, unless another list was taken on meanwhile.
    fn advance_to(&self, config: &Config, place: &Place) -> Result<(), StoreError> {
        let _gate = self.change.gate.lock();
        if self.local.node.config().place == config.place {
            self.local.node.take(&config.offer, place)?;
            let is_open = place.phase == Phase::Open;
            log::info!(phase:% = if is_open { "open" } else { "ready" }; "change of the members");
        }
        self.links.nudge_all();
        Ok(())
    }

    /// What is marked as damaged and was copied anew: this machine still holds what all others did when
    /// they got ready. What was found damaged since, or before this process began, is left to `repair`.
    fn rebuilt(&self) -> Vec<(Arc<Slot>, State)> {
        let damaged = self.local.slots().into_iter().filter(|slot| slot.is_damaged());
        let damaged = damaged.map(|slot| (slot.state(), slot)).map(|(state, slot)| (slot, state));
        let damaged: Vec<_> = damaged.collect();
        let is_same = self.change.agreed.lock().take() == Some(self.local.sum());
        if is_same { damaged } else { Vec::new() }
    }

    /// The new list votes: all old terms are closed, so what was promised in them is void.
    fn opened(&self, rebuilt: &[(Arc<Slot>, State)]) {
        let config = self.local.node.config();
        if config.place.phase != Phase::Open {
            return;
        }
        *self.change.waiting.lock() = None;
        for (slot, state) in rebuilt {
            self.local.clear_if_whole(slot, *state);
        }
        if self.members.count() == 1 {
            self.local.agree_alone();
        }
        self.want_comparison();
        self.note_changes(&config);
    }

    fn note_changes(&self, config: &Config) {
        let Some(before) = &config.place.before else { return };
        let lost: Vec<NodeId> =
            config.offer.before.iter().flat_map(|before| before.given_up.clone()).collect();
        for node in &lost {
            log::error!(node; "possible loss: machine given up, with what only it held");
            self.changes.note(ChangeKind::GivenUp, *node);
        }
        let old = |node| before.seats.iter().find(|seat| seat.node == node).copied();
        for seat in &config.place.current.seats {
            match old(seat.node) {
                Some(was) if was == *seat => {}
                Some(_) => self.changes.note(ChangeKind::Replaced, seat.node),
                None if lost.contains(&seat.node) => {
                    self.changes.note(ChangeKind::Replaced, seat.node);
                }
                None => self.changes.note(ChangeKind::Added, seat.node),
            }
        }
        for seat in &before.seats {
            if config.seat(seat.node).is_none() {
                self.changes.note(ChangeKind::Removed, seat.node);
            }
        }
    }

    /// The others go on without this machine, once none of them can need its word any more.
    fn leave(&self, config: &Config) {
        let told = self.change.last_words();
        let current = &config.place.current;
        let is_open = |seat: &Seat| {
            told.get(seat).is_some_and(|told| {
                told.standing.digest == current.digest && told.standing.phase == Phase::Open
            })
        };
        if current.seats.iter().all(is_open) {
            log::info!(epoch = current.epoch; "no longer a member");
            *self.fatal.lock() = Some(Reject::Gone);
            self.stop.close();
        }
    }
}

/// The same, for others to hear.
fn told_of(waiting: &Waiting) -> Waits {
    match waiting {
        Waiting::OldMembers(nodes) => Waits::OldMembers(nodes.clone()),
        Waiting::NewMembers(nodes) => Waits::NewMembers(nodes.clone()),
        Waiting::SameFiles => Waits::SameFiles,
        Waiting::Readiness => Waits::Readiness,
        Waiting::EarlierChange => Waits::EarlierChange,
    }
}
