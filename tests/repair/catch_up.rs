//! Catching up: long files, and many users. How long it takes is measured by `make bench`.

use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use tern::clock::Wall;
use tern::id::{Hash128, PostId};
use tern::replica::version::{Term, Version};
use tern::store::line::{Encoded, Kind, NewLine, encode};
use tern::store::scan::scan;
use tern::thread::{Stop, spawn_named};
use tern::user::entry::Entry;
use tern::wire::request::MachineState;

use super::harness::{Machines, eventually, within};
use super::settle::append_open_line;
use super::{CloseAtEnd, flip, is_whole, wait_equal, wait_whole};
use crate::torture::proxy::{Mode, Proxy};

/// How long it may take to learn more than a thousand users, each of whom costs flushes, or to get ahead of
/// somebody who writes all the time, on a busy machine.
const MANY_MS: u64 = 180_000;

/// A post's line behind what a file has so far, and its hash.
fn post_line(
    (base, base_hash): (Version, Hash128),
    version: Version,
    number: usize,
    text: &str,
) -> Encoded {
    let posted = Entry::Posted {
        at: Wall(1_700_000_000_000),
        id: PostId::from_raw(u64::try_from(number).unwrap() + 1),
        text: text.to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    let (kind, requests, entries) = (Kind::Delta, &[][..], &[posted][..]);
    encode(&NewLine { version, base, base_hash, com: base, kind, requests, entries })
}

/// A file of one line.
fn one_line(number: usize) -> Vec<u8> {
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    let version = Version { term, seq: 1 };
    post_line((Version::ZERO, Hash128::default()), version, number, "a few words").bytes
}

/// A file that goes on with so many posts.
pub(super) fn lengthened(mut file: Vec<u8>, posts: usize) -> Vec<u8> {
    let mut base = (Version::ZERO, Hash128::default());
    scan(&file, &mut |line| base = (line.version, line.hash));
    let text = "é".repeat(480);
    for number in 0..posts {
        let version = Version { seq: base.0.seq + 1, ..base.0 };
        let line = post_line(base, version, number, &text);
        file.extend_from_slice(&line.bytes);
        base = (version, line.hash);
    }
    file
}

fn name(number: usize) -> String {
    format!("user{number:06}")
}

/// Gives each machine the users that `has` says, while none of them runs.
fn fill(all: &Machines, users: usize, has: impl Fn(usize, usize) -> bool) {
    for number in 0..users {
        let bytes = one_line(number);
        for n in (0..all.count()).filter(|&n| has(n, number)) {
            std::fs::write(all.file(n, &name(number)), &bytes).unwrap();
        }
    }
}

#[test]
fn users_of_several_pages_learned_though_nobody_knew_them_committed() {
    let mut all = Machines::start(3);
    (0..3).for_each(|n| all.kill(n));
    // More than two pages, every third one missing on the third machine.
    let users = 4_500;
    fill(&all, users, |n, number| n < 2 || number % 3 != 0);
    (0..3).for_each(|n| all.spawn(n));
    for number in [0, 2_001, users - 3] {
        within(MANY_MS, || is_whole(&all, 2, &name(number), &["a few words"]).then_some(()));
    }
    let missing = || (0..users).filter(|&number| !all.file(2, &name(number)).exists()).count();
    within(MANY_MS, || (missing() == 0).then_some(()));
    (0..users).for_each(|number| wait_equal(&all, &name(number)));
}

#[test]
fn file_of_megabytes_learned_and_then_only_what_follows() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words"]));
    all.kill(2);
    // A file that is fetched whole takes the place of the one that was there.
    let path = all.file(2, "ada");
    let place = || std::fs::metadata(&path).unwrap().ino();
    let before = place();
    let words = "é".repeat(500);
    for _ in 0..950 {
        all.post(0, &mut ada, &words);
    }
    let long = std::fs::metadata(all.file(0, "ada")).unwrap().len();
    assert!(long > 1024 * 1024, "{long} bytes");
    all.spawn(2);
    wait_equal(&all, "ada");
    assert_eq!(place(), before, "what it had came again");
    all.post(2, &mut ada, "last words");
    wait_equal(&all, "ada");
    assert_eq!(place(), before, "all of it came again");
}

