//! Catching up: a machine comes back to many users, of whom it lacks none, one, some or all.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tern::clock::Wall;
use tern::id::{Hash128, PostId};
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, NewLine, encode};
use tern::user::entry::Entry;

use crate::client::now;
use crate::machines::{Machines, within};
use crate::sockets::Listening;
use crate::table::{Most, Table, Worst};
use crate::{Plan, megabytes, process};

/// The machine that comes back.
const BACK: usize = 2;
/// Milliseconds that may take.
const BACK_MS_MAX: u64 = 600_000;

/// A comparison with the others, as the log tells it.
struct Comparison {
    users: usize,
    learned: usize,
    ms: usize,
}

/// Measures with nothing, one file, a thousand and all of them missing.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let users = plan.catch_up_users;
    let mut all = Machines::start(3);
    (0..3).for_each(|n| all.kill(n));
    let files: Vec<(String, Vec<u8>)> =
        (0..users).zip(1..).map(|(n, id)| (format!("user{n:06}"), one_line(id))).collect();
    for n in 0..3 {
        for (name, bytes) in &files {
            std::fs::write(all.file(n, name), bytes)?;
        }
    }
    (0..2).for_each(|n| all.spawn(n));
    (0..2).for_each(|n| {
        wait_compared(&all, n, (users, 0), 0);
    });
    for missing in [0, 1, 1_000.min(users), users] {
        for (name, _) in files.iter().take(missing) {
            std::fs::remove_file(all.file(BACK, name))?;
        }
        come_back(&mut all, (users, missing), table)?;
        let is_there = |(name, bytes): &(String, Vec<u8>)| holds(&all.file(BACK, name), bytes);
        if let Some((name, _)) = files.iter().find(|one| !is_there(one)) {
            return Err(io::Error::other(format!("{name} is not what it was")));
        }
        all.kill(BACK);
    }
    Ok(())
}

/// Starts the machine, and measures until it holds everything.
fn come_back(
    all: &mut Machines,
    (users, missing): (usize, usize),
    table: &mut Table,
) -> io::Result<()> {
    let bytes = Arc::new(AtomicU64::new(0));
    let relays = (0..BACK)
        .map(|n| Listening::relay(all.address(n), &bytes))
        .collect::<io::Result<Vec<Listening>>>()?;
    let mut ways: Vec<String> = relays.iter().map(Listening::address).collect();
    ways.push(all.address(BACK));
    let from = all.log(BACK).len();
    let began = now();
    all.spawn_among(BACK, &ways);
    let compared = wait_compared(all, BACK, (users, missing), from);
    let seconds = began.elapsed().as_secs_f64();
    let wire = bytes.load(Ordering::SeqCst) / 1024;
    let peak = megabytes(process(all, BACK)?, "VmHWM:")?;
    let what = format!("{users} users, a machine comes back without {missing}: seconds from start");
    table.worst(Worst { what, ours: seconds, beside: None, most: Most::Any });
    let each = |one: &Comparison| format!("{} users in {} ms", one.users, one.ms);
    table.note(format!(
        "{users} users, {missing} missing: compared {}; {wire} KiB to and from the others; \
         {peak:.1} MB resident at the peak",
        compared.iter().map(each).collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}

/// Until a machine has compared all users and learned so many; its comparisons in the log behind
/// `from`.
fn wait_compared(
    all: &Machines,
    n: usize,
    (users, missing): (usize, usize),
    from: usize,
) -> Vec<Comparison> {
    within(BACK_MS_MAX, || {
        let log = all.log(n);
        let lines = log.get(from..)?.lines().filter(|line| line.contains("compared with peers"));
        let compared = lines.map(Comparison::read).collect::<Option<Vec<Comparison>>>()?;
        let learned: usize = compared.iter().map(|one| one.learned).sum();
        let is_done = learned >= missing && compared.iter().any(|one| one.users >= users);
        is_done.then_some(compared)
    })
}

impl Comparison {
    fn read(line: &str) -> Option<Self> {
        let value = |key: &str| {
            line.split_whitespace().find_map(|word| word.strip_prefix(key))?.parse::<usize>().ok()
        };
        Some(Self { users: value("users=")?, learned: value("learned=")?, ms: value("ms=")? })
    }
}

/// A file of one line, a post.
fn one_line(id: u64) -> Vec<u8> {
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    let posted = Entry::Posted {
        at: Wall(1_700_000_000_000),
        id: PostId::from_raw(id),
        text: "a few words".to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
    };
    let line = encode(&NewLine {
        version: Version { term, seq: 1 },
        base: Version::ZERO,
        base_hash: Hash128::default(),
        com: Version::ZERO,
        kind: Kind::Delta,
        requests: &[],
        entries: &[posted],
    });
    line.bytes
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|found| found == bytes)
}
