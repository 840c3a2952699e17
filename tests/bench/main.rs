//! `make bench`: what the program gives beside what the machine could give, measured in one run.
//!
//! Absolute times mean little on shared machines. Every row is therefore a ratio: rounds of the
//! program alternate with rounds of the thing named beside it, and medians of several are compared.
//! The cluster and the bare files lie on the same disk.
//!
//! `TERN_BENCH_ROUND_MS` (1500), `TERN_BENCH_ROUNDS` (5) and `TERN_BENCH_POSTS` (10000) set how long;
//! `TERN_BENCH_ONLY`, as in `hot,peer`, which of the sections `rest`, `cluster`, `hot`, `peer`,
//! `takeover`, `catchup` and `reading`; `TERN_CATCH_UP_USERS` (20000) how many users the last has.

mod bare;
mod browser;
mod catch_up;
mod client;
mod hot;
mod peer;
mod reading;
mod rest;
mod sockets;
mod table;
mod takeover;
mod web;

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

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tern::clock::{Clock, Mono};
use tern::thread::spawn_named;

use bare::Bare;
use browser::Browser;
use harness::{Cluster, Options};
use person::Person;
use table::{Row, Table};

/// Connections that ask for pages at once.
const READERS: usize = 16;
/// People who write at once.
const WRITERS: usize = 8;

/// One part of what is measured; its figures go into the table.
type Section = fn(&Plan, &mut Table) -> io::Result<()>;

/// What, how long, and how often.
struct Plan {
    /// The sections to run; all if there are none.
    only: Vec<String>,
    round_ms: u64,
    rounds: usize,
    posts: u64,
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
            round_ms: read("TERN_BENCH_ROUND_MS", 1_500),
            rounds,
            posts: read("TERN_BENCH_POSTS", 10_000),
            catch_up_users: users,
        }
    }
}

fn main() -> io::Result<()> {
    // `cargo test --benches` runs this too, to see that it runs.
    let plan = Plan::from_environment();
    let mut table = Table::default();
    let sections: [(&str, Section); 7] = [
        ("rest", rest::measure),
        ("cluster", measure_cluster),
        ("hot", hot::measure),
        ("peer", peer::measure),
        ("takeover", takeover::measure),
        ("catchup", catch_up::measure),
        ("reading", reading::measure),
    ];
    if let Some(unknown) = plan.only.iter().find(|one| sections.iter().all(|(name, _)| one != name))
    {
        return Err(io::Error::other(format!("TERN_BENCH_ONLY: no section is called {unknown}")));
    }
    for (name, measure) in sections {
        if plan.only.is_empty() || plan.only.iter().any(|only| only == name) {
            measure(&plan, &mut table)?;
        }
    }
    table.print(&mut io::stdout().lock())
}

/// Posts, pages and memory of a cluster as anybody starts it.
fn measure_cluster(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let cluster = Cluster::start(Options::default());
    table.memory("at rest", &memory(&cluster)?, Some(8.0));

    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let mut person = cluster.person(&format!("writer_{number}"));
        person.join();
        writers.push(person);
    }
    let posts = AtomicU64::new(0);
    for count in [1, WRITERS] {
        table.ratio(measure_posts(&cluster, &mut writers, count, plan, &posts)?);
    }
    fill(&cluster, &mut writers, plan, &posts)?;
    let total = posts.load(Ordering::SeqCst);
    table.memory(&format!("after {total} posts"), &memory(&cluster)?, Some(24.0));

    let style = style_path(writers.first_mut())?;
    let cookie = writers.first().map(Person::cookies).unwrap_or_default();
    let home =
        Page { path: "/".to_owned(), cookie, what: "home, signed in", budget: 0.3, least: 2_000.0 };
    let profile = Page {
        path: "/@writer_0".to_owned(),
        cookie: String::new(),
        what: "profile, signed out",
        budget: 0.3,
        least: 3_000.0,
    };
    for page in [home, profile] {
        table.ratio(measure_page(&cluster, &page, &style, plan)?);
    }
    table.memory("after the pages", &memory(&cluster)?, None);
    Ok(())
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

