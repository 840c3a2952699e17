//! One user's replica in memory: the acceptor, what its file holds, and the user as the committed
//! part of that file tells.
//!
//! Two locks a user, always taken in this order: the replica lock (one step of the acceptor and its
//! disk work), inside it the view. A view only ever shows what is committed. Readers take the view
//! alone, so a flush does not keep them waiting.

use std::collections::VecDeque;

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};

use super::body::{Body, folded};
use super::compact::Gone;
use crate::id::{Hash128, NodeId, RequestId, UserName};
use crate::index::Index;
use crate::replica::State;
use crate::replica::acceptor::{Acceptor, Floors};
use crate::replica::version::{Term, Version};
use crate::store::line::Line;
use crate::user::User;

/// One user's replica.
pub struct Slot {
    /// Whose.
    pub name: UserName,
    replica: Mutex<Replica>,
    view: RwLock<User>,
    /// Held by whoever has a peer's file of this user sent; of which peer it was not to be had last.
    pub(super) learning: Mutex<Option<NodeId>>,
}

/// What the replica lock guards.
pub(super) struct Replica {
    pub(super) acceptor: Acceptor,
    /// Bytes of the file.
    pub(super) len: u64,
    /// Accepted lines that the view does not show: they are not known to be committed.
    tail: VecDeque<Line>,
    /// The last line that the view shows. It stays when the file that told it is lost, so that
    /// nothing is shown twice when the file has come back.
    shown: Version,
    /// Whether a machine was turned away for this one's lock since that was last asked.
    pub(super) turned_away: bool,
    /// Deleted texts that still stand in the file.
    pub(super) gone: Gone,
    /// How long the file was when it was last compacted, or found not worth it.
    pub(super) folded_to: u64,
    /// How many bytes they were for which the disk had no room last, if it was the last write.
    pub(super) unfit: u64,
}

/// What lines say, those that are committed and those that are not yet.
pub(super) struct Told {
    /// The user by the committed lines.
    pub(super) user: User,
    tail: VecDeque<Line>,
    shown: Version,
    com: Version,
    gone: Gone,
}

impl Told {
    /// Nothing said yet.
    pub(super) fn nothing(name: UserName) -> Self {
        Self {
            user: User::absent(name),
            tail: VecDeque::new(),
            shown: Version::ZERO,
            com: Version::ZERO,
            gone: Gone::default(),
        }
    }

    /// Takes the next line of the file. A line tells which lines before it are committed.
    pub(super) fn line(&mut self, line: Line) {
        self.com = self.com.max(line.com);
        self.tail.push_back(line);
        self.take_committed();
    }

    /// All lines so far are committed.
    pub(super) fn agree(&mut self) {
        self.com = self.tail.back().map_or(self.com, |line| line.version);
        self.take_committed();
    }

    fn take_committed(&mut self) {
        while let Some(line) = self.tail.pop_front_if(|line| line.version <= self.com) {
            self.shown = line.version;
            line.apply_to(&mut self.user, |before, entry| self.gone.note(before, entry));
        }
    }
}

impl Slot {
    /// A replica whose file, `len` bytes long, tells this.
    pub(super) fn new(told: Told, acceptor: Acceptor, len: u64) -> Self {
        let Told { user, tail, shown, gone, .. } = told;
        let (turned_away, folded_to, unfit) = (false, 0, 0);
        let replica = Replica { acceptor, len, tail, shown, turned_away, gone, folded_to, unfit };
        let replica = Mutex::new(replica);
        let (name, learning) = (user.name.clone(), Mutex::default());
        Self { name, replica, view: RwLock::new(user), learning }
    }

    /// The user as the committed part of the file tells.
    pub fn view(&self) -> RwLockReadGuard<'_, User> {
        self.view.read()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Replica> {
        self.replica.lock()
    }

    /// What is on disk.
    pub fn state(&self) -> State {
        self.replica.lock().acceptor.state()
    }

    /// What is on disk, and whether it may be trusted: the word of a damaged copy proves nothing.
    pub fn standing_row(&self) -> (State, bool) {
        let replica = self.replica.lock();
        (replica.acceptor.state(), !replica.acceptor.is_damaged())
    }

    /// Whether the file was found damaged and is not rebuilt yet.
    pub fn is_damaged(&self) -> bool {
        self.replica.lock().acceptor.is_damaged()
    }

    /// Whether more is known to be committed than stands in the file.
    pub fn is_behind(&self) -> bool {
        self.replica.lock().acceptor.is_behind()
    }

    /// Whether a machine was turned away for this one's lock since this was last asked.
    pub(super) fn take_turned_away(&self) -> bool {
        std::mem::take(&mut self.replica.lock().turned_away)
    }

    /// What is on disk, what was promised, and how long the file is.
    pub fn standing(&self, floors: &Floors) -> (State, Term, u64) {
        let replica = self.replica.lock();
        (replica.acceptor.state(), replica.acceptor.promise(floors), replica.len)
    }

