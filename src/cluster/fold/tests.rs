//! The queue alone: a held lock is played by a list of lines.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::clock::Wall;
use crate::id::{Hash128, NodeId, PostId, RequestId, RequestKey};
use crate::limits::{FOLD_REQUESTS_MAX, LINE_BYTES_MAX, USER_FILE_BYTES_MAX};
use crate::thread::spawn_named;
use crate::user::entry::Entry;
use crate::user::{Receipt, Recorded, Seen};

/// What one line carried.
type Written = (Vec<Entry>, Vec<Recorded>);

/// A user's file, and what its writes come to.
struct File {
    fold: Fold,
    clock: Clock,
    lines: Mutex<Vec<Written>>,
    confirmed: AtomicUsize,
    confirmed_anew: AtomicUsize,
    outcome: Result<(), LockError>,
    room: usize,
}

struct Held<'a>(&'a File);

impl Hold for Held<'_> {
    fn base(&self) -> User {
        User::absent(UserName::parse("ada").unwrap())
    }

    fn room(&self) -> usize {
        self.0.room
    }

    fn look<T>(&self, look: impl FnOnce(&User) -> T) -> T {
        look(&self.base())
    }

    fn commit(self, draft: &Draft<'_>) -> Result<Version, LockError> {
        self.0.lines.lock().push((draft.entries.to_vec(), draft.requests.to_vec()));
        self.0.outcome.map(|()| Version::default())
    }

    fn confirm(self) -> Result<Version, LockError> {
        self.0.confirmed.fetch_add(1, Ordering::SeqCst);
        self.0.outcome.map(|()| Version::default())
    }

    fn confirm_anew(self) -> Result<Version, LockError> {
        self.0.confirmed_anew.fetch_add(1, Ordering::SeqCst);
        self.0.outcome.map(|()| Version::default())
    }
}

impl File {
    fn new() -> Self {
        Self {
            fold: Fold::default(),
            // It stands still: however busy the machine is, a batch waits for all who are there.
            clock: Clock::manual(Mono(0), Wall(0)),
            lines: Mutex::default(),
            confirmed: AtomicUsize::new(0),
            confirmed_anew: AtomicUsize::new(0),
            outcome: Ok(()),
            room: USER_FILE_BYTES_MAX,
        }
    }

    fn deadline(&self) -> Mono {
        self.clock.mono().plus_ms(20_000)
    }

    /// Waits until exactly so many threads wait behind the leader.
    fn await_waiting(&self, count: usize) {
        let clock = Clock::system();
        let deadline = clock.mono().plus_ms(20_000);
        while self.fold.queue.lock().waiting.len() != count {
            assert!(clock.mono() < deadline, "{count} do not wait");
            std::thread::yield_now();
        }
    }

    fn run<T>(&self, plan: impl Fn(&User) -> (Wish, T)) -> Result<T, Failed> {
        let done = self.fold.run((&self.clock, self.deadline()), || Ok(Held(self)), plan);
        done.map(|(told, _version)| told)
    }

