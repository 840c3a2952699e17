//! What a change copies: whatever was saved, however little of it the machines that stay have.

use super::check_copied;
use super::harness::{Machines, Ran, quoted};
use super::phases::{Step, node_file, wait_for_step};
use crate::repair::settle::append_open_line;

/// Three machines of which the first lacks what was saved last.
fn first_lacks_the_last() -> (Machines, String) {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "on all");
    all.wait_until_shown(1, &["on all".to_owned()]);
    all.kill(1);
    all.post(2, &ada, "on two");
    for number in 2..=3 {
        all.wait_until_held_once(number, "ada", &["on two".to_owned()]);
        all.kill(number);
    }
    assert!(!all.file(1, "ada").contains("on two"));
    (all, ada)
}

/// Three become one, and the one that stays had missed what the two that leave have saved. One of those
/// has a line besides that it could send to nobody: it is saved or not, but the same for everybody.
#[test]
fn three_become_one_that_lacked_what_the_two_had_saved() {
    for with_open_line in 2..=3 {
        let (mut all, ada) = first_lacks_the_last();
        let path = all.data(with_open_line).join("users/ada.jsonl");
        append_open_line(&path, with_open_line, "never confirmed");
        // The machines are stopped, so that nothing but the change brings the first one anything.
        let data = format!("--data={}", all.dir.path().display());
        let words = ["cluster", "remove", "2", "--yes", &data].map(str::to_owned);
        Ran::of(words).done();
        (1..=3).for_each(|number| all.spawn(number));
        check_copied(&all, 1, "ada", ["on all", "on two"]);
        (1..=3)
            .filter(|number| *number != 2)
            .for_each(|number| all.wait_until_open(number, &[1, 3]));
        assert_eq!(all.ended(2).code(), Some(3), "it is no longer a member");
        all.change(&["remove", "3"], 1).done();
        all.wait_until_open(1, &[1]);
        assert_eq!(all.ended(3).code(), Some(3), "it is no longer a member");
        all.post(1, &ada, "alone");
        let mut posts = ["on all", "on two", "alone"].map(str::to_owned).to_vec();
        all.wait_until_held_once(1, "ada", &posts);
        match all.file(1, "ada").matches(&quoted("never confirmed")).count() {
            0 => assert_eq!(with_open_line, 2, "the others had it when the third left"),
            1 => posts.push("never confirmed".to_owned()),
            _ => panic!("written twice: {}", all.file(1, "ada")),
        }
        all.wait_until_shown(1, &posts);
        all.kill(1);
        all.spawn(1);
        all.wait_until_open(1, &[1]);
        all.wait_until_shown(1, &posts);
    }
}

/// A machine that takes another's place dies before it has copied anything, when the others know of it
/// already: nobody votes until it has all of it.
#[test]
fn replaced_machine_that_dies_with_nothing_copied_gets_everything_afterwards() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    let posts = ["first", "second"].map(str::to_owned);
    for text in &posts {
        all.post(1, &ada, text);
    }
    (2..=3).for_each(|number| all.wait_until_held_once(number, "ada", &posts));
    all.kill(3);
    std::fs::remove_dir_all(all.data(3)).unwrap();
    all.change(&["replace", "3"], 3).done();
    // As if it had copied before anybody wrote: then the others are told at once.
    let mut file = node_file(&all, 3).unwrap();
    assert_eq!(file.as_object_mut().unwrap().remove("learning"), Some(true.into()));
    std::fs::write(all.data(3).join("node.json"), file.to_string()).unwrap();
    // It cannot go on to copy without the second.
    all.kill(2);
    all.spawn(3);
    wait_for_step(&all, 1, Step::Adopted, 2);
    all.kill(3);
    assert_eq!(all.file(3, "ada"), "", "nothing is copied yet");
    all.spawn(3);
    all.spawn(2);
    check_copied(&all, 3, "ada", ["first", "second"]);
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    // It counts: without the first it is needed.
    all.kill(1);
    all.post(2, &ada, "third");
    all.wait_until_held_once(3, "ada", &["first", "second", "third"].map(str::to_owned));
}