    /// The user as the file up to its end `base` tells, the part not known to be committed included:
    /// its length, and no user if that is what the view shows. `None` if the file ends elsewhere by
    /// now.
    pub fn at(&self, base: Version) -> Option<(u64, Option<User>)> {
        let replica = self.replica.lock();
        if replica.acceptor.state().acc != base || replica.shown > base {
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

    /// Whether a line that is not known to be committed answers this request.
    pub fn has_open(&self, id: &RequestId, digest: Hash128) -> bool {
        let replica = self.replica.lock();
        let mut open = replica.tail.iter().flat_map(|line| &line.requests);
        open.any(|request| request.id == *id && request.digest == digest)
    }

    /// Shows the lines up to `com`.
    pub(super) fn show(&self, replica: &mut Replica, index: &RwLock<Index>, com: Version) {
        let mut user = self.view.write();
        let mut index = index.write();
        while let Some(line) = replica.tail.pop_front_if(|line| line.version <= com) {
            replica.shown = line.version;
            line.apply_to(&mut user, |before, entry| {
                replica.gone.note(before, entry);
                index.apply(before, entry);
            });
        }
    }

    /// Takes note of what was just written.
    pub(super) fn took(&self, replica: &mut Replica, index: &RwLock<Index>, body: &Body) {
        match body {
            Body::None => {}
            Body::Line(bytes, line) => {
                let mut line = (**line).clone();
                for (_, place) in &mut line.entries {
                    place.offset += replica.len;
                }
                replica.len += bytes.len() as u64;
                replica.tail.push_back(line);
            }
            Body::Lines(_, bytes, lines) => {
                let at = replica.len;
                replica.tail.extend(lines.iter().cloned().map(|mut line| {
                    line.entries.iter_mut().for_each(|(_, place)| place.offset += at);
                    line
                }));
                // They may tell again what was shown before the file was lost.
                while replica.tail.pop_front_if(|line| line.version <= replica.shown).is_some() {}
                replica.len += bytes.len() as u64;
            }
            Body::File(bytes, lines) => {
                replica.len = bytes.len() as u64;
                self.took_lines(replica, index, lines);
            }
        }
    }

    /// Goes on from what is shown with the lines of another file. What is shown stands there as well,
    /// if perhaps in other places, or the file ends before it (it is on its way back then), or it is
    /// lost for good: then it is not shown any longer. A snapshot is shown as a whole, being
    /// committed: of what happened up to it there are no single changes.
    pub(super) fn took_lines(&self, replica: &mut Replica, index: &RwLock<Index>, lines: &[Line]) {
        let shown = replica.shown.max(folded(lines).unwrap_or_default());
        replica.tail = lines.iter().filter(|line| line.version > shown).cloned().collect();
        (replica.gone, replica.folded_to) = (Gone::default(), 0);
        if shown.is_zero() || lines.last().is_none_or(|line| line.version < shown) {
            return;
        }
        let mut user = User::absent(self.name.clone());
        let mut last = Version::ZERO;
        for line in lines.iter().filter(|line| line.version <= shown) {
            line.apply_to(&mut user, |before, entry| replica.gone.note(before, entry));
            last = line.version;
        }
        let mut view = self.view.write();
        if last < shown {
            log::error!(user:% = self.name, shown:%, left:% = last; "shown and lost");
        }
        if last != replica.shown {
            index.write().replace(&view, &user);
            replica.shown = last;
        }
        *view = user;
    }

    /// Goes on with the compacted file, `len` bytes long: `user` as its snapshot tells, and the lines
    /// behind that. It tells what is shown already, in other places.
    pub(super) fn took_folded(
        &self,
        replica: &mut Replica,
        len: u64,
        mut user: User,
        lines: Vec<Line>,
    ) {
        // What was committed while the file was being folded is shown already.
        let shown = replica.shown;
        let (shown, tail): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| line.version <= shown);
        replica.gone = Gone::default();
        for line in &shown {
            line.apply_to(&mut user, |before, entry| replica.gone.note(before, entry));
        }
        replica.tail = tail.into();
        (replica.len, replica.folded_to) = (len, len);
        *self.view.write() = user;
    }
}

impl Replica {
    /// Whether a file that is to replace this one still holds what is committed.
    pub(super) fn keeps_committed(&self, lines: &[Line]) -> bool {
        let com = self.acceptor.state().com;
        let folded = folded(lines).unwrap_or_default();
        com <= folded || lines.iter().any(|line| line.version == com)
    }

    /// Goes back to `version`, behind which another's lines are put: the file keeps `len` bytes.
    pub(super) fn cut(&mut self, version: Version, len: u64) {
        self.len = len;
        self.tail.retain(|line| line.version <= version);
    }

    /// The last line that the view shows.
    pub(super) fn shown(&self) -> Version {
        self.shown
    }
}

/// What a line means to its user.
pub fn apply_line(user: &mut User, line: &Line) {
    line.apply_to(user, |_, _| {});
}
