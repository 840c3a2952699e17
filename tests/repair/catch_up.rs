//! Catching up: long files, and many users. How long it takes is printed.

use std::fmt::Write as _;

use tern::clock::{Clock, Wall};
use tern::id::{Hash128, PostId, UserName};
use tern::replica::State;
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, NewLine, encode};
use tern::user::entry::Entry;
use tern::wire::message::SumsRow;

use super::harness::{Machines, eventually};
use super::{wait_equal, wait_whole};

/// A file of one line, and what it holds.
fn one_line(number: usize) -> (Vec<u8>, State) {
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    let version = Version { term, seq: 1 };
    let posted = Entry::Posted {
        at: Wall(1_700_000_000_000),
        id: PostId::from_raw(u64::try_from(number).unwrap() + 1),
        text: "a few words".to_owned(),
        reply_to: None,
    };
    let line = encode(&NewLine {
        version,
        base: Version::ZERO,
        base_hash: Hash128::default(),
        com: Version::ZERO,
        kind: Kind::Delta,
        requests: &[],
        entries: &[posted],
    });
    (line.bytes, State { acc: version, hash: line.hash, com: version })
}

fn name(number: usize) -> String {
    format!("user{number:06}")
}

/// Gives each machine the users that `has` says, while none of them runs.
fn fill(all: &Machines, users: usize, has: impl Fn(usize, usize) -> bool) {
    for number in 0..users {
        let (bytes, _) = one_line(number);
        for n in (0..all.count()).filter(|&n| has(n, number)) {
            std::fs::write(all.file(n, &name(number)), &bytes).unwrap();
        }
    }
}

fn peak_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.split_whitespace().next().unwrap().parse().unwrap()
}

/// The last comparison in a log: users, learned, milliseconds.
fn comparisons(log: &str) -> Vec<[u64; 3]> {
    let value = |line: &str, key: &str| -> u64 {
        line.split_whitespace().find_map(|word| word.strip_prefix(key)).unwrap().parse().unwrap()
    };
    let lines = log.lines().filter(|line| line.contains("compared with peers"));
    lines.map(|line| [value(line, "users="), value(line, "learned="), value(line, "ms=")]).collect()
}

/// Three machines with so many users each, the third lacking `missing` of them: until all hold all.
fn measure(users: usize, missing: usize) -> String {
    let mut all = Machines::start(3);
    (0..3).for_each(|n| all.kill(n));
    fill(&all, users, |n, number| n < 2 || number >= missing);
    let clock = Clock::system();
    (0..2).for_each(|n| all.spawn(n));
    let done = |all: &Machines, n: usize, learned: u64| {
        let found = comparisons(&all.log(n));
        let total: u64 = found.iter().map(|[_, learned, _]| learned).sum();
        let has_all = found.iter().any(|[held, ..]| *held >= users as u64);
        (has_all && total >= learned).then_some(())
    };
    (0..2).for_each(|n| eventually(|| done(&all, n, 0)));
    let began = clock.mono();
    all.spawn(2);
    super::harness::within(600_000, || done(&all, 2, missing as u64));
    let ms = clock.mono().since_ms(began);
    let compared = comparisons(&all.log(2));
    let peak = peak_kib(all.id(2));
    let last = std::fs::read(all.file(2, &name(0))).unwrap();
    assert_eq!(last, one_line(0).0);
    format!("users={users} missing={missing} ms={ms} compared={compared:?} peak_kib={peak}")
}

/// With `TERN_CATCH_UP_USERS=100000` a measurement of minutes.
#[test]
fn many_users_compared_and_learned() {
    let users = std::env::var("TERN_CATCH_UP_USERS").ok().and_then(|text| text.parse().ok());
    let users: usize = users.unwrap_or(300);
    let row = |number| {
        let user = UserName::parse(&name(number)).unwrap();
        SumsRow { user, state: one_line(number).1, is_damaged: false }
    };
    let rows: Vec<SumsRow> = (0..users).map(row).collect();
    let mut table = format!("rows: {} bytes\n", serde_json::to_vec(&rows).unwrap().len());
    for missing in [1, users / 100, users] {
        writeln!(table, "{}", measure(users, missing)).unwrap();
    }
    eprintln!("{table}");
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
        wait_whole(&all, 2, &name(number), &["a few words"]);
    }
    let missing = || (0..users).filter(|&number| !all.file(2, &name(number)).exists()).count();
    eventually(|| (missing() == 0).then_some(()));
    (0..users).for_each(|number| wait_equal(&all, &name(number)));
}

#[test]
fn file_of_megabytes_learned_and_then_only_what_follows() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words"]));
    all.kill(2);
    let words = "é".repeat(500);
    for _ in 0..950 {
        all.post(0, &mut ada, &words);
    }
    let long = std::fs::metadata(all.file(0, "ada")).unwrap().len();
    assert!(long > 1024 * 1024, "{long} bytes");
    all.spawn(2);
    wait_equal(&all, "ada");
    all.post(2, &mut ada, "last words");
    wait_equal(&all, "ada");
}
