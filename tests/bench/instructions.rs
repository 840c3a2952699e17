//! Where the time goes: instructions of a read and of a write in each process that takes part, counted by
//! callgrind. They do not depend on what else the machine does.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::client::TRIES_MAX;
use crate::harness::{PROGRAM, eventually};
use crate::machines::Machines;
use crate::person::Person;
use crate::table::{Beside, Figure, Table};
use crate::web::Web;
use crate::{Plan, invalid, measured, process};

/// Requests of a kind that are counted in a round; rounds; and requests before, after which everything is
/// where it stays.
///
/// What goes on besides, pings and looks by the clock, only ever adds: of the rounds the least is taken.
/// Two runs differ by less than a hundredth then.
const COUNTED: u32 = 150;
const ROUNDS: u32 = 5;
const WARM: u32 = 20;
/// Posts on each page.
const POSTS: u32 = 30;
/// Functions that are named.
const TOP: usize = 10;
/// Functions in which a thread began before anything was counted: what they call counts as their own.
const ROOTS: [&str; 6] = [
    "clone",
    "start_thread",
    "thread_start",
    "call_once",
    "__rust_begin_short_backtrace",
    "do_call",
];
/// Machines of the cluster.
const MACHINES: usize = 3;
/// How long machines may take to hold the same: callgrind makes them fifty times slower.
const WAIT: Duration = Duration::from_mins(2);

/// Three machines and a web server under callgrind.
struct Town {
    all: Machines,
    web: Web,
    counts: tempfile::TempDir,
}

/// What one process did for one request.
struct Share {
    instructions: f64,
    functions: Vec<(String, f64)>,
}

/// Measures a page for a member, one for a stranger, and a post.
pub(crate) fn measure(_plan: &Plan, table: &mut Table) -> io::Result<()> {
    let town = Town::start()?;
    let base = town.web.address().to_owned();
    let mut ada = Person::new(&base, "ada");
    ada.join();
    let form = ada.get("/").form("/post");
    let mut poster = Browser::poster(&base, ada.cookies(), &form)?;
    (0..POSTS).try_for_each(|_| post(&mut poster))?;
    // Both have been there before, and have the cookies of that visit.
    ada.get("/");
    let mut stranger = Person::new(&base, "stranger");
    stranger.get("/@ada");
    town.tell_all("instrumentation on")?;
    let mut home = Browser::reader(&base, "/", &ada.cookies())?;
    let mut profile = Browser::reader(&base, "/@ada", &stranger.cookies())?;
    for (what, shares) in [
        ("home", town.count("home", || home.read())?),
        ("profile", town.count("profile", || profile.read())?),
        ("post", town.count("post", || post(&mut poster))?),
    ] {
        tell(table, what, shares)?;
    }
    Ok(())
}

/// Writes one post. On a machine that is busy with other things what takes fifty times as long may take too
/// long; a round with more than its posts is not the least.
fn post(poster: &mut Browser) -> io::Result<()> {
    for _ in 0..TRIES_MAX {
        if poster.try_post()? {
            return Ok(());
        }
    }
    Err(invalid("never saved"))
}

/// Puts the web server's share and those of the machines into the table: of a page one machine has a
/// share, of a post all of them.
fn tell(table: &mut Table, what: &str, mut shares: Vec<Share>) -> io::Result<()> {
    let kept = measured()?;
    let web = shares.pop().ok_or_else(|| invalid("no web server"))?;
    shares.sort_by(|a, b| b.instructions.total_cmp(&a.instructions));
    let mut told = vec![("web server", web)];
    let rest = shares.split_off(1);
    told.extend(shares.into_iter().map(|share| ("backend that is asked", share)));
    if what == "post" {
        let of_others = rest.into_iter().next();
        told.extend(of_others.map(|share| ("another backend", share)));
    }
    for (who, share) in told {
        let what = format!("{what}, {who}");
        let before = kept["figures"].as_array().into_iter().flatten();
        let mut before =
            before.filter(|one| one["budget"] == "instructions" && one["what"] == *what);
        let before = before.find_map(|one| one["is"].as_f64());
        let rounded = |count: f64| (count / 100.0).round() / 10.0;
        let named = share.functions.iter().take(TOP);
        let named =
            named.map(|(name, count)| json!({ "name": name, "thousands": rounded(*count) }));
        table.top(&what, rounded(share.instructions), named.collect::<Vec<Value>>());
        table.figure(Figure {
            budget: "instructions",
            what,
            is: share.instructions.round(),
            beside: before.map(|count| Beside::new("kept", count)),
        });
    }
    Ok(())
}