/// Rebuilding a long file takes longer than a lock holds, and whoever writes meanwhile has the next one: what
/// was brought here before must not be written anew under the lock.
#[test]
fn r0017_long_file_of_somebody_who_writes_all_the_time_rebuilt() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words"]));
    (0..3).for_each(|n| all.kill(n));
    let long = lengthened(std::fs::read(all.file(0, "ada")).unwrap(), 8_000);
    (0..3).for_each(|n| std::fs::write(all.file(n, "ada"), &long).unwrap());
    flip(&all.file(2, "ada"), "first");
    (0..3).for_each(|n| all.spawn(n));
    let (all, stop) = (all, Stop::new());
    std::thread::scope(|scope| {
        let closing = CloseAtEnd(stop.clone());
        for n in [0, 1, 0, 1] {
            let (all, mut ada, stop) = (&all, ada.clone(), stop.clone());
            let write = move |_permit| {
                while !stop.is_closed() {
                    all.is_posted(n, &mut ada, "more words");
                }
            };
            spawn_named(scope, "writer", write).unwrap();
        }
        let is_repaired = || all.log(2).contains("msg=\"damaged file repaired\" user=ada");
        within(MANY_MS, || is_repaired().then_some(()));
        drop(closing);
    });
    wait_equal(&all, "ada");
}

/// A lock holds for less time than a long file takes over a slow line. As long as a line more at one of the
/// two machines that are left brought all of it on its way, their user could not write any more.
#[test]
fn r0018_open_lines_of_a_long_file_settled_over_a_slow_line() {
    for open in [&[0][..], &[0, 1]] {
        let mut all = Machines::start(3);
        let mut ada = all.join(0, "ada");
        all.post(0, &mut ada, "first words");
        (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words"]));
        (0..3).for_each(|n| all.kill(n));
        let long = lengthened(std::fs::read(all.file(0, "ada")).unwrap(), 4_000);
        (0..3).for_each(|n| std::fs::write(all.file(n, "ada"), &long).unwrap());
        for &n in open {
            let node = u16::try_from(n + 1).unwrap();
            append_open_line(&all.file(n, "ada"), node, &format!("words of machine {node}"));
        }
        // 16 KiB in 20 ms: all of it takes five seconds, and a lock's deadline is one.
        let lines = [0, 1].map(|n| {
            let port = all.address(n).rsplit_once(':').unwrap().1.parse().unwrap();
            let line = Proxy::start(port);
            line.set(Mode::Delay(Duration::from_millis(20)));
            line
        });
        let [first, second] = &lines;
        all.spawn_among(0, &[all.address(0), second.address(), all.address(2)]);
        all.spawn_among(1, &[first.address(), all.address(1), all.address(2)]);
        for n in [0, 1] {
            eventually(|| all.is_posted(n, &mut ada, &format!("more from {n}")).then_some(()));
        }
        let files = || [0, 1].map(|n| std::fs::read_to_string(all.file(n, "ada")).unwrap());
        eventually(|| files().windows(2).all(|two| two[0] == two[1]).then_some(()));
        let [file, _] = files();
        assert!(file.starts_with(std::str::from_utf8(&long).unwrap()), "what was there is kept");
        // The highest is what all build on; another that nobody saw is gone.
        let kept = format!("words of machine {}", open.len());
        assert_eq!(file.matches("words of machine").count(), 1);
        assert!(file.contains(&kept));
        all.spawn(2);
        wait_equal(&all, "ada");
        eventually(|| (all.texts(2, "ada").get(2) == Some(&kept)).then_some(()));
    }
}

/// What is written while a machine compares is on its way to the other as well.
#[test]
fn r0011_machine_that_is_written_to_is_not_said_to_be_catching_up() {
    let mut all = Machines::start(2);
    // Of two machines each must have what is saved. The first asks the second over a slow line, so that
    // something is saved between its question and what it makes of the answer.
    let port = all.address(1).rsplit_once(':').unwrap().1.parse().unwrap();
    let line = Proxy::start(port);
    line.set(Mode::Delay(Duration::from_millis(100)));
    all.kill(0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tern"));
    // Comparisons that find nothing new are told to nobody else.
    command.env("TERN_LOG", "debug");
    all.spawn_by(command, 0, &[all.address(0), line.address()]);
    (0..2).for_each(|n| all.wait_until_writable(n));
    let mut ada = all.join(1, "ada");
    let compared = || all.log(0).matches("compared with peers").count();
    let before = compared();
    let mut number = 0;
    eventually(|| {
        number += 1;
        all.post(1, &mut ada, &format!("words {number}"));
        let page = all.status(0)?;
        assert_ne!(page.machines[1].state, MachineState::Behind, "{page:?}");
        (compared() >= before + 2).then_some(())
    });
}
