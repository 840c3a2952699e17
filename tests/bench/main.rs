//! `make bench`: what the program gives beside what the machine could give, measured in one run.
//!
//! Absolute times mean little on shared machines. So a figure is a ratio wherever it can be: rounds of the
//! program alternate with rounds of the thing named beside it, and the middle of several is told. The
//! cluster and the bare files lie on the same disk. What each figure may be stands in `document.rs`.
//!
//! The figures are printed, and stand in `target/bench.json`; how things grow is drawn in
//! `target/bench.svg`. With `TERN_BENCH_KEEP=1` those of the sections that ran are kept in
//! `measured.json`, and `src/BENCH.md` is made of them.
//!
//! `TERN_BENCH_ROUND_MS` (2000), `TERN_BENCH_ROUNDS` (5) and `TERN_BENCH_POSTS` (10000) set how long;
//! `TERN_BENCH_ONLY`, as in `hot,peer`, which of the sections in [`SECTIONS`]; `TERN_CATCH_UP_USERS` (20000)
//! how many users a machine catches up with. A section whose tools are missing is left out by name.

mod author;
mod bare;
mod browser;
mod card;
mod catch_up;
mod client;
mod cluster;
mod counted;
mod crowd;
mod document;
mod growth;
mod hot;
#[expect(clippy::indexing_slicing, reason = "of JSON: what is not there is null")]
mod instructions;
mod made;
mod peer;
mod reading;
mod rest;
mod sockets;
#[expect(clippy::indexing_slicing, reason = "of JSON: what is not there is null")]
mod table;
mod takeover;
mod turns;
mod web;
#[expect(clippy::indexing_slicing, reason = "of JSON: what is not there is null")]
mod wrk;

#[path = "../cluster/form.rs"]
#[expect(dead_code, reason = "the tests use all of it, a benchmark some")]
mod form;
#[path = "../cluster/harness.rs"]
#[expect(dead_code, reason = "the tests use all of it, a benchmark some")]
mod harness;
#[path = "../repair/harness.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "the tests' own, where all of it is used and these are allowed"
)]
mod machines;
#[path = "../cluster/person.rs"]
#[expect(dead_code, reason = "the tests use all of it, a benchmark some")]
mod person;
#[path = "../ports.rs"]
mod ports;

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use tern::clock::{Clock, Mono};
use tern::thread::spawn_named;

use table::Table;

/// The figures that are kept, beside this file.
const MEASURED: &str = "tests/bench/measured.json";
/// People who write at once.
const WRITERS: usize = 8;

/// One part of what is measured; its figures go into the table.
type Measure = fn(&Plan, &mut Table) -> io::Result<()>;

/// A part, and the programs that it needs besides.
struct Section {
    name: &'static str,
    needs: &'static [&'static str],
    measure: Measure,
}

