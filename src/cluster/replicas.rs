//! This machine's replicas: each user's acceptor with its file, and the user as the committed part
//! of that file tells.
//!
//! Two locks a user here, always taken in this order: the replica lock (one step of the acceptor and
//! its disk work), inside it the view (a leaf). A view only ever shows what is committed. Readers
//! take the view alone, so a flush does not keep them waiting.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crossbeam_channel::Sender;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use super::compact::Gone;
use super::identity::Identity;
use crate::clock::Clock;
use crate::id::{Hash128, NodeId, UserName};
use crate::index::Index;
use crate::replica::acceptor::{Acceptor, Effect, Event, Floors};
use crate::replica::version::{Version, chain_hash};
use crate::replica::{NotVoting, Refuse, Reply, State};
use crate::store::line::{self, Kind, Line};
use crate::store::scan::{self, End};
use crate::store::{StoreError, UserStore};
use crate::user::User;

/// All replicas of this machine.
pub struct Replicas {
    /// Who this machine is, durably.
    pub node: Identity,
    /// The files.
    pub store: UserStore,
    pub(super) slots: RwLock<HashMap<UserName, Arc<Slot>>>,
    index: RwLock<Index>,
    /// XOR over all users of a hash of name, version and chain hash.
    sum: Mutex<[u8; 16]>,
    errands: Sender<Errand>,
    clock: Clock,
}

/// One user's replica.
pub struct Slot {
    /// Whose.
    pub name: UserName,
    pub(super) replica: Mutex<Replica>,
    pub(super) view: RwLock<User>,
}

pub(super) struct Replica {
    pub(super) acceptor: Acceptor,
    /// Bytes of the file.
    pub(super) len: u64,
    /// Accepted lines that are not known to be committed.
    pub(super) tail: VecDeque<Line>,
    /// Deleted texts that still stand in the file.
    pub(super) gone: Gone,
    /// How long the file was when it was last compacted, or found not worth it.
    pub(super) folded_to: u64,
}

/// Work that a replica cannot do by itself, for the catch-up thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// This version is committed and not held here: fetch it.
    Behind(UserName, Version),
    /// A write's outcome is not known: settle it.
    Settle(UserName),
}

/// What came with an event.
pub enum Body {
    /// Nothing.
    None,
    /// One line and its bytes; its entries' places count from the line's start.
    Line(Arc<[u8]>, Box<Line>),
    /// A whole file and its lines.
    File(Arc<[u8]>, Vec<Line>),
}

/// Bytes that another machine sent and that are no user's file.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not lines as they should be.
    #[error("the lines of user {0} are malformed")]
    Malformed(UserName),
    /// Well-formed, but not what was announced with them.
    #[error("the lines of user {0} are not those announced")]
    Mismatch(UserName),
}

impl Body {
    /// Reads one line that is announced to lead from `base` to `version`.
    ///
    /// # Errors
    /// [`BodyError`] if it does not.
    pub fn line(
        user: &UserName,
        bytes: Arc<[u8]>,
        (base, base_hash): (Version, Hash128),
        (version, hash): (Version, Hash128),
    ) -> Result<Self, BodyError> {
        let line = line::decode(&bytes, 0).map_err(|_| BodyError::Malformed(user.clone()))?;
        line::check_chain(&line, &bytes, base, base_hash)
            .map_err(|_| BodyError::Mismatch(user.clone()))?;
        if line.version != version || line.hash != hash {
            return Err(BodyError::Mismatch(user.clone()));
        }
        Ok(Self::Line(bytes, Box::new(line)))
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// [`BodyError`] if it is not whole from first to last line.
    pub fn file(user: &UserName, bytes: Arc<[u8]>) -> Result<Self, BodyError> {
        let mut lines = Vec::new();
        let scan = scan::scan(&bytes, &mut |line| lines.push(line));
        if scan.end == End::Whole && !lines.is_empty() {
            Ok(Self::File(bytes, lines))
        } else {
            Err(BodyError::Malformed(user.clone()))
        }
    }

    /// A whole file cut after `version`; `None` if that version is not in it.
    pub fn up_to(self, version: Version) -> Option<Self> {
        let Self::File(bytes, mut lines) = self else { return None };
        // The last of its version: a snapshot may take several lines, and holds all that came before.
        let end = lines.iter().rposition(|line| line.version == version)? + 1;
        let mut starts = bytes.split_inclusive(|&byte| byte == b'\n');
        let len = starts.by_ref().take(end).map(<[u8]>::len).sum();
        lines.truncate(end);
        Some(Self::File(bytes.get(..len)?.into(), lines))
    }

    /// The version up to which a whole file was folded. Only what is committed ever is.
    pub(super) fn folded(&self) -> Option<Version> {
        let Self::File(_, lines) = self else { return None };
        lines.first().filter(|line| is_part(line)).map(|line| line.version)
    }

    /// The version and hash that a whole file ends in.
    pub fn last(&self) -> Option<(Version, Hash128)> {
        match self {
            Self::File(_, lines) => lines.last().map(|line| (line.version, line.hash)),
            Self::Line(_, line) => Some((line.version, line.hash)),
            Self::None => None,
        }
    }
}

impl Replicas {
    /// Reads every user's file and rebuilds what they tell.
    ///
    /// # Errors
    /// A file that is damaged (it is set aside) or cannot be read: this machine must not vote then.
    pub fn load(
        node: Identity,
        store: UserStore,
        errands: Sender<Errand>,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let replicas = Self {
            node,
            store,
            slots: RwLock::default(),
            index: RwLock::default(),
            sum: Mutex::default(),
            errands,
            clock,
        };
        for name in replicas.store.names()? {
            replicas.load_one(&name)?;
        }
        Ok(replicas)
    }

