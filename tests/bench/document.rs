//! What each figure of `make bench` may be, and `src/BENCH.md`, which is made of that and of the figures
//! in `measured.json`: those of the last `make bench KEEP=1`.

use std::fmt::Write as _;

use serde_json::Value;

/// What a figure may be.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// At least so many times what it is measured beside, and at least so much by itself.
    Least { times: f64, itself: f64 },
    /// At most so much.
    Most(f64),
    /// At most so many times what it is measured beside.
    Times(f64),
    /// From one size to the next it grows no faster than n log n.
    NLogN,
    /// At the largest size it is at most so many times what it is at the smallest.
    Grown(f64),
    /// So little more or less than what it is measured beside, as a part of it.
    Near(f64),
    /// For information.
    Any,
}

/// One budget: its name in the benchmark's sources, what it is about, what it allows.
pub(crate) struct Budget {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) limit: Limit,
}

const fn budget(id: &'static str, limit: Limit, what: &'static str) -> Budget {
    Budget { id, what, limit }
}

use Limit::{Any, Grown, Least, Most, NLogN, Near, Times};

/// All of them, in the order of the document.
pub(crate) const BUDGETS: [Budget; 36] = [
    budget(
        "posts",
        Least { times: 0.6, itself: 0.0 },
        "Posts through the form on the home page, three backends, each on the disks of two before the answer, by 1 and by 8 writers; beside threads that append the same lines to three files, flush them and wait for two",
    ),
    budget(
        "posts-card",
        Least { times: 0.6, itself: 0.0 },
        "The same on a small machine's terms: each flush takes 5 ms longer, as on a memory card, of ours and of what it is beside",
    ),
    budget(
        "author",
        Times(1.2),
        "The same when its author has 10,000 posts, beside an author of 10",
    ),
    budget(
        "held",
        Most(2.0),
        "A healthy write whose lock was held before: frames to each other machine (counted). One is waited for, and the lock \
         is let go behind the answer",
    ),
    budget(
        "free",
        Most(3.0),
        "A healthy write whose lock had to be taken: the same; two are waited for, one after the other",
    ),
    budget("flushes", Most(1.0), "Either: flushes on each machine (counted)"),
    budget(
        "wear",
        Most(3.0),
        "Bytes that a post makes each machine write into files, in times the post's own line; what the file system adds is its own",
    ),
    budget(
        "peer",
        Times(2.0),
        "One machine killed, frozen or hanging: slowest hundredth of other people's posts after the first second, beside the same in health",
    ),
    budget(
        "home",
        Least { times: 0.3, itself: 2_000.0 },
        "Home page, signed in, 30 posts of 10,000, 16 connections, on two cores shared with the load; beside the style sheet through the same gate",
    ),
    budget("profile", Least { times: 0.3, itself: 3_000.0 }, "Profile page, signed out, likewise"),
    budget(
        "logins",
        Least { times: 0.9, itself: 0.0 },
        "Log-ins, form included, beside bare Argon2id with the same parameters on as many cores",
    ),
    budget(
        "logins-pages",
        Times(3.0),
        "While 200 people log in: slowest hundredth of home pages, beside a quiet minute",
    ),
    budget("rest", Most(8.0), "Memory at rest, MB resident: a backend; a web server"),
    budget("rest-serve", Most(12.0), "Memory at rest, MB resident: both in one process"),
    budget(
        "filled",
        Most(24.0),
        "Memory with 200 people and 10,000 posts, MB resident, each process",
    ),
    budget("million", Most(120.0), "Memory with 1,000,000 posts, MB resident, a backend"),
    budget(
        "crowd",
        Most(120.0),
        "Memory at its highest under 200 log-ins at once, and under 500 connections, MB, each process",
    ),
    budget(
        "start",
        Times(3.0),
        "Start with 10,000 people and 1,000,000 posts until a page is there, beside reading the same files; both from the disk, as once a machine was switched on",
    ),
    budget(
        "start-more",
        Any,
        "The same with fewer posts, and where the system has the files at hand, for what the processors do of it",
    ),
    budget("start-empty", Most(50.0), "Start on an empty directory, milliseconds"),
    budget("size", Most(5.0), "The program, stripped, MB"),
    budget("wakes", Most(2.0), "Nobody there: how often a second the liveliest thread wakes"),
    budget(
        "takeover",
        Most(1_000.0),
        "A member's own machine is killed: milliseconds until the next post is saved",
    ),
    budget("frozen", Any, "The same when it is frozen"),
    budget(
        "hot",
        Least { times: 0.8, itself: 0.0 },
        "Many browsers of one member at three web servers, beside one web server",
    ),
    budget("hot-wait", Most(1_000.0), "The longest that one of them waits, milliseconds"),
    budget("hot-machines", Any, "The same at three machines that do not agree on who is up"),
    budget(
        "members",
        Least { times: 0.41, itself: 0.0 },
        "Posts of 8 writers with 5 machines, beside 3: n log n with the machines, all of them on the same two cores",
    ),
    budget(
        "catch-up",
        NLogN,
        "A machine comes back: seconds until it holds all, by the writes that it missed, of 20,000 people",
    ),
    budget(
        "pages",
        Times(2.0),
        "Pages of a community of 1,000,000 posts, beside one of 500: milliseconds",
    ),
    budget("search", Most(1_500.0), "A search in 1,000,000 posts, milliseconds"),
    budget("grown-author", Grown(1.5), "A post, by the posts that its author has"),
    budget("grown-page", Grown(3.0), "A page, by the posts in the community"),
    budget("grown-follows", Grown(3.0), "The home page, by whom one follows"),
    budget("grown", NLogN, "What a backend does with all of a community, by its posts"),
    budget(
        "instructions",
        Near(0.05),
        "Instructions of a read and of a write, beside those kept in this page; a change either way is told",
    ),
];