/// Posts a second by `count` people through the form on the home page, beside as many threads that do
/// nothing but put the same bytes on disk. The form is read once: a browser keeps its page.
fn measure_posts(
    cluster: &Cluster,
    people: &mut [Person],
    count: usize,
    plan: &Plan,
    posts: &AtomicU64,
) -> io::Result<Row> {
    let mut browsers = poster_browsers(cluster, people, count)?;
    let line = last_line(cluster)?;
    let mut files = bare::writers(&cluster.data().join("bare"), count, line)?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _round in 0..plan.rounds {
        limit.push(rate(&mut files, plan.round_ms, Bare::write)?);
        ours.push(rate(&mut browsers, plan.round_ms, |browser| browser.post(posts))?);
    }
    Ok(Row {
        what: format!("posts a second, {count} at once"),
        ours: median(ours),
        beside: "append and fdatasync on 2 of 3 files".to_owned(),
        theirs: median(limit),
        budget: Some(0.6),
        least: None,
    })
}

fn poster_browsers(
    cluster: &Cluster,
    people: &mut [Person],
    count: usize,
) -> io::Result<Vec<Browser>> {
    let mut browsers = Vec::new();
    for person in people.iter_mut().take(count) {
        // The first post makes a line of the ordinary kind to measure the bare limit with.
        person.post("What every post of this benchmark says, a line of some sixty letters.");
        let form = person.get("/").form("/post");
        browsers.push(Browser::poster(&cluster.address(), person.cookies(), &form)?);
    }
    Ok(browsers)
}

/// The line that an ordinary post makes in a file.
fn last_line(cluster: &Cluster) -> io::Result<Vec<u8>> {
    let bytes = std::fs::read(cluster.node_data(1).join("users/writer_0.jsonl"))?;
    let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(bytes.get(start..).unwrap_or_default().to_vec())
}

/// Posts until there are as many as planned.
fn fill(
    cluster: &Cluster,
    people: &mut [Person],
    plan: &Plan,
    posts: &AtomicU64,
) -> io::Result<()> {
    let mut browsers = poster_browsers(cluster, people, WRITERS)?;
    while posts.load(Ordering::SeqCst) < plan.posts {
        rate(&mut browsers, plan.round_ms, |browser| {
            if posts.load(Ordering::SeqCst) < plan.posts { browser.post(posts) } else { Ok(()) }
        })?;
    }
    Ok(())
}

/// A page to be measured.
struct Page {
    path: String,
    cookie: String,
    what: &'static str,
    budget: f64,
    least: f64,
}

/// Pages a second on all readers' connections, beside the style sheet from the same server.
fn measure_page(cluster: &Cluster, page: &Page, style: &str, plan: &Plan) -> io::Result<Row> {
    let browsers = |path: &str, cookie: &str| -> io::Result<Vec<Browser>> {
        (0..READERS).map(|_| Browser::reader(&cluster.address(), path, cookie)).collect()
    };
    let mut readers = browsers(&page.path, &page.cookie)?;
    let mut statics = browsers(style, "")?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _round in 0..plan.rounds {
        limit.push(rate(&mut statics, plan.round_ms, Browser::read)?);
        ours.push(rate(&mut readers, plan.round_ms, Browser::read)?);
    }
    let size = |browsers: &[Browser]| browsers.first().map_or(0, Browser::answer_bytes);
    Ok(Row {
        what: format!("{}, {READERS} connections ({} bytes)", page.what, size(&readers)),
        ours: median(ours),
        beside: format!("style sheet ({} bytes)", size(&statics)),
        theirs: median(limit),
        budget: Some(page.budget),
        least: Some(page.least),
    })
}

/// Where the style sheet is.
fn style_path(person: Option<&mut Person>) -> io::Result<String> {
    let page = person.map(|person| person.get("/").body).unwrap_or_default();
    let path = page.split("href=\"").find(|part| part.starts_with("/s/style"));
    let path = path.and_then(|part| part.split('"').next()).map(str::to_owned);
    path.ok_or_else(|| io::Error::other("the home page names no style sheet"))
}

/// Resident megabytes of each process.
fn memory(cluster: &Cluster) -> io::Result<Vec<(String, f64)>> {
    let mut rows = vec![("run-cluster".to_owned(), resident(cluster.parent_pid())?)];
    for node in 1..=cluster.backends() {
        rows.push((format!("backend {node}"), resident(cluster.pid(node))?));
    }
    rows.push(("web".to_owned(), resident(cluster.web_pid())?));
    Ok(rows)
}

fn resident(pid: u32) -> io::Result<f64> {
    megabytes(pid, "VmRSS:")
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