    fn load_one(&self, name: &UserName) -> Result<(), StoreError> {
        let mut user = User::absent(name.clone());
        let mut tail = VecDeque::new();
        let mut gone = Gone::default();
        let mut com = Version::ZERO;
        let mut index = self.index.write();
        let loaded = self.store.load(name, &mut |line| {
            com = com.max(line.com);
            tail.push_back(line);
            advance(&mut user, &mut index, (&mut tail, &mut gone), com);
        });
        drop(index);
        let loaded = match loaded {
            Err(StoreError::Damaged { user, line, why }) => {
                self.store.set_aside(&user, &format!("line {line}: {why}"))?;
                return Err(StoreError::Damaged { user, line, why });
            }
            other => other?,
        };
        let state = State { acc: loaded.acc, hash: loaded.hash, com };
        let acceptor = Acceptor::new(state);
        let replica = Replica { acceptor, len: loaded.len, tail, gone, folded_to: 0 };
        let slot =
            Slot { name: name.clone(), replica: Mutex::new(replica), view: RwLock::new(user) };
        self.add_to_sum(name, State::default(), state);
        self.slots.write().insert(name.clone(), Arc::new(slot));
        Ok(())
    }

    /// A machine that is alone is the majority: what it holds is committed.
    pub fn agree_alone(&self) {
        for (name, state) in self.states() {
            if let Some(slot) = self.get(&name) {
                self.step(&slot, Event::Committed(state.acc), &Body::None);
            }
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
            Arc::new(Slot {
                name: name.clone(),
                replica: Mutex::new(Replica {
                    acceptor: Acceptor::new(State::default()),
                    len: 0,
                    tail: VecDeque::new(),
                    gone: Gone::default(),
                    folded_to: 0,
                }),
                view: RwLock::new(User::absent(name.clone())),
            })
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

    /// The names with a replica, sorted, after `after`, at most `most`.
    pub fn names_after(&self, after: Option<&UserName>, most: usize) -> Vec<UserName> {
        let mut names: Vec<UserName> =
            self.slots.read().keys().filter(|&name| Some(name) > after).cloned().collect();
        names.sort_unstable();
        names.truncate(most);
        names
    }

    /// What each replica with a file holds.
    pub fn states(&self) -> BTreeMap<UserName, State> {
        let slots: Vec<Arc<Slot>> = self.slots.read().values().map(Arc::clone).collect();
        let held = slots.iter().map(|slot| (slot.name.clone(), slot.state()));
        held.filter(|(_, state)| !state.acc.is_zero()).collect()
    }

    /// The read side over all users.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read()
    }

    /// XOR over all users of what they hold: equal sums mean equal files.
    pub fn sum(&self) -> Hash128 {
        Hash128(*self.sum.lock())
    }

    /// The locks of a machine that is gone are void.
    pub fn release_locks_of(&self, gone: NodeId) {
        let slots: Vec<Arc<Slot>> = self.slots.read().values().map(Arc::clone).collect();
        for slot in slots {
            self.step(&slot, Event::Gone(gone), &Body::None);
        }
    }

    /// Steps a user's acceptor and does what it asks of the disk. Its answer, if it gives one.
    pub fn step(&self, slot: &Slot, event: Event, body: &Body) -> Option<Reply> {
        let mut replica = slot.replica.lock();
        let mut effects = Vec::new();
        replica.acceptor.step(self.clock.mono(), &self.floors(), event, &mut effects);
        let mut reply = None;
        let mut todo = VecDeque::from(effects);
        while let Some(effect) = todo.pop_front() {
            let next = match effect {
                Effect::Reply(answer) => {
                    reply = Some(answer);
                    continue;
                }
                Effect::Advance(com) => {
                    let Replica { tail, gone, .. } = &mut *replica;
                    let (mut view, mut index) = (slot.view.write(), self.index.write());
                    advance(&mut view, &mut index, (tail, gone), com);
                    continue;
                }
                Effect::Behind(com) => {
                    self.errand(Errand::Behind(slot.name.clone(), com));
                    continue;
                }
                Effect::RaiseCeiling(to) => match self.node.raise_ceiling(to) {
                    Ok(()) => event,
                    Err(error) => {
                        log::error!("ceiling not raised, lock refused error={error}");
                        let why = NotVoting::NoSpace;
                        return Some(Reply::Refuse(Refuse::NotVoting { why }));
                    }
                },
                Effect::Append | Effect::Replace => self.write(slot, &mut replica, body),
                Effect::ClearMark => match self.store.clear_mark(&slot.name) {
                    Ok(()) => Event::Cleared,
                    Err(error) => {
                        log::error!("mark not removed user={} error={error}", slot.name);
                        return None;
                    }
                },
            };
            let mut more = Vec::new();
            replica.acceptor.step(self.clock.mono(), &self.floors(), next, &mut more);
            todo.extend(more);
        }
        if let Some(folded) = body.folded()
            && replica.acceptor.state().acc >= folded
            && replica.acceptor.state().com < folded
        {
            // What a peer folded is committed; the view shows it already, there are no lines of it.
            let mut effects = Vec::new();
            let committed = Event::Committed(folded);
            replica.acceptor.step(self.clock.mono(), &self.floors(), committed, &mut effects);
        }
        reply
    }

    /// Puts an event's bytes on disk. The result as an event.
    fn write(&self, slot: &Slot, replica: &mut Replica, body: &Body) -> Event {
        if let Body::File(_, lines) = body
            && !replica.keeps_committed(lines)
        {
            log::error!("file from a peer lacks what is committed here user={}", slot.name);
            return Event::Failed(NotVoting::NoSpace);
        }
        let written = match body {
            Body::Line(bytes, _) => self.store.append(&slot.name, replica.len, bytes),
            Body::File(bytes, _) => self.store.replace(&slot.name, bytes),
            Body::None => panic!("an acceptor only writes what came with its event"),
        };
        match written {
            Ok(()) => {
                let before = replica.acceptor.state();
                let (acc, hash) = body.last().unwrap_or_default();
                self.add_to_sum(&slot.name, before, State { acc, hash, com: before.com });
                replica.took(body);
                if let Body::File(_, lines) = body {
                    self.show_anew(slot, replica, lines, body.folded());
                }
                Event::Written
            }
            Err(
                error @ (StoreError::SyncFailed { .. }
                | StoreError::Retired { .. }
                | StoreError::LengthDiffers { .. }),
            ) => {
                self.distrust(&slot.name, &error);
                Event::Failed(NotVoting::Damaged)
            }
            // The file is as it was: this machine may vote again when there is room.
            Err(error) => {
                log::error!("write refused by the disk user={} error={error}", slot.name);
                Event::Failed(NotVoting::NoSpace)
            }
        }
    }

    /// Marks a file whose content on the disk is not known any more.
    pub(super) fn distrust(&self, name: &UserName, error: &StoreError) {
        log::error!("write failed, no vote on this user user={name} error={error}");
        if let Err(error) = self.store.mark_damaged(name, &error.to_string()) {
            log::error!("damage not marked, voting stopped user={name} error={error}");
            self.node.stop_voting();
        }
    }

    /// Shows what a whole file that has just taken the place of another says is committed: also what
    /// was shown before stands elsewhere in it, and of a snapshot there are no single changes.
    fn show_anew(
        &self,
        slot: &Slot,
        replica: &mut Replica,
        lines: &[Line],
        folded: Option<Version>,
    ) {
        let shown = replica.acceptor.state().com.max(folded.unwrap_or_default());
        let mut user = User::absent(slot.name.clone());
        replica.gone = Gone::default();
        replica.folded_to = 0;
        for line in lines.iter().filter(|line| line.version <= shown) {
            line.apply_to(&mut user, |before, entry| replica.gone.note(before, entry));
        }
        replica.tail = lines.iter().filter(|line| line.version > shown).cloned().collect();
        user.shrink_to_fit();
        let mut view = slot.view.write();
        self.index.write().replace(&view, &user);
        *view = user;
    }

    /// Leaves work for the catch-up thread. A full queue drops it: the regular comparison of all
    /// versions finds it again.
    pub fn errand(&self, errand: Errand) {
        let _full = self.errands.try_send(errand);
    }

    fn add_to_sum(&self, name: &UserName, before: State, after: State) {
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

    /// A user's whole file as it stands, with what it is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn file(&self, slot: &Slot) -> Result<(State, Vec<u8>), StoreError> {
        let replica = slot.replica.lock();
        let bytes = match replica.len {
            0 => Vec::new(),
            len => self.store.read_prefix(&slot.name, len)?,
        };
        Ok((replica.acceptor.state(), bytes))
    }
}

impl Slot {
    /// The user as the committed part of the file tells.
    pub fn view(&self) -> RwLockReadGuard<'_, User> {
        self.view.read()
    }