const fn section(name: &'static str, needs: &'static [&'static str], measure: Measure) -> Section {
    Section { name, needs, measure }
}

/// All parts, in the order in which they are measured.
const SECTIONS: [Section; 13] = [
    section("rest", &["strip"], rest::measure),
    section("instructions", &["valgrind"], instructions::measure),
    section("counted", &["strace"], counted::measure),
    section("cluster", &["wrk"], cluster::measure),
    section("card", &["wrk", "cc"], card::measure),
    section("author", &[], author::measure),
    section("members", &[], author::measure_members),
    section("hot", &[], hot::measure),
    section("peer", &[], peer::measure),
    section("takeover", &[], takeover::measure),
    section("catchup", &[], catch_up::measure),
    section("reading", &[], reading::measure),
    section("growth", &[], reading::measure_growth),
];

/// What, how long, and how often.
struct Plan {
    /// The sections to run; all if there are none.
    only: Vec<String>,
    round_ms: u64,
    rounds: usize,
    posts: f64,
    /// Users whose files a machine catches up with.
    catch_up_users: usize,
}

impl Plan {
    fn from_environment() -> Self {
        let read = |name, default| {
            std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let rounds = usize::try_from(read("TERN_BENCH_ROUNDS", 5)).unwrap_or(5).max(1);
        let users = usize::try_from(read("TERN_CATCH_UP_USERS", 20_000)).unwrap_or(20_000).max(1);
        let only = std::env::var("TERN_BENCH_ONLY").unwrap_or_default();
        let only = only.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self {
            only: only.map(str::to_owned).collect(),
            round_ms: read("TERN_BENCH_ROUND_MS", 2_000),
            rounds,
            posts: f64::from(u32::try_from(read("TERN_BENCH_POSTS", 10_000)).unwrap_or(u32::MAX)),
            catch_up_users: users,
        }
    }
}

fn main() -> io::Result<()> {
    let plan = Plan::from_environment();
    let is_known = |name: &String| SECTIONS.iter().any(|section| section.name == name);
    if let Some(unknown) = plan.only.iter().find(|name| !is_known(name)) {
        return Err(invalid(&format!("TERN_BENCH_ONLY: no section is called {unknown}")));
    }
    // `cargo test --benches` runs this too, to see that it runs: only `cargo bench` says so.
    if !std::env::args().any(|word| word == "--bench") {
        return Ok(());
    }
    let mut table = Table::default();
    for section in &SECTIONS {
        if plan.only.is_empty() || plan.only.iter().any(|only| only == section.name) {
            section.run(&plan, &mut table)?;
        }
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    table.leave(&top.join("target"))?;
    table.print(&mut io::stdout().lock())?;
    if std::env::var_os("TERN_BENCH_KEEP").is_some_and(|value| value == "1") {
        let kept = table.among(measured()?);
        std::fs::write(top.join(MEASURED), format!("{kept:#}\n"))?;
        std::fs::write(top.join("src/BENCH.md"), document::made(&kept))?;
    }
    match table.missed()[..] {
        [] => Ok(()),
        ref missed => Err(invalid(&format!("missed: {}", missed.join("; ")))),
    }
}

/// The figures that were kept.
fn measured() -> io::Result<serde_json::Value> {
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(MEASURED))?;
    Ok(serde_json::from_slice(&text)?)
}

impl Section {
    /// Measures it, unless a tool is missing.
    fn run(&self, plan: &Plan, table: &mut Table) -> io::Result<()> {
        let is_there = |program: &&&str| {
            let mut command = Command::new(program);
            // Whatever it says to that: it is there.
            command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
        };
        if let Some(missing) = self.needs.iter().find(|program| !is_there(program)) {
            let left_out = format!(
                "section {} left out: {missing} is missing (Debian: apt-get install {})",
                self.name,
                match *missing {
                    "strip" => "binutils",
                    "cc" => "gcc",
                    program => program,
                }
            );
            table.note(left_out);
            return Ok(());
        }
        writeln!(io::stderr(), "section {}", self.name)?;
        table.begin(self.name);
        (self.measure)(plan, table)?;
        table.end();
        Ok(())
    }
}

/// Runs `one` again and again on each of `workers` in its own thread for a while; how often a second.
fn rate<W: Send>(
    workers: &mut [W],
    round_ms: u64,
    one: impl Fn(&mut W) -> io::Result<()> + Sync,
) -> io::Result<f64> {
    let clock = Clock::system();
    let done = AtomicU64::new(0);
    let started = clock.mono();
    let end = started.plus_ms(round_ms);
    std::thread::scope(|scope| {
        let mut threads: Vec<std::thread::ScopedJoinHandle<'_, io::Result<()>>> = Vec::new();
        for worker in workers {
            let (clock, done, one) = (&clock, &done, &one);
            threads.push(spawn_named(scope, "worker", move |_permit| {
                while clock.mono() < end {
                    one(worker)?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })?);
        }
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(per_second(done.load(Ordering::Relaxed), started, clock.mono()))
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts and times far below 2^52")]
fn per_second(count: u64, from: Mono, to: Mono) -> f64 {
    count as f64 * 1_000.0 / to.since_ms(from).max(1) as f64
}

/// The middle of several measurements.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What the system says of a process's memory.
fn megabytes(pid: u32, name: &str) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u32>().ok());
    let kib = kib.ok_or_else(|| io::Error::other(format!("no {name}")))?;
    Ok(f64::from(kib) / 1024.0)
}

/// The process of a machine.
fn process(all: &machines::Machines, n: usize) -> io::Result<u32> {
    let child = all.children.get(n).and_then(Option::as_ref);
    child.map(std::process::Child::id).ok_or_else(|| io::Error::other("it does not run"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