/// What is measured together, in its order.
pub(crate) const SECTIONS: [&str; 13] = [
    "rest",
    "instructions",
    "counted",
    "cluster",
    "card",
    "author",
    "members",
    "hot",
    "peer",
    "takeover",
    "catchup",
    "reading",
    "growth",
];

/// The budget of this name.
pub(crate) fn find(id: &str) -> Option<&'static Budget> {
    BUDGETS.iter().find(|budget| budget.id == id)
}

impl Limit {
    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Least { times, itself: 0.0 } => format!("≥ {times} ×"),
            Least { times, itself } => format!("≥ {times} ×, ≥ {itself} a second"),
            Most(most) => format!("≤ {most}"),
            Times(most) => format!("≤ {most} ×"),
            NLogN => "n log n".to_owned(),
            Grown(most) => format!("≤ {most} × from first to last"),
            Near(part) => format!("± {} %", part * 100.0),
            Any => String::new(),
        }
    }
}

const HEAD: &str = "\
# How fast Tern is

Absolute times mean little on shared machines. So each budget is a ratio, measured in one run beside the thing
that it names, on the same cores and the same disk: rounds of both in turns, at least five. Where a round has one of
the other thing right before it and right behind it, its ratio is to the mean of those two, and the ratio told is the
middle of the rounds' own; else it is that of the medians. What can be counted instead of timed is counted.

`make bench` measures, prints, and leaves all figures in `target/bench.json` and a drawing of what grows in
`target/bench.svg`. It fails if a budget is missed. `TERN_BENCH_ONLY=cluster,peer` in its environment picks sections;
`make bench KEEP=1` makes its figures those of this page. Real processes do what is measured, and the load is made by
wrk, which signs in and posts as browsers do (`tests/bench/load.lua`); strace counts, callgrind counts instructions. What
needs a program that is missing is left out by name (Debian: `apt-get install wrk strace valgrind`).

How often a write waits for other machines is not timed but tested:
`healthy_write_waits_once_when_held_and_twice_otherwise`; that no more passwords are hashed at once than there are cores, and
never more than four, `s02_hash_two_hundred_at_once_memory_flat_none_lost`.

Posts are measured on the machine's own disk and on one whose flushes take 5 ms longer, as those of a memory card do
(`tests/bench/card.c` makes them wait). On a card one waits for the card. On a disk that flushes in some microseconds the
processors are the limit, which a web server, three backends and the load share.

wrk reads pages with the cookies of somebody whom the benchmark has signed in: of several cookies in one answer it
keeps one. It reads the same page again and again, so that posts are drawn and their texts read from the files
already, as the newest posts of a community mostly are; whoever is the first to read a page causes half as many
instructions again.

How it is measured, and each bound, stands in `tests/bench`; this page is made of the two and tested to be.

";

/// The document that these figures make.
pub(crate) fn made(measured: &Value) -> String {
    let mut text = HEAD.to_owned();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    line("## Budgets\n".to_owned());
    for run in objects(measured, "runs") {
        line(format!("- {}: {}", words(run, "section"), words(run, "machine")));
    }
    let is_missing =
        |name: &&str| objects(measured, "runs").all(|run| words(run, "section") != *name);
    let missing: Vec<_> = SECTIONS.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        line(format!("- not measured yet: {}", missing.join(", ")));
    }
    line("\n| What | Budget | Measured | Beside | Ratio | |\n|---|---|---|---|---|---|".to_owned());
    for budget in &BUDGETS {
        line(format!("| **{}** | {} | | | | |", budget.what, budget.limit.words()));
        for figure in objects(measured, "figures").filter(|one| one["budget"] == budget.id) {
            line(format!(
                "| {} | | {} | {} {} | {} | {} |",
                words(figure, "what"),
                number(&figure["is"]),
                words(figure, "beside"),
                number(&figure["beside is"]),
                number(&figure["ratio"]),
                verdict(figure)
            ));
        }
        for growth in objects(measured, "growth").filter(|one| one["budget"] == budget.id) {
            let of = words(growth, "of");
            let points = growth["points"].as_array().into_iter().flatten();
            let points = points.map(|point| format!("{} {of}: {}", point[0], number(&point[1])));
            let points = points.collect::<Vec<_>>().join("; ");
            line(format!("| {} | | {points} | | | {} |", words(growth, "what"), verdict(growth)));
        }
    }
    line(instructions(measured));
    text
}

/// Which functions the instructions go to.
fn instructions(measured: &Value) -> String {
    let mut text = "\n## Where the time goes\n\nInstructions of the program as released, own code and libraries, without \
                    the kernel's: counted over many requests, for one of them. They are the same whatever else the machine \
                    does. In each column the ten functions that take most of them, callees apart, in thousands.\n"
        .to_owned();
    for top in objects(measured, "top") {
        let _infallible = write!(
            text,
            "\n### {}: {} thousand\n\n| Function | Thousand |\n|---|---|\n",
            words(top, "what"),
            number(&top["thousands"])
        );
        for function in objects(top, "functions") {
            let name = words(function, "name").replace('|', "\\|");
            let _infallible = writeln!(text, "| `{name}` | {} |", number(&function["thousands"]));
        }
    }
    text.trim_end().to_owned()
}

fn objects<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value[list].as_array().into_iter().flatten()
}

fn words<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn verdict(value: &Value) -> &'static str {
    match value["kept"].as_bool() {
        Some(true) => "kept",
        Some(false) => "**missed**",
        None => "",
    }
}

/// As precise as it matters.
fn number(value: &Value) -> String {
    match value.as_f64() {
        None => String::new(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}