    /// What is on disk.
    pub fn state(&self) -> State {
        self.replica.lock().acceptor.state()
    }

    /// What is on disk, what was promised, and how long the file is.
    pub fn standing(&self, floors: &Floors) -> (State, crate::replica::version::Term, u64) {
        let replica = self.replica.lock();
        (replica.acceptor.state(), replica.acceptor.promise(floors), replica.len)
    }

    /// The user as the file up to its end `base` tells, the part not known to be committed included:
    /// its length, and no user if that is what the view shows. `None` if the file ends elsewhere by
    /// now.
    pub fn at(&self, base: Version) -> Option<(u64, Option<User>)> {
        let replica = self.replica.lock();
        if replica.acceptor.state().acc != base {
            return None;
        }
        if replica.tail.is_empty() {
            return Some((replica.len, None));
        }
        let mut user = self.view.read().clone();
        for line in &replica.tail {
            apply_line(&mut user, line);
        }
        Some((replica.len, Some(user)))
    }
}

impl Replica {
    /// Whether a file that is to replace this one still holds what is committed.
    fn keeps_committed(&self, lines: &[Line]) -> bool {
        let com = self.acceptor.state().com;
        let holds = |line: &Line| line.version == com || (is_part(line) && line.version > com);
        com.is_zero() || lines.iter().any(holds)
    }

    /// Takes note of what was just written.
    fn took(&mut self, body: &Body) {
        match body {
            Body::None => {}
            Body::Line(bytes, line) => {
                let mut line = (**line).clone();
                for (_, place) in &mut line.entries {
                    place.offset += self.len;
                }
                self.len += bytes.len() as u64;
                self.tail.push_back(line);
            }
            Body::File(bytes, _) => self.len = bytes.len() as u64,
        }
    }
}

/// What a line means to its user.
pub fn apply_line(user: &mut User, line: &Line) {
    line.apply_to(user, |_, _| {});
}

fn is_part(line: &Line) -> bool {
    matches!(line.kind, Kind::Snapshot(_))
}

/// Shows the lines up to `com`.
fn advance(
    user: &mut User,
    index: &mut Index,
    (tail, gone): (&mut VecDeque<Line>, &mut Gone),
    com: Version,
) {
    while let Some(line) = tail.pop_front_if(|line| line.version <= com) {
        line.apply_to(user, |before, entry| {
            gone.note(before, entry);
            index.apply(before, entry);
        });
    }
}
