//! Hot users: the requests of one user that wait on this machine share one line and one flush.
//!
//! Each waiting thread has a ticket. When nobody leads, the lowest ticket becomes the leader: it takes
//! the user's lock and plans its own request. Then the others, in the order of their tickets, each
//! plan their own on what those before them leave; the leader closes the batch, has it committed, and
//! tells everybody the outcome. A batch waits for nobody who has not arrived.
//!
//! What the lock found is known to be committed as of when it was asked for. Whoever came later may
//! have heard of more by then (the lock may be lost again meanwhile, unnoticed): told an answer that
//! needs no line, they are told it once a line has shown that the lock still held.
//!
//! The queue's mutex is a leaf: no plan runs and nothing is sent under it.

mod batch;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Condvar, Mutex};

use super::Cluster;
use super::lock::{Draft, LockError, UserGuard};
use super::room::ROOM_FOR_POSTS;
use crate::clock::{Clock, Mono};
use crate::id::UserName;
use crate::limits::{FOLD_MS_MAX, ROW_LINES_MAX, ROW_PAUSE_MS_MAX, ROW_PAUSE_MS_MIN};
use crate::replica::version::Version;
use crate::thread::LockPermit;
use crate::user::User;
use batch::Batch;
pub use batch::Wish;

/// Why a request was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// What stopped it.
    pub error: LockError,
    /// Whether a line was sent on its behalf: then it may be saved all the same.
    pub was_sent: bool,
}

type Outcome = Result<Version, Failed>;

/// A held lock, as folding needs it.
trait Hold {
    fn base(&self) -> User;
    fn room(&self) -> usize;
    fn look<T>(&self, look: impl FnOnce(&User) -> T) -> T;
    fn commit(self, draft: &Draft<'_>) -> Result<Version, LockError>;
    fn confirm(self) -> Result<Version, LockError>;
    fn confirm_anew(self) -> Result<Version, LockError>;
}

impl Hold for UserGuard<'_> {
    fn base(&self) -> User {
        self.look(User::clone)
    }

    fn room(&self) -> usize {
        let room = (ROOM_FOR_POSTS as u64).saturating_sub(self.base_len());
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    fn look<T>(&self, look: impl FnOnce(&User) -> T) -> T {
        UserGuard::look(self, look)
    }

    fn commit(self, draft: &Draft<'_>) -> Result<Version, LockError> {
        UserGuard::commit(self, draft)
    }

    fn confirm(self) -> Result<Version, LockError> {
        UserGuard::confirm(self)
    }

    fn confirm_anew(self) -> Result<Version, LockError> {
        UserGuard::confirm_anew(self)
    }
}

/// The queues of all users for whom anybody waits.
#[derive(Default)]
pub struct Folds(Mutex<HashMap<UserName, Arc<Fold>>>);

/// One user's queue.
#[derive(Default)]
struct Fold {
    queue: Mutex<Queue>,
    /// The leader waits here for its batch to be full.
    leader: Condvar,
    row: Mutex<Row>,
}

#[derive(Default)]
struct Queue {
    tickets: u64,
    waiting: BTreeMap<u64, Arc<Condvar>>,
    is_led: bool,
    /// The batch that takes more requests, while nobody is planning on it.
    open: Option<Open>,
}

struct Open {
    batch: Batch,
    members: Vec<Sender<Outcome>>,
    /// The last ticket there was before the lock was asked for.
    asked_at: u64,
    /// Whether somebody with a later one has joined.
    has_late: bool,
}

impl Open {
    fn new(batch: Batch, asked_at: u64) -> Self {
        Self { batch, members: Vec::new(), asked_at, has_late: false }
    }
}

/// The lines that this machine has written of a user with no other machine between.
#[derive(Default)]
struct Row {
    lines: u32,
    /// Whether another machine was turned away meanwhile.
    is_wanted: bool,
}

impl Row {
    /// Takes note of a lock that was taken to write one more line.
    fn note(&mut self, cluster: &Cluster, guard: &UserGuard<'_>) {
        if guard.holding.base.acc.term.node != cluster.members.me.get() {
            *self = Self::default();
        }
        self.lines += 1;
        self.is_wanted |= guard.slot.take_turned_away();
    }
}

/// What a waiting thread does next.
enum Turn {
    /// The last ticket there is by now.
    Lead(u64),
    Join(Box<Open>),
    TooLate,
}

impl Fold {
    /// Has one request done: `plan` says what it wants, and what its sender is told once that is
    /// committed. It may be asked several times, and only the last answer counts.
    fn run<T, H: Hold>(
        &self,
        (clock, deadline): (&Clock, Mono),
        acquire: impl FnOnce() -> Result<H, LockError>,
        plan: impl Fn(&User) -> (Wish, T),
    ) -> Result<(T, Version), Failed> {
        let place = Place::arrive(self);
        loop {
            match place.wait(clock, deadline) {
                Turn::Lead(asked_at) => {
                    return Leading { fold: self, asked_at }.run(clock, acquire, plan);
                }
                Turn::TooLate => return Err(Failed { error: LockError::Busy, was_sent: false }),
                Turn::Join(open) => {
                    let mut planning = Planning { place: &place, open: Some(*open) };
                    if let Some((told, outcome)) = planning.join(&plan) {
                        drop(planning);
                        // The leader's deadline bounds this, and its end, however it comes.
                        let lost = Failed { error: LockError::Indeterminate, was_sent: true };
                        let outcome = outcome.recv().unwrap_or(Err(lost));
                        return outcome.map(|version| (told, version));
                    }
                }
            }
        }
    }

