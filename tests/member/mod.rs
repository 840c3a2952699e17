//! Changes of the members with real processes: what an operator types, what the machines do, and that
//! nothing that was saved is lost by it.

mod copies;
mod force;
pub(crate) mod harness;
mod layouts;
mod phases;
mod stuck;
mod typed;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::{Caller, Machines, copy, eventually, quoted};
use phases::{Step, node_file, wait_for_step};

/// Adds a machine, which must hold `kept` when the list with it is about to vote.
fn grow(all: &mut Machines, number: u16, members: &[u16], kept: &[&str]) {
    let word = format!("{number}={}", all.address(number));
    all.change(&["add", &word], number).done();
    all.spawn(number);
    check_copied(all, number, "ada", kept.iter().copied());
    for member in members {
        all.wait_until_open(*member, members);
    }
}

/// What a new machine holds when it is ready came with the change: until the new list votes nothing
/// else copies, and from then on the others may be missed.
fn check_copied<'a>(
    all: &Machines,
    number: u16,
    name: &str,
    kept: impl IntoIterator<Item = &'a str>,
) {
    let epoch = node_file(all, number).unwrap()["epoch"].as_u64().unwrap();
    wait_for_step(all, number, Step::Ready, epoch);
    let file = all.file(number, name);
    for text in kept {
        assert!(file.contains(&quoted(text)), "{text:?} is not on machine {number}: {file}");
    }
}

#[test]
fn one_machine_becomes_three_and_nothing_is_lost() {
    let mut all = Machines::start(1);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "alone");
    grow(&mut all, 2, &[1, 2], &["alone"]);
    all.post(2, &ada, "two");
    grow(&mut all, 3, &[1, 2, 3], &["alone", "two"]);
    all.post(3, &ada, "three");
    let posts = ["alone", "two", "three"].map(str::to_owned);
    (1..=3).for_each(|number| all.wait_until_shown(number, &posts));
    // Each of the three can be missed now.
    all.kill(1);
    all.post(2, &ada, "without the first");
}

/// Somebody who writes until it is over, through one machine.
pub(crate) struct Writer {
    name: &'static str,
    through: u16,
    session: String,
    saved: AtomicUsize,
}

impl Writer {
    /// Joins through a machine.
    pub(crate) fn new(all: &Machines, through: u16, name: &'static str) -> Self {
        Self { name, through, session: all.join(through, name), saved: AtomicUsize::new(0) }
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    fn text(&self, number: usize) -> String {
        format!("{} says {number}", self.name)
    }

    /// What was confirmed so far.
    pub(crate) fn texts(&self) -> Vec<String> {
        (0..self.saved.load(Ordering::Relaxed)).map(|number| self.text(number)).collect()
    }

    /// Writes.
    pub(crate) fn run(&self, caller: &Caller, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let number = self.saved.load(Ordering::Relaxed);
            let mut post = caller.new_post(&self.text(number));
            // So many were done before: else it would be too old at some time.
            post.key.ops = number as u64;
            eventually(&format!("{:?} to be saved", post.text), || {
                caller.is_saved(self.through, &self.session, &post).then_some(())
            });
            self.saved.store(number + 1, Ordering::Relaxed);
        }
    }

    /// Waits until some more is saved.
    pub(crate) fn wait_for_more(&self) {
        let before = self.saved.load(Ordering::Relaxed);
        eventually(&format!("{} to go on", self.name), || {
            (self.saved.load(Ordering::Relaxed) >= before + 3).then_some(())
        });
    }
}

/// Ends the writers, also when the test fails.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn machine_replaced_while_others_write_and_nothing_saved_is_lost() {
    let mut all = Machines::start(3);
    let writer = |(through, name): (u16, &'static str)| Writer::new(&all, through, name);
    let writers = [(1, "ada"), (2, "ben")].map(writer);
    all.kill(3);
    std::fs::remove_dir_all(all.data(3)).unwrap();
    let is_over = AtomicBool::new(false);
    let caller = all.caller();
    std::thread::scope(|scope| {
        let over = Over(&is_over);
        for writer in &writers {
            let (caller, is_over) = (&caller, &is_over);
            scope.spawn(move || writer.run(caller, is_over));
        }
        writers.iter().for_each(Writer::wait_for_more);
        all.change(&["replace", "3"], 3).done();
        let before = writers.each_ref().map(Writer::texts);
        all.spawn(3);
        for (writer, texts) in writers.iter().zip(&before) {
            check_copied(&all, 3, writer.name, texts.iter().map(String::as_str));
        }
        all.wait_until_open(3, &[1, 2, 3]);
        writers.iter().for_each(Writer::wait_for_more);
        drop(over);
    });
    all.post(3, &writers[0].session, "back");
    for number in 1..=3 {
        for writer in &writers {
            all.wait_until_held_once(number, writer.name, &writer.texts());
        }
        all.wait_until_held_once(number, "ada", &["back".to_owned()]);
    }
}

