//! Catching up: a machine comes back to many users, and missed one write, many, or all there ever were.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tern::id::PostId;

use crate::client::now;
use crate::growth::Growth;
use crate::machines::{Machines, within};
use crate::made::Made;
use crate::sockets::Listening;
use crate::table::Table;
use crate::{Plan, megabytes, process};

/// When the first post was made, in milliseconds since 1970.
const FIRST_MS: u64 = 1_600_000_000_000;
/// Lines of each user's file.
const LINES: usize = 5;
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

/// Measures with one write, a thousand and all of them missing.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let users = plan.catch_up_users;
    let mut all = Machines::start(3);
    (0..3).for_each(|n| all.kill(n));
    let files: Vec<(String, Vec<u8>)> =
        (0..users).zip(0..).map(|(_, number)| (name(number), file(number))).collect();
    for n in 0..3 {
        for (name, bytes) in &files {
            std::fs::write(all.file(n, name), bytes)?;
        }
    }
    (0..2).for_each(|n| all.spawn(n));
    (0..2).for_each(|n| {
        wait_compared(&all, n, (users, 0), 0);
    });
    let mut points = Vec::new();
    for missing in [1, 1_000.min(users), users] {
        for (number, (name, bytes)) in files.iter().enumerate().take(missing) {
            // One is left: a machine that had users and finds none takes its disk for not mounted.
            if missing == users && number > 0 {
                std::fs::remove_file(all.file(BACK, name))?;
            } else {
                std::fs::write(all.file(BACK, name), without_last(bytes))?;
            }
        }
        let seconds = come_back(&mut all, (users, missing), table)?;
        let lines = if missing == users { (users - 1) * LINES + 1 } else { missing };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        points.push((lines as f64, seconds));
        let is_there = |(name, bytes): &(String, Vec<u8>)| holds(&all.file(BACK, name), bytes);
        if let Some((name, _)) = files.iter().find(|one| !is_there(one)) {
            return Err(io::Error::other(format!("{name} is not what it was")));
        }
        all.kill(BACK);
    }
    let what = format!("a machine comes back, {users} people: seconds from its start");
    table.growth(Growth { budget: "catch-up", what, of: "missed writes", points });
    Ok(())
}

/// Starts the machine, and measures until it holds everything.
fn come_back(
    all: &mut Machines,
    (users, missing): (usize, usize),
    table: &mut Table,
) -> io::Result<f64> {
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
    let each = |one: &Comparison| format!("{} users in {} ms", one.users, one.ms);
    table.note(format!(
        "{users} users, {missing} of whose files lack something: compared {}; {wire} KiB to and from the others; \
         {peak:.1} MB resident at the peak",
        compared.iter().map(each).collect::<Vec<_>>().join(", ")
    ));
    Ok(seconds)
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

/// A file of five lines: one who joined and wrote four posts.
fn file(number: u64) -> Vec<u8> {
    let mut made = Made::new(&name(number));
    for (_, post) in (1..LINES).zip(0..) {
        let id = PostId::floor_of(FIRST_MS + (post * 1_000_000 + number) * 10);
        made.post(id, "a few words".to_owned());
    }
    made.bytes().to_vec()
}

fn name(number: u64) -> String {
    format!("user{number:06}")
}

/// What is left of a file without its last line.
fn without_last(bytes: &[u8]) -> &[u8] {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let end = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|found| found == bytes)
}