    /// Wakes whoever can go on: the next to plan, the leader, or the next to lead.
    fn pass_on(&self, queue: &Queue) {
        match (&queue.open, queue.waiting.values().next()) {
            (Some(open), Some(first)) if !open.batch.is_full() => first.notify_one(),
            (Some(_), _) => self.leader.notify_one(),
            (None, Some(first)) if !queue.is_led => first.notify_one(),
            (None, _) => false,
        };
    }
}

/// A thread's place among those who wait, given up when dropped.
struct Place<'a> {
    fold: &'a Fold,
    ticket: u64,
    turn: Arc<Condvar>,
}

impl<'a> Place<'a> {
    fn arrive(fold: &'a Fold) -> Self {
        let turn = Arc::new(Condvar::new());
        let mut queue = fold.queue.lock();
        queue.tickets += 1;
        let ticket = queue.tickets;
        queue.waiting.insert(ticket, Arc::clone(&turn));
        Self { fold, ticket, turn }
    }

    fn wait(&self, clock: &Clock, deadline: Mono) -> Turn {
        let mut queue = self.fold.queue.lock();
        loop {
            let left = deadline.left(clock.mono());
            if left.is_zero() {
                return Turn::TooLate;
            }
            let is_first = queue.waiting.keys().next() == Some(&self.ticket);
            if is_first && !queue.is_led {
                queue.is_led = true;
                queue.waiting.remove(&self.ticket);
                return Turn::Lead(queue.tickets);
            }
            if is_first && let Some(open) = queue.open.take_if(|open| !open.batch.is_full()) {
                return Turn::Join(Box::new(open));
            }
            self.turn.wait_for(&mut queue, left);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queue = self.fold.queue.lock();
        if queue.waiting.remove(&self.ticket).is_some() {
            self.fold.pass_on(&queue);
        }
    }
}

/// A thread's turn to plan on a batch, which goes back when this is dropped: a plan that panics takes
/// nobody else with it.
struct Planning<'a> {
    place: &'a Place<'a>,
    open: Option<Open>,
}

impl Planning<'_> {
    /// Plans, and joins the batch. None if the wish does not fit: the next batch begins with it.
    fn join<T>(&mut self, plan: impl Fn(&User) -> (Wish, T)) -> Option<(T, Receiver<Outcome>)> {
        let Open { batch, members, asked_at, has_late } = self.open.as_mut()?;
        let (wish, told) = plan(batch.user()?);
        if !batch.admit(wish) {
            return None;
        }
        *has_late |= self.place.ticket > *asked_at;
        // Room for the one outcome.
        let (sender, receiver) = bounded(1);
        members.push(sender);
        self.place.fold.queue.lock().waiting.remove(&self.place.ticket);
        Some((told, receiver))
    }
}

impl Drop for Planning<'_> {
    fn drop(&mut self) {
        let mut queue = self.place.fold.queue.lock();
        queue.open = self.open.take();
        self.place.fold.pass_on(&queue);
    }
}

/// The leader's part, given up when dropped.
struct Leading<'a> {
    fold: &'a Fold,
    asked_at: u64,
}