#[test]
fn machine_removed_ends_and_the_others_go_on() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "before");
    all.change(&["remove", "3"], 1).done();
    assert_eq!(all.ended(3).code(), Some(3));
    assert!(all.said(3).contains("no longer a member"), "{}", all.said(3));
    for number in 1..=2 {
        all.wait_until_open(number, &[1, 2]);
    }
    all.post(2, &ada, "after");
    all.wait_until_shown(1, &["before".to_owned(), "after".to_owned()]);
    // Nor is it taken in again with its old directory.
    all.spawn(3);
    assert_eq!(all.ended(3).code(), Some(3));
    assert!(all.data(3).join("users/ada.jsonl").exists(), "its files are left alone");
}

#[test]
fn wiped_directory_refused_with_the_command_that_mends_it() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "kept");
    eventually("a copy on machine 3", || {
        all.data(3).join("users/ada.jsonl").exists().then_some(())
    });
    all.kill(3);
    std::fs::remove_file(all.data(3).join("node.json")).unwrap();
    for is_there in [true, false] {
        all.spawn(3);
        assert_eq!(all.ended(3).code(), Some(3));
        let said = all.said(3);
        assert!(said.contains("tern cluster replace 3 --data="), "{said}");
        assert!(said.contains("tern cluster init --node=3 --data="), "{said}");
        assert_eq!(all.data(3).exists(), is_there, "nothing was made");
        if is_there {
            all.change(&["replace", "3"], 3).refused(3, "move it out of the way");
            std::fs::remove_dir_all(all.data(3)).unwrap();
        }
    }
    all.change(&["replace", "3"], 3).done();
    all.change(&["replace", "3"], 1).refused(3, "in use by another process");
    all.spawn(3);
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    all.wait_until_shown(3, &["kept".to_owned()]);
}

#[test]
fn old_backup_refused_also_by_machines_that_restarted() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.kill(3);
    let backup = all.dir.path().join("backup");
    copy(&all.data(3), &backup);
    for _ in 0..2 {
        all.spawn(3);
        all.wait_until_writable(3);
        all.post(3, &ada, "later");
        all.kill(3);
    }
    for number in 1..=2 {
        all.kill(number);
        all.spawn(number);
    }
    (1..=2).for_each(|number| all.wait_until_writable(number));
    std::fs::remove_dir_all(all.data(3)).unwrap();
    copy(&backup, &all.data(3));
    all.spawn(3);
    assert_eq!(all.ended(3).code(), Some(3));
    assert!(all.said(3).contains("tern cluster replace 3"), "{}", all.said(3));
    std::fs::remove_dir_all(all.data(3)).unwrap();
    all.change(&["replace", "3"], 3).done();
    all.spawn(3);
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    all.post(3, &ada, "mended");
}

#[test]
fn change_that_cannot_go_on_stops_nothing_or_is_given_up_for_another() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    // A new machine that never comes: the others have not heard of it.
    let word = format!("4={}", all.address(4));
    all.change(&["add", &word], 4).done();
    all.post(1, &ada, "not stopped");
    // One that dies when the others have taken on its list: now they wait for it.
    all.spawn(4);
    (1..=4).for_each(|number| all.wait_until_open(number, &[1, 2, 3, 4]));
    all.kill(4);
    all.change(&["remove", "3"], 1).refused(4, "machine 4");
    all.change(&["remove", "4"], 1).done();
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    all.post(3, &ada, "three again");
}

#[test]
fn five_machines_grown_from_three_and_any_two_can_be_missed() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "three");
    grow(&mut all, 4, &[1, 2, 3, 4], &["three"]);
    grow(&mut all, 5, &[1, 2, 3, 4, 5], &["three"]);
    all.kill(1);
    all.kill(2);
    all.post(5, &ada, "three of five");
    all.wait_until_shown(4, &["three", "three of five"].map(str::to_owned));
}
