//! This machine's replicas: each user's acceptor with its file, and what the files say together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::Sender;
use parking_lot::{Mutex, RwLock};

pub use super::body::{Body, BodyError};
use super::identity::Identity;
use super::reading::Reading;
use super::slot::{Replica, Told};
pub use super::slot::{Slot, apply_line};
use super::slow::SlowDisk;
use super::tail::Fitted;
use crate::clock::Clock;
use crate::id::{Hash128, NodeId, UserName};
use crate::index::Index;
use crate::limits::{BALLAST_BYTES, LOAD_THREADS_MAX};
use crate::order::gather;
use crate::replica::acceptor::{Acceptor, Effect, Event, Floors};
use crate::replica::version::{Version, chain_hash};
use crate::replica::{NotVoting, Refuse, Reply, State, restart};
use crate::store::{StoreError, UserStore};
use crate::thread::{CloseOnPanic, Stop, side_by_side};
use crate::wire::message::SumsRow;

/// All replicas of this machine.
pub struct Replicas {
    /// Who this machine is, durably.
    pub node: Identity,
    /// The files.
    pub store: UserStore,
    slots: RwLock<BTreeMap<UserName, Arc<Slot>>>,
    pub(super) index: RwLock<Index>,
    /// XOR over all users of a hash of name, version and chain hash.
    sum: Mutex<[u8; 16]>,
    /// Whose file is damaged and not rebuilt yet.
    pub(super) damaged: Mutex<BTreeSet<UserName>>,
    /// Whose mark is not on the disk yet: as long as there are any, this machine votes on nobody.
    pub(super) unmarked: Mutex<BTreeSet<UserName>>,
    /// Whether the disk neither takes a mark nor gives what stands on it.
    disk_lost: AtomicBool,
    /// Why the disk refused the last write, if it did.
    disk_refuses: Mutex<Option<NotVoting>>,
    slow_disk: SlowDisk,
    errands: Sender<Errand>,
    clock: Clock,
    /// Closed when a step panics.
    pub(super) stop: Stop,
}

/// Work that a replica cannot do by itself, for the catch-up thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// This version is committed and not held here: fetch it.
    Behind(UserName, Version),
    /// A write's outcome is not known: settle it.
    Settle(UserName),
    /// A comparison with the peers is wanted.
    Compare,
}

impl Replicas {
    /// Reads every user's file and rebuilds what they tell. A damaged file is marked and set aside,
    /// and this machine has no vote on its user until it is rebuilt.
    ///
    /// # Errors
    /// A file of a newer program, or a disk that cannot be read.
    pub fn load(
        node: Identity,
        store: UserStore,
        errands: Sender<Errand>,
        clock: Clock,
        stop: Stop,
    ) -> Result<Self, StoreError> {
        let mut replicas = Self {
            node,
            store,
            slots: RwLock::default(),
            index: RwLock::default(),
            sum: Mutex::default(),
            damaged: Mutex::default(),
            unmarked: Mutex::default(),
            disk_lost: AtomicBool::new(false),
            disk_refuses: Mutex::default(),
            slow_disk: SlowDisk::default(),
            errands,
            clock,
            stop,
        };
        let marks = replicas.store.marks()?;
        *replicas.damaged.get_mut() = gather(marks.into_iter().map(|(name, _)| name));
        let mut names: BTreeSet<UserName> = replicas.store.names()?.into_iter().collect();
        names.extend(replicas.damaged.get_mut().iter().cloned());
        let names: Vec<UserName> = names.into_iter().collect();
        let slots = replicas.load_all(&names)?;
        {
            let views: Vec<_> = slots.values().map(|slot| slot.view()).collect();
            *replicas.index.get_mut() = Index::build(views.iter().map(|view| &**view));
        }
        *replicas.slots.get_mut() = slots;
        Ok(replicas)
    }