    /// Has the leader take the lock once all of `plans` have come to wait, in that order.
    fn all<T: Send>(
        &self,
        plans: Vec<impl Fn(&User) -> (Wish, T) + Send>,
    ) -> Vec<Option<Result<T, Failed>>> {
        let count = plans.len();
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (number, plan) in plans.into_iter().enumerate() {
                let run = move |_permit| {
                    let acquire = || {
                        // The first leads; all others must have come before it has the lock.
                        if number == 0 {
                            self.await_waiting(count - 1);
                        }
                        Ok(Held(self))
                    };
                    let deadline = self.deadline();
                    catch_unwind(AssertUnwindSafe(|| {
                        let done = self.fold.run((&self.clock, deadline), acquire, plan);
                        done.map(|(told, _version)| told)
                    }))
                    .ok()
                };
                threads.push(spawn_named(scope, "waiter", run).unwrap());
                if number == 0 {
                    self.await_led();
                } else if number + 1 < count {
                    self.await_waiting(number);
                }
            }
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn await_led(&self) {
        let clock = Clock::system();
        let deadline = clock.mono().plus_ms(20_000);
        while !self.fold.queue.lock().is_led {
            assert!(clock.mono() < deadline, "nobody leads");
            std::thread::yield_now();
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.lines.lock().iter().map(|(entries, _)| entries.len()).collect()
    }
}

fn id(number: u64) -> PostId {
    PostId::first_of(number, NodeId::new(1).unwrap())
}

fn posted(number: u64, text: &str) -> Entry {
    Entry::Posted {
        at: Wall(1),
        id: id(number),
        text: text.to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

/// A post above the highest there is.
fn post(user: &User) -> (Wish, PostId) {
    let number = user.post_id_max.map_or(1, |max| max.at_ms() + 1);
    (Wish::Write { entries: vec![posted(number, "hello")], request: None }, id(number))
}

#[test]
fn fold_waiting_requests_share_a_line_in_the_order_of_their_coming() {
    let file = File::new();
    let told = file.all(vec![post; 10]);
    let told: Vec<PostId> = told.into_iter().map(|told| told.unwrap().unwrap()).collect();
    // The leader came first; each of the others saw the posts of all before it.
    assert_eq!(told, (1..=10).map(id).collect::<Vec<_>>());
    assert_eq!(file.sizes(), [10]);
    assert!(!file.fold.queue.lock().is_led);
}

#[test]
fn fold_line_holds_64_requests_and_the_next_the_rest() {
    let file = File::new();
    let told = file.all(vec![post; FOLD_REQUESTS_MAX + 1]);
    assert!(told.iter().all(|told| matches!(told, Some(Ok(_)))));
    assert_eq!(file.sizes(), [FOLD_REQUESTS_MAX, 1]);
}

#[test]
fn fold_line_within_its_bytes_and_the_rest_in_the_next() {
    let file = File::new();
    let text = "x".repeat(LINE_BYTES_MAX / 4);
    let plan = |user: &User| {
        let number = user.post_id_max.map_or(1, |max| max.at_ms() + 1);
        (Wish::Write { entries: vec![posted(number, &text)], request: None }, ())
    };
    let told = file.all(vec![plan; 5]);
    assert!(told.iter().all(|told| matches!(told, Some(Ok(())))));
    assert_eq!(file.sizes().iter().sum::<usize>(), 5);
    assert_eq!(file.sizes().first(), Some(&3), "three quarters and what stands around them");
}

#[test]
fn fold_same_request_in_one_batch_written_once_told_twice() {
    let file = File::new();
    let key = RequestKey { ops: 0, id: RequestId([7; 16]) };
    let plan = |user: &User| {
        if let Seen::Same(receipt) = user.seen(key, Hash128::default()) {
            return (Wish::Tell, receipt);
        }
        let result = Receipt::Post(id(5));
        let request = Recorded { id: key.id, digest: Hash128::default(), result };
        (Wish::Write { entries: vec![posted(5, "once")], request: Some(request) }, result)
    };
    let told = file.all(vec![plan; 3]);
    assert!(told.into_iter().all(|told| told == Some(Ok(Receipt::Post(id(5))))));
    assert_eq!(file.sizes(), [1]);
    assert_eq!(file.lines.lock().first().map(|(_, requests)| requests.len()), Some(1));
}

fn confirmed(file: &File) -> (usize, usize) {
    (file.confirmed.load(Ordering::SeqCst), file.confirmed_anew.load(Ordering::SeqCst))
}

#[test]
fn fold_nothing_to_write_confirmed_once_for_all() {
    let file = File::new();
    // The first ends its line, so that the next leads those who have come before it asks for the lock.
    let plan = |number: u64| {
        move |_: &User| {
            let left = Wish::Write { entries: vec![Entry::Left { at: Wall(1) }], request: None };
            (if number == 0 { left } else { Wish::Tell }, ())
        }
    };
    let told = file.all((0..4).map(plan).collect());
    assert!(told.into_iter().all(|told| told == Some(Ok(()))));
    assert_eq!((file.sizes(), confirmed(&file)), (vec![1], (1, 0)));
}

#[test]
fn r0015_who_came_after_the_lock_was_asked_for_is_told_nothing_by_it_alone() {
    let file = File::new();
    let told = file.all(vec![|_: &User| (Wish::Tell, ()); 4]);
    assert!(told.into_iter().all(|told| told == Some(Ok(()))));
    assert_eq!((file.sizes(), confirmed(&file)), (vec![], (0, 1)));
}

#[test]
fn fold_end_of_account_is_the_last_of_its_line() {
    let file = File::new();
    let plan = |number: u64| {
        move |_: &User| {
            let entry = match number {
                3 => Entry::Left { at: Wall(1) },
                other => posted(other, "hello"),
            };
            (Wish::Write { entries: vec![entry], request: None }, ())
        }
    };
    let told = file.all((1..=5).map(plan).collect());
    assert!(told.into_iter().all(|told| told == Some(Ok(()))));
    assert_eq!(file.sizes(), [3, 2]);
    let lines = file.lines.lock();
    let last = lines.first().and_then(|(entries, _)| entries.last());
    assert!(matches!(last, Some(Entry::Left { .. })));
}

#[test]
fn fold_plan_that_panics_fails_alone() {
    let file = File::new();
    let plan = |number: u64| {
        move |user: &User| {
            assert_ne!(number, 2, "a plan that panics, as this test wants");
            post(user)
        }
    };
    let told = file.all((0..5).map(plan).collect());
    let done: Vec<bool> = told.iter().map(|told| matches!(told, Some(Ok(_)))).collect();
    assert_eq!(done, [true, true, false, true, true]);
    assert_eq!(file.sizes(), [4]);
}

#[test]
fn fold_leader_that_panics_is_followed_by_the_next() {
    let file = File::new();
    let plan = |number: u64| {
        move |user: &User| {
            assert_ne!(number, 0, "a plan that panics, as this test wants");
            post(user)
        }
    };
    let told = file.all((0..4).map(plan).collect());
    let done: Vec<bool> = told.iter().map(|told| matches!(told, Some(Ok(_)))).collect();
    assert_eq!(done, [false, true, true, true]);
    assert_eq!(file.sizes().iter().sum::<usize>(), 3);
}

#[test]
fn fold_outcome_of_the_line_is_everybodys() {
    for (error, was_sent) in [
        (LockError::Outpaced, true),
        (LockError::Indeterminate, true),
        (LockError::Full, false),
        (LockError::Busy, false),
    ] {
        let file = File { outcome: Err(error), ..File::new() };
        let told = file.all(vec![post; 3]);
        assert!(told.into_iter().all(|told| told == Some(Err(Failed { error, was_sent }))));
        assert_eq!(file.sizes(), [3]);
    }
}

#[test]
fn fold_deadline_passed_while_waiting_leaves_and_the_others_go_on() {
    let file = File { clock: Clock::system(), ..File::new() };
    std::thread::scope(|scope| {
        let led = spawn_named(scope, "leader", |_permit| {
            let acquire = || {
                // One gives up, one stays.
                file.await_waiting(2);
                file.await_waiting(1);
                Ok(Held(&file))
            };
            file.fold.run((&file.clock, file.deadline()), acquire, post)
        });
        file.await_led();
        let stays = spawn_named(scope, "stays", |_permit| file.run(post));
        file.await_waiting(1);
        let short = file.clock.mono().plus_ms(50);
        let left = file.fold.run((&file.clock, short), || Ok(Held(&file)), post);
        assert_eq!(left, Err(Failed { error: LockError::Busy, was_sent: false }));
        assert!(led.unwrap().join().unwrap().is_ok());
        assert!(stays.unwrap().join().unwrap().is_ok());
    });
    assert_eq!(file.sizes().iter().sum::<usize>(), 2);
}

#[test]
fn fold_lock_not_had_next_tries() {
    let file = File::new();
    std::thread::scope(|scope| {
        let first = spawn_named(scope, "leader", |_permit| {
            let acquire = || {
                file.await_waiting(1);
                Err::<Held<'_>, _>(LockError::NoMajority)
            };
            file.fold.run((&file.clock, file.deadline()), acquire, post)
        });
        file.await_led();
        assert!(file.run(post).is_ok());
        let failed = Failed { error: LockError::NoMajority, was_sent: false };
        assert_eq!(first.unwrap().join().unwrap(), Err(failed));
    });
}

#[test]
fn fold_full_file_fails_alone() {
    // Room for two lines: the third request would be too much for the line it shares.
    let file = File { room: 900, ..File::new() };
    let told = file.all(vec![post; 3]);
    assert!(told.iter().all(|told| matches!(told, Some(Ok(_)))));
    assert_eq!(file.sizes().iter().sum::<usize>(), 3);
    assert!(file.sizes().len() > 1, "{:?}", file.sizes());
}

#[test]
fn folds_queue_forgotten_with_its_last_visitor() {
    let folds = Folds::default();
    let user = UserName::parse("ada").unwrap();
    let first = folds.visit(&user);
    let second = folds.visit(&user);
    assert!(Arc::ptr_eq(&first.fold, &second.fold));
    drop(first);
    assert_eq!(folds.0.lock().len(), 1);
    drop(second);
    assert_eq!(folds.0.lock().len(), 0);
}
