//! Changes of the members with real processes: what an operator types, what the machines do, and that
//! nothing that was saved is lost by it.

mod force;
pub(crate) mod harness;
mod layouts;
mod phases;
mod stuck;

use std::sync::atomic::{AtomicBool, Ordering};

use harness::{Machines, copy, eventually};

fn grow(all: &mut Machines, number: u16, members: &[u16]) {
    let word = format!("{number}={}", all.address(number));
    all.change(&["add", &word], number).done();
    all.spawn(number);
    for member in members {
        all.wait_until_open(*member, members);
    }
}

#[test]
fn one_machine_becomes_three_and_nothing_is_lost() {
    let mut all = Machines::start(1);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "alone");
    grow(&mut all, 2, &[1, 2]);
    all.post(2, &ada, "two");
    grow(&mut all, 3, &[1, 2, 3]);
    all.post(3, &ada, "three");
    let posts = ["alone", "two", "three"].map(str::to_owned);
    (1..=3).for_each(|number| all.wait_until_shown(number, &posts));
    // Each of the three can be missed now.
    all.kill(1);
    all.post(2, &ada, "without the first");
}

#[test]
fn machine_replaced_while_others_write_and_nothing_saved_is_lost() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    let ben = all.join(2, "ben");
    all.kill(3);
    std::fs::remove_dir_all(all.data(3)).unwrap();
    let is_over = AtomicBool::new(false);
    let mut saved = Vec::new();
    std::thread::scope(|scope| {
        let (all, is_over) = (&mut all, &is_over);
        all.change(&["replace", "3"], 3).done();
        all.spawn(3);
        let all = &*all;
        let write = |number: u16, session: String| {
            move || {
                let mut texts = Vec::new();
                while !is_over.load(Ordering::Relaxed) && texts.len() < 8 {
                    let text = format!("{number} says {}", texts.len());
                    all.post(number, &session, &text);
                    texts.push(text);
                }
                texts
            }
        };
        let writers = [scope.spawn(write(1, ada.clone())), scope.spawn(write(2, ben))];
        all.wait_until_open(3, &[1, 2, 3]);
        is_over.store(true, Ordering::Relaxed);
        saved.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
    });
    all.post(3, &ada, "back");
    saved.push("back".to_owned());
    (1..=3).for_each(|number| all.wait_until_shown(number, &saved));
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
    for _ in 0..2 {
        all.spawn(3);
        assert_eq!(all.ended(3).code(), Some(3));
        let said = all.said(3);
        assert!(said.contains("tern cluster replace 3 --data="), "{said}");
        assert!(said.contains("tern cluster init --node=3 --data="), "{said}");
        if all.data(3).join("users/ada.jsonl").exists() {
            all.change(&["replace", "3"], 3).refused(3, "move it out of the way");
        }
        std::fs::remove_dir_all(all.data(3)).unwrap();
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
    grow(&mut all, 4, &[1, 2, 3, 4]);
    grow(&mut all, 5, &[1, 2, 3, 4, 5]);
    all.kill(1);
    all.kill(2);
    all.post(5, &ada, "three of five");
    all.wait_until_shown(4, &["three of five".to_owned()]);
}