    /// Reads these files, one on each core.
    fn load_all(&self, names: &[UserName]) -> Result<BTreeMap<UserName, Arc<Slot>>, StoreError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let next = AtomicUsize::new(0);
        let (slots, failed) = (Mutex::new(BTreeMap::new()), Mutex::new(None));
        side_by_side("load", cores.min(LOAD_THREADS_MAX).min(names.len()), || {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.load_one(name) {
                    Ok(slot) => drop(slots.lock().insert(name.clone(), Arc::new(slot))),
                    Err(error) => {
                        next.store(names.len(), Ordering::Relaxed);
                        failed.lock().get_or_insert(error);
                    }
                }
            }
        });
        match failed.into_inner() {
            None => Ok(slots.into_inner()),
            Some(error) => Err(error),
        }
    }

    fn load_one(&self, name: &UserName) -> Result<Slot, StoreError> {
        let mut told = Told::nothing(name.clone());
        let loaded = match self.store.load(name, &mut |line| told.line(line)) {
            Err(error) if error.is_damage() => {
                let (loaded, lines) = self.put_aside(name, &error);
                if self.is_disk_lost() {
                    return Err(error);
                }
                told = Told::nothing(name.clone());
                for line in lines {
                    told.line(line);
                }
                loaded
            }
            other => other?,
        };
        let is_marked = self.damaged.lock().contains(name);
        let mut state = State { acc: loaded.acc, hash: loaded.hash, com: loaded.com };
        if !is_marked && self.node.is_alone() {
            // At once, and not when all is built: a line more of everybody would move all of it.
            told.agree();
            state.com = state.acc;
        }
        told.user.shrink_to_fit();
        self.add_to_sum(name, State::default(), state);
        Ok(Slot::new(told, restart::replica(state, is_marked), loaded.len))
    }

    /// A machine that is alone is the majority: what it holds is committed.
    pub fn agree_alone(&self) {
        for slot in self.slots() {
            self.step(&slot, Event::Committed(slot.state().acc), &Body::None);
        }
    }

    /// What this machine has promised as a whole.
    pub fn floors(&self) -> Floors {
        self.node.floors()
    }

    /// The replica of a user who has a file, or of whom something was promised.
    pub fn get(&self, name: &UserName) -> Option<Arc<Slot>> {
        self.slots.read().get(name).map(Arc::clone)
    }

    /// The replica of any name; made if there is none, since promises must be remembered.
    pub fn get_or_make(&self, name: &UserName) -> Arc<Slot> {
        if let Some(slot) = self.get(name) {
            return slot;
        }
        let make = || {
            let acceptor = Acceptor::new(State::default());
            Arc::new(Slot::new(Told::nothing(name.clone()), acceptor, 0))
        };
        Arc::clone(self.slots.write().entry(name.clone()).or_insert_with(make))
    }

    /// What is held of a user, if this machine has a vote on them. Names without a file cost nothing:
    /// strangers choose them.
    pub fn read(&self, name: &UserName) -> Reply {
        let told = match self.get(name) {
            Some(slot) => self.step(&slot, Event::Read, &Body::None),
            None => self.floors().not_voting.map(|why| Reply::Refuse(Refuse::NotVoting { why })),
        };
        told.unwrap_or(Reply::State(State::default()))
    }

    /// What is held of the users after `after`, by name, at most `most` of them; and whether these
    /// are all. A full page leaves off where its last row stands.
    pub fn rows_after(&self, after: Option<&UserName>, most: usize) -> (Vec<SumsRow>, bool) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let slots = self.slots.read();
        let mut rest = slots.range::<UserName, _>((from, Bound::Unbounded));
        let row = |slot: &Arc<Slot>| {
            let (state, has_vote) = slot.standing_row();
            let is_held = !state.acc.is_zero() || !has_vote;
            is_held.then(|| SumsRow { user: slot.name.clone(), state, is_damaged: !has_vote })
        };
        let rows: Vec<SumsRow> =
            rest.by_ref().filter_map(|(_, slot)| row(slot)).take(most).collect();
        let is_last = rows.len() < most;
        (rows, is_last)
    }

    /// Every replica there is.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().values().map(Arc::clone).collect()
    }

    /// The read side over all users. Whoever holds it looks at no user and reads it no second time.
    pub fn index(&self) -> Reading<'_> {
        Reading::of(&self.index)
    }

    /// XOR over all users of what they hold: equal sums mean equal files.
    pub fn sum(&self) -> Hash128 {
        Hash128(*self.sum.lock())
    }

    /// The locks of a machine that is gone are void.
    pub fn release_locks_of(&self, gone: NodeId) {
        for slot in self.slots() {
            self.step(&slot, Event::Gone(gone), &Body::None);
        }
    }

    /// Steps a user's acceptor and does what it asks of the disk. Its answer, if it gives one.
    pub fn step(&self, slot: &Slot, event: Event, body: &Body) -> Option<Reply> {
        // A bug half-way leaves the acceptor at a step that never ends: all who come to it later would die
        // of it, one by one, while the process passes for well.
        let _vital = CloseOnPanic::new(&self.stop);
        let mut replica = slot.lock();
        let reply = self.perform(slot, &mut replica, event, body);
        let me = self.node.node;
        let is_for_me = |why: &Refuse| matches!(why, Refuse::Busy { holder, .. } if *holder == me);
        replica.turned_away |= matches!(&reply, Some(Reply::Refuse(why)) if is_for_me(why));
        // Two values of one version: before the other side is blamed, the own file is looked at.
        if reply == Some(Reply::Refuse(Refuse::BadBase)) && self.check(slot, &mut replica) {
            let why = NotVoting::Damaged;
            return Some(Reply::Refuse(Refuse::NotVoting { why }));
        }
        // All that lacks would be sent with each write, for a disk that takes none of it.
        match (reply, self.disk_refusal()) {
            (Some(Reply::Need(_)), Some(why)) => Some(Reply::Refuse(Refuse::NotVoting { why })),
            (reply, _) => reply,
        }
    }

    pub(super) fn perform(
        &self,
        slot: &Slot,
        replica: &mut Replica,
        event: Event,
        body: &Body,
    ) -> Option<Reply> {
        let mut reply = None;
        let mut todo = self.step_once(replica, event);
        while let Some(effect) = todo.pop_front() {
            let next = match effect {
                Effect::Reply(answer) => {
                    reply = Some(answer);
                    continue;
                }
                Effect::Advance(com) => {
                    slot.show(replica, &self.index, com);
                    continue;
                }
                Effect::Behind(com) => {
                    self.errand(Errand::Behind(slot.name.clone(), com));
                    continue;
                }
                Effect::RaiseCeiling(to) => match self.node.raise_ceiling(to) {
                    Ok(()) => event,
                    Err(error) => {
                        log::error!(error:%; "ceiling not raised, lock refused");
                        let why = refusal(&error);
                        return Some(Reply::Refuse(Refuse::NotVoting { why }));
                    }
                },
                Effect::Append | Effect::Replace => match self.write(slot, replica, event, body) {
                    Ok(written) => written,
                    Err(error) => {
                        todo.extend(self.step_once(replica, Event::Failed(NotVoting::Damaged)));
                        self.lose(slot, replica, &error);
                        continue;
                    }
                },
                Effect::ClearMark => match self.store.clear_mark(&slot.name) {
                    Ok(()) => {
                        self.damaged.lock().remove(&slot.name);
                        Event::Cleared
                    }
                    Err(error) => {
                        log::error!(user:% = slot.name, error:%; "mark not removed");
                        continue;
                    }
                },
            };
            todo.extend(self.step_once(replica, next));
        }
        if let Some(folded) = body.folded()
            && (replica.acceptor.state().com..=replica.acceptor.state().acc).contains(&folded)
        {
            // Whoever folded it knew it to be committed.
            self.perform(slot, replica, Event::Committed(folded), &Body::None);
        }
        reply
    }

    pub(super) fn step_once(&self, replica: &mut Replica, event: Event) -> VecDeque<Effect> {
        let mut effects = Vec::new();
        replica.acceptor.step(self.clock.mono(), &self.floors(), event, &mut effects);
        effects.into()
    }

    /// Puts an event's bytes on disk. The result as an event.
    ///
    /// # Errors
    /// What is on the disk now is not known: this file is lost.
    fn write(
        &self,
        slot: &Slot,
        replica: &mut Replica,
        event: Event,
        body: &Body,
    ) -> Result<Event, StoreError> {
        let is_repair = matches!(event, Event::Restore(_));
        if let Body::File(_, lines) = body
            && !is_repair
            && !replica.keeps_committed(lines)
        {
            log::error!(user:% = slot.name; "file from a peer lacks what is committed here");
            return Ok(Event::Failed(NotVoting::Lacking));
        }
        // Without its mark on the disk a rebuilt file would be trusted at the next start.
        if replica.acceptor.is_damaged() && !self.mark(&slot.name, "its mark was lost") {
            return Ok(Event::Failed(NotVoting::Unmarked));
        }
        let fitted = match body {
            Body::Lines(..) => self.fitted(slot, replica, body),
            _ => Some(Fitted { body: Cow::Borrowed(body), keeps: None }),
        };
        let Some(Fitted { body, keeps }) = fitted else {
            log::debug!(user:% = slot.name; "overtaken while catching up");
            return Ok(Event::Failed(NotVoting::Overtaken));
        };
        let begun = self.clock.mono();
        self.slow_disk.begin(begun);
        let written = self.put(slot, replica.len, &body, keeps);
        self.slow_disk.wrote(begun, self.clock.mono());
        match written {
            Ok(()) => {
                let before = replica.acceptor.state();
                let (acc, hash) = body.last().unwrap_or_default();
                self.add_to_sum(&slot.name, before, State { acc, hash, com: before.com });
                if let Some((version, len)) = keeps {
                    replica.cut(version, len);
                }
                slot.took(replica, &self.index, &body);
                replica.unfit = 0;
                self.node.note_users();
                self.disk_takes();
                Ok(Event::Written)
            }
            Err(error) if is_lost(&error) => {
                log::error!(user:% = slot.name, error:%; "write failed, no vote on this user");
                Err(error)
            }
            // The file is as it was: this machine may vote again when there is room.
            Err(error) => {
                let is_disk = matches!(error, StoreError::NoSpace { .. } | StoreError::Io { .. });
                let why = refusal(&error);
                replica.unfit = keeps.map_or(0, |(_, kept)| kept) + body.len() as u64;
                // Once: as long as it lasts it is every write's fate.
                if !is_disk || self.disk_refuses.lock().replace(why).is_none() {
                    log::error!(user:% = slot.name, error:%; "write refused by the disk");
                }
                Ok(Event::Failed(why))
            }
        }
    }

    /// Puts it on disk behind `len` bytes, or behind what the file keeps.
    fn put(
        &self,
        Slot { name, .. }: &Slot,
        len: u64,
        body: &Body,
        keeps: Option<(Version, u64)>,
    ) -> Result<(), StoreError> {
        match (body, keeps) {
            (Body::Line(bytes, _), _) => self.store.append(name, len, bytes),
            (Body::Lines(_, bytes, _), None) => self.store.append_lines(name, len, bytes),
            // In one step, so that whatever happens meanwhile the one or the other stands there.
            (Body::Lines(_, bytes, _), Some((_, kept))) => {
                let kept = self.store.read_prefix(name, kept)?;
                self.store.replace(name, &[&kept, &**bytes].concat())
            }
            (Body::File(bytes, _), _) => self.store.replace(name, bytes),
            (Body::None, _) => panic!("an acceptor only writes what came with its event"),
        }
    }

    /// Leaves work for the catch-up thread. A full queue drops it: the regular comparison of all
    /// versions finds it again.
    pub fn errand(&self, errand: Errand) {
        let _full = self.errands.try_send(errand);
    }

    /// Whether a write does not come back from the disk.
    pub(super) fn is_disk_hanging(&self) -> bool {
        self.slow_disk.hangs(self.clock.mono())
    }

    /// Whether the disk may take what others hold of a user: not as long as it takes nothing, nor where there is
    /// less room than lacked before. Else all that lacks here would be sent again and again, for nothing.
    pub(super) fn may_take(&self, slot: &Slot) -> bool {
        self.disk_refusal().is_none() && self.store.has_room_for(slot.lock().unfit)
    }

    /// Finds out whether a disk that refused a write has room again. Else nobody would know before the
    /// next write, and nobody sends one to a machine of which they are told that it saves nothing.
    pub(super) fn look_for_room(&self) {
        if self.disk_refusal().is_some() && self.store.has_room_for(BALLAST_BYTES) {
            self.disk_takes();
        }
    }

    fn disk_takes(&self) {
        if self.disk_refuses.lock().take().is_some() {
            log::info!("disk takes writes again");
        }
    }

    /// Why this machine accepts nothing just now, though it would vote: its disk refused the last write.
    pub fn disk_refusal(&self) -> Option<NotVoting> {
        *self.disk_refuses.lock()
    }

    /// Whether the disk neither takes a mark nor gives what stands on it: there is nothing left that
    /// this process could answer.
    pub fn is_disk_lost(&self) -> bool {
        self.disk_lost.load(Ordering::Acquire)
    }

    pub(super) fn disk_lost(&self) {
        self.disk_lost.store(true, Ordering::Release);
    }

    pub(super) fn add_to_sum(&self, name: &UserName, before: State, after: State) {
        let mut sum = self.sum.lock();
        for state in [before, after] {
            if !state.acc.is_zero() {
                let version = state.acc.to_string();
                let parts = [name.as_str().as_bytes(), b" ", version.as_bytes(), &state.hash.0];
                let hash = chain_hash(Hash128::default(), &parts);
                sum.iter_mut().zip(hash.0).for_each(|(to, from)| *to ^= from);
            }
        }
    }
}

/// Why there is no vote where this kept what had to be written from the disk.
fn refusal(error: &StoreError) -> NotVoting {
    match error {
        StoreError::NoSpace { source, .. }
            if source.kind() != io::ErrorKind::ReadOnlyFilesystem =>
        {
            NotVoting::NoSpace
        }
        _ => NotVoting::Disk,
    }
}

/// Whether nobody knows any more what is on the disk under a file's name, or it is not the file that
/// this process has written.
fn is_lost(error: &StoreError) -> bool {
    match error {
        StoreError::SyncFailed { .. }
        | StoreError::Retired { .. }
        | StoreError::LengthDiffers { .. } => true,
        StoreError::Io { source, .. } => {
            source.kind() == io::ErrorKind::NotFound || crate::store::error::is_unreadable(source)
        }
        _ => false,
    }
}
