//! Machines that are gone for good, and copies that are damaged.

use std::path::Path;

use tern::action::Action;
use tern::wire::request::Outcome;
use tern::wire::status::ChangeKind;

use super::harness::{Machines, eventually};
use super::phases::node_file;

fn changes(all: &Machines, number: u16) -> Vec<ChangeKind> {
    match all.ask(number, None, Action::ClusterStatus).unwrap().data.outcome {
        Outcome::Status(page) => page.changes.into_iter().map(|row| row.what).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_machines_one_lost_for_good_go_on_by_force_alone() {
    let mut all = Machines::start(2);
    let ada = all.join(1, "ada");
    let ben = all.join(2, "ben");
    let posts: Vec<String> = (0..4).map(|number| format!("kept {number}")).collect();
    for (number, text) in posts.iter().enumerate() {
        all.post(1, if number % 2 == 0 { &ada } else { &ben }, text);
    }
    all.kill(2);
    all.change(&["remove", "2"], 1).refused(4, "--force");
    let asked = all.change_unasked(&["remove", "2", "--force"], 1).ended_with(2);
    assert!(asked.contains("machine 2 will leave, and machine 1 go on without it"), "{asked}");
    assert!(asked.contains("nothing was changed"), "{asked}");
    assert_eq!(node_file(&all, 1).unwrap()["epoch"], 1, "nothing has begun");
    let said = all.change(&["remove", "2", "--force"], 1).done();
    assert!(said.contains("machine 2 given up") && said.contains("is lost"), "{said}");
    all.wait_until_open(1, &[1]);
    assert!(all.said(1).contains("possible loss: machine given up"), "{}", all.said(1));
    assert!(changes(&all, 1).contains(&ChangeKind::GivenUp));
    assert_eq!(node_file(&all, 1).unwrap()["before"]["given_up"][0], 2);
    all.wait_until_shown(1, &posts);
    all.post(1, &ada, "alone");
    all.spawn(2);
    assert_eq!(all.ended(2).code(), Some(3), "it was given up");
    all.kill(1);
    all.spawn(1);
    all.wait_until_open(1, &[1]);
    let after = [posts, vec!["alone".to_owned()]].concat();
    all.wait_until_shown(1, &after);
}

/// Whoever reads no further than the first line must not think that it is done.
#[test]
fn change_that_is_not_made_is_not_told_as_made() {
    let all = Machines::start(1);
    let in_use = all.change(&["replace", "1"], 1).ended_with(3);
    assert!(in_use.contains("in use by another process"), "{in_use}");
    assert!(!in_use.contains("replaced"), "{in_use}");
    let add = ["add", &format!("2={}", all.address(2))];
    let asked = all.change_unasked(&add, 2).ended_with(2);
    assert!(asked.contains("the cluster of machine 1 will be one of machines 1 and 2"), "{asked}");
    assert!(asked.contains("its directory will be made in"), "{asked}");
    assert!(!all.data(2).exists(), "{asked}");
}

#[test]
fn two_of_three_lost_for_good_are_given_up_together() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "kept");
    all.wait_until_shown(3, &["kept".to_owned()]);
    all.kill(1);
    all.kill(2);
    all.change(&["remove", "2"], 3).refused(4, "--force");
    let said = all.change(&["remove", "2", "--force"], 3).done();
    assert!(said.contains("machine 1 and machine 2 given up"), "{said}");
    all.wait_until_open(3, &[3]);
    all.post(3, &ada, "alone");
    all.wait_until_shown(3, &["kept".to_owned(), "alone".to_owned()]);
    // Those that were given up are two of three, and must not go on without the third.
    all.spawn(1);
    assert_eq!(all.ended(1).code(), Some(3));
}

/// Spoils the last line of a file that is not in use.
fn spoil(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() - 40;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn nobody_leaves_while_a_machine_is_damaged_but_those_that_are_gone_by_force() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "first");
    all.post(1, &ada, "second");
    let posts = ["first", "second"].map(str::to_owned);
    all.wait_until_shown(2, &posts);
    // Without machine 3 nobody can repair what is spoilt on 2.
    all.kill(3);
    all.kill(2);
    spoil(&all.data(2).join("users/ada.jsonl"));
    all.spawn(2);
    eventually("machine 2 to tell of its damage", || {
        all.held(2).filter(|held| held.is_damaged && held.live.len() == 2)
    });
    std::fs::remove_dir_all(all.data(3)).unwrap();
    for words in [&["remove", "3"][..], &["replace", "3"]] {
        all.change(words, 3).refused(4, "machine 2 has damaged files");
    }
    all.change(&["remove", "1", "--force"], 1).refused(2, "may be the only one");
    assert_eq!(node_file(&all, 1).unwrap()["epoch"], 1, "nothing has begun");
    let said = all.change(&["replace", "3", "--force"], 3).done();
    assert!(said.contains("machine 3 given up"), "{said}");
    all.spawn(3);
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    all.wait_until_shown(3, &posts);
    eventually("the damage to be mended", || all.held(2).filter(|held| !held.is_damaged));
    assert!(!all.data(2).join("damaged/ada.mark").exists());
    all.kill(1);
    all.post(2, &ada, "third");
    all.wait_until_shown(2, &[posts.to_vec(), vec!["third".to_owned()]].concat());
}