impl Leading<'_> {
    fn run<T, H: Hold>(
        self,
        clock: &Clock,
        acquire: impl FnOnce() -> Result<H, LockError>,
        plan: impl Fn(&User) -> (Wish, T),
    ) -> Result<(T, Version), Failed> {
        let unsent = |error| Failed { error, was_sent: false };
        let hold = acquire().map_err(unsent)?;
        let (wish, told) = hold.look(plan);
        let batch = Batch::new(wish, hold.room());
        let Open { batch, members, has_late, .. } = self.fill(clock, batch, || hold.base());
        let (result, is_line) = match batch.draft() {
            Some(draft) => (hold.commit(&draft), true),
            None if has_late => (hold.confirm_anew(), false),
            None => (hold.confirm(), false),
        };
        let is_open_end = matches!(result, Err(LockError::Outpaced | LockError::Indeterminate));
        let outcome = result.map_err(|error| Failed { error, was_sent: is_line && is_open_end });
        // The next may lead before anybody is told.
        drop(self);
        for member in members {
            // Its thread waits for this; one that is gone needs no word.
            let _gone = member.send(outcome);
        }
        outcome.map(|version| (told, version))
    }

    /// Lets those who wait join, until all have, or the batch is full, or they are too slow.
    fn fill(&self, clock: &Clock, mut batch: Batch, base: impl FnOnce() -> User) -> Open {
        if batch.is_full() || self.fold.queue.lock().waiting.is_empty() {
            return Open::new(batch, self.asked_at);
        }
        batch.open(base());
        let late = clock.mono().plus_ms(FOLD_MS_MAX);
        let mut queue = self.fold.queue.lock();
        queue.open = Some(Open::new(batch, self.asked_at));
        self.fold.pass_on(&queue);
        loop {
            let left = late.left(clock.mono());
            let nobody_waits = queue.waiting.is_empty();
            let is_done = |open: &mut Open| nobody_waits || left.is_zero() || open.batch.is_full();
            if let Some(open) = queue.open.take_if(is_done) {
                return open;
            }
            if left.is_zero() {
                // Somebody is planning: it hands the batch back, whatever becomes of it.
                self.fold.leader.wait(&mut queue);
            } else {
                self.fold.leader.wait_for(&mut queue, left);
            }
        }
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        let mut queue = self.fold.queue.lock();
        queue.is_led = false;
        queue.open = None;
        self.fold.pass_on(&queue);
    }
}

/// A thread's use of a user's queue; the last one takes the queue away.
struct Visit<'a> {
    folds: &'a Folds,
    user: &'a UserName,
    fold: Arc<Fold>,
}

impl Folds {
    fn visit<'a>(&'a self, user: &'a UserName) -> Visit<'a> {
        let fold = Arc::clone(self.0.lock().entry(user.clone()).or_default());
        Visit { folds: self, user, fold }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut folds = self.folds.0.lock();
        // The map's and this one: others come by way of the map alone.
        if Arc::strong_count(&self.fold) == 2 {
            folds.remove(self.user);
        }
    }
}

impl Cluster {
    /// Has one request of a user done, in one line with others that wait. `plan` is pure: it says
    /// what is to be written, and what the sender is told once that, or what it rests on, is
    /// committed: as of the version given with it. It may be asked several times, and only the last
    /// answer counts.
    ///
    /// # Errors
    /// As `acquire` and `UserGuard::commit`.
    pub fn fold<T>(
        &self,
        permit: &mut LockPermit,
        user: &UserName,
        deadline: Mono,
        plan: impl Fn(&User) -> (Wish, T),
    ) -> Result<(T, Version), Failed> {
        let visit = self.folds.visit(user);
        let fold = &*visit.fold;
        fold.run(
            (&self.clock, deadline),
            move || {
                self.give_way(fold, user);
                let guard = self.acquire(permit, user, deadline)?;
                fold.row.lock().note(self, &guard);
                Ok(guard)
            },
            plan,
        )
    }

    /// After many lines in a row while another machine wanted the lock, lets that one have its turn.
    fn give_way(&self, fold: &Fold, user: &UserName) {
        let mut row = fold.row.lock();
        if row.lines < ROW_LINES_MAX || !row.is_wanted {
            return;
        }
        *row = Row::default();
        drop(row);
        let spread = ROW_PAUSE_MS_MAX - ROW_PAUSE_MS_MIN + 1;
        let random = self.seed(user).rotate_left(32) ^ self.tickets.next();
        self.wait_stopped(Duration::from_millis(ROW_PAUSE_MS_MIN + random % spread));
    }
}