impl Town {
    fn start() -> io::Result<Self> {
        let counts = tempfile::tempdir()?;
        let mut all = Machines::start(MACHINES);
        let addresses: Vec<String> = (0..MACHINES).map(|n| all.address(n)).collect();
        for n in 0..MACHINES {
            all.kill(n);
            all.spawn_by(callgrind(&counts.path().join(n.to_string())), n, &addresses);
        }
        (0..MACHINES).for_each(|n| all.wait_until_writable(n));
        let web = Web::start_by(callgrind(&counts.path().join(MACHINES.to_string())), &all)?;
        Ok(Self { all, web, counts })
    }

    /// The processes: the machines, and the web server last.
    fn pids(&self) -> io::Result<Vec<u32>> {
        let machines = (0..MACHINES).map(|n| process(&self.all, n));
        machines.chain([Ok(self.web.pid())]).collect()
    }

    fn tell_all(&self, word: &str) -> io::Result<()> {
        self.pids()?.into_iter().try_for_each(|pid| {
            let mut command = Command::new("vgdb");
            let told = command.arg(format!("--pid={pid}")).args(word.split(' ')).output()?;
            let said = String::from_utf8_lossy(&told.stderr);
            if told.status.success() { Ok(()) } else { Err(invalid(&format!("vgdb: {said}"))) }
        })
    }

    /// What each process does for one request of a kind.
    fn count(
        &self,
        name: &str,
        mut request: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Vec<Share>> {
        (0..WARM).try_for_each(|_| request())?;
        let mut least: Vec<Share> = Vec::new();
        for _round in 0..ROUNDS {
            self.settled();
            self.tell_all("zero")?;
            (0..COUNTED).try_for_each(|_| request())?;
            self.settled();
            self.tell_all(&format!("dump {name}"))?;
            for n in 0..=MACHINES {
                let share = Share::read(&self.newest(n)?)?;
                match least.get_mut(n) {
                    None => least.push(share),
                    Some(known) if share.instructions < known.instructions => *known = share,
                    Some(_) => {}
                }
            }
        }
        Ok(least)
    }

    /// Until every machine holds what the others do.
    fn settled(&self) {
        eventually("machines that hold the same", WAIT, || {
            let size = |n| std::fs::metadata(self.all.file(n, "ada")).map_or(0, |file| file.len());
            (1..MACHINES).all(|n| size(n) == size(0)).then_some(())
        });
    }

    /// What a process wrote last: its counts are numbered.
    fn newest(&self, n: usize) -> io::Result<PathBuf> {
        let path = |number: u32| self.counts.path().join(format!("{n}.{number}"));
        let last = (1..u32::MAX).take_while(|number| path(*number).exists()).last();
        last.map(path).ok_or_else(|| invalid("callgrind wrote nothing"))
    }
}

/// The program under callgrind, which counts nothing until it is told to.
fn callgrind(out: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--instr-atstart=no"]);
    command.arg(format!("--callgrind-out-file={}", out.display())).arg(PROGRAM);
    command
}

impl Share {
    /// What callgrind's own reader says of a file.
    fn read(path: &Path) -> io::Result<Self> {
        let told = Command::new("callgrind_annotate")
            .args(["--threshold=100", "--auto=no"])
            .arg(path)
            .output()?;
        let text = String::from_utf8_lossy(&told.stdout);
        let mut functions: BTreeMap<String, f64> = BTreeMap::new();
        let mut total = None;
        for line in text.lines() {
            let Some((count, name)) = line.trim_start().split_once(' ') else { continue };
            let Ok(count) = count.replace(',', "").parse::<f64>() else { continue };
            let each = count / f64::from(COUNTED);
            // What follows is a part of the whole in brackets.
            let name = name.split_once(')').map_or(name, |(_, name)| name).trim();
            let name = function(name);
            if name == "PROGRAM TOTALS" {
                total = Some(each);
            } else if !ROOTS.iter().any(|root| name.contains(root)) {
                *functions.entry(name).or_default() += each;
            }
        }
        let instructions = total.ok_or_else(|| invalid(&format!("callgrind_annotate: {text}")))?;
        let mut functions: Vec<(String, f64)> = functions.into_iter().collect();
        functions.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(Self { instructions, functions })
    }
}

/// A function's name alone, of `file:name [library]`.
fn function(line: &str) -> String {
    let name = line.rsplit_once(" [").map_or(line, |(name, _)| name);
    name.split_once(':').map_or(name, |(_, name)| name).to_owned()
}
