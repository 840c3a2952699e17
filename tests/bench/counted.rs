//! What a healthy write costs, counted: round trips, flushes, and bytes written into files. strace looks
//! at three machines while somebody posts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Client, Writer};
use crate::harness::eventually;
use crate::machines::Machines;
use crate::table::{Figure, Table};
use crate::{Plan, invalid, process};

/// Posts that are counted.
const POSTS: usize = 200;
/// Posts before, so that all connections are there and the lock is held.
const WARM: usize = 20;
/// People whose lock is taken for one post each, at this machine.
const PEOPLE: usize = 40;
const ELSEWHERE: usize = 1;
/// How long strace may take to attach itself, and machines to hold the same.
const WAIT: Duration = Duration::from_secs(30);
/// After their start machines ask each other at each request whether what they hold is old, until they have told
/// each other that they are up, and compared: some pings.
const AGREED: Duration = Duration::from_secs(4);
/// What is looked at.
const CALLS: &str =
    "trace=write,pwrite64,writev,pwritev,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2";

/// strace at one machine, ended when dropped.
struct Watch {
    child: Child,
    log: PathBuf,
    /// What the machine's threads are called.
    names: BTreeMap<String, String>,
}

/// What one machine did.
#[derive(Default)]
struct Counted {
    /// Frames to each other machine that its links sent, by the other's number.
    frames: BTreeMap<String, usize>,
    flushes: usize,
    /// Bytes, by the file's name.
    bytes: BTreeMap<String, usize>,
}

/// Measures writes whose lock was held, and writes whose lock had to be taken.
pub(crate) fn measure(_plan: &Plan, table: &mut Table) -> io::Result<()> {
    let all = Machines::start(3);
    let session = all.join(0, "held");
    let mut writers = vec![Client::new(&all, 0, 1, &session)?];
    let before = settled(&all, "held");
    let line = |after: u64, posts: usize| number(after - before) / count(posts);
    std::thread::sleep(AGREED);
    write(&mut writers, WARM)?;
    let line_bytes = line(settled(&all, "held"), WARM);
    let held = counted(&all, &mut writers, POSTS, "held")?;
    for (n, machine) in held.iter().enumerate() {
        let who = if n == 0 { "the machine asked" } else { "another machine" };
        let posts = count(POSTS);
        table.figure(Figure {
            budget: "wear",
            what: format!("{who}, bytes into files for a post of {line_bytes:.0}"),
            is: count(machine.bytes.values().sum()) / posts / line_bytes,
            beside: None,
        });
        table.figure(Figure {
            budget: "flushes",
            what: format!("{who}, lock held before: flushes for a post"),
            is: rounded(machine.flushes, POSTS),
            beside: None,
        });
        let files = machine.bytes.iter();
        let files = files.map(|(name, bytes)| format!("{name} {:.0}", count(*bytes) / posts));
        table.note(format!("{who}: bytes a post: {}", files.collect::<Vec<_>>().join(", ")));
    }
    frames(table, "held", "lock held before", held.first(), POSTS);

    // Each at a machine that never wrote for them: the lock is taken anew.
    let mut writers = Vec::new();
    for (number, id) in (0..WARM + PEOPLE).zip(2..) {
        let session = all.join(0, &format!("free_{number}"));
        writers.push(Client::new(&all, ELSEWHERE, id, &session)?);
    }
    // The first have the machine's links connect.
    let mut counted_ones = writers.split_off(WARM);
    write(&mut writers, WARM)?;
    let last = format!("free_{}", WARM + PEOPLE - 1);
    let free = counted(&all, &mut counted_ones, PEOPLE, &last)?;
    frames(table, "free", "lock taken anew", free.get(ELSEWHERE), PEOPLE);
    let flushes = free.iter().map(|machine| machine.flushes).max().unwrap_or_default();
    table.figure(Figure {
        budget: "flushes",
        what: "lock taken anew: flushes for a post on the machine with most".to_owned(),
        is: rounded(flushes, PEOPLE),
        beside: None,
    });
    Ok(())
}

fn frames(
    table: &mut Table,
    budget: &'static str,
    what: &str,
    asked: Option<&Counted>,
    posts: usize,
) {
    let most = asked.and_then(|machine| machine.frames.values().max().copied());
    table.figure(Figure {
        budget,
        what: format!("{what}: frames to the machine that gets most"),
        is: rounded(most.unwrap_or_default(), posts),
        beside: None,
    });
}

/// Posts in turns.
fn write(writers: &mut [Client], posts: usize) -> io::Result<()> {
    let places = writers.len();
    (0..posts).try_for_each(|n| writers.get_mut(n % places).map_or(Ok(()), Writer::post))
}

/// The size of a user's file, once all machines have the same.
fn settled(all: &Machines, name: &str) -> u64 {
    eventually("machines that hold the same", WAIT, || {
        let size = |n| fs::metadata(all.file(n, name)).map_or(0, |file| file.len());
        let first = size(0);
        (first > 0 && (1..all.count()).all(|n| size(n) == first)).then_some(first)
    })
}

/// What each machine does while all these posts are written.
fn counted(
    all: &Machines,
    writers: &mut [Client],
    posts: usize,
    name: &str,
) -> io::Result<Vec<Counted>> {
    settled(all, name);
    let logs = tempfile::tempdir()?;
    let watches = (0..all.count())
        .map(|n| Watch::start(process(all, n)?, logs.path().join(n.to_string())))
        .collect::<io::Result<Vec<Watch>>>()?;
    write(writers, posts)?;
    settled(all, name);
    let mut found = Vec::new();
    for (n, watch) in watches.into_iter().enumerate() {
        found.push(watch.end(&all.data(n))?);
    }
    Ok(found)
}

impl Watch {
    fn start(pid: u32, log: PathBuf) -> io::Result<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-y", "-s0", "-e", CALLS, "-e", "signal=none", "-o"]);
        command.arg(&log).args(["-p", &pid.to_string()]);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let tasks = PathBuf::from(format!("/proc/{pid}/task"));
        let watch = Self { child, log, names: BTreeMap::new() };
        let names = eventually("strace", WAIT, || seen(&tasks));
        Ok(Self { names, ..watch })
    }

    /// Has it leave the machine alone; what it saw.
    fn end(mut self, data: &Path) -> io::Result<Counted> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or_else(|| invalid("no process"))?, Signal::INT)?;
        self.child.wait()?;
        let mut counted = Counted::default();
        for line in fs::read_to_string(&self.log)?.lines() {
            counted.take(line, &self.names, data);
        }
        Ok(counted)
    }
}

/// The names of a process's threads, once all of them are looked at.
fn seen(tasks: &Path) -> Option<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    for task in fs::read_dir(tasks).ok()? {
        let path = task.ok()?.path();
        let status = fs::read_to_string(path.join("status")).ok()?;
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
        if tracer.trim() == "0" {
            return None;
        }
        let name = status.lines().next()?.strip_prefix("Name:")?.trim().to_owned();
        names.insert(path.file_name()?.to_str()?.to_owned(), name);
    }
    Some(names)
}

impl Counted {
    /// One line of strace's: thread, call, file, and how many bytes.
    fn take(&mut self, line: &str, names: &BTreeMap<String, String>, data: &Path) {
        let Some((thread, call)) = line.split_once(' ') else { return };
        let Some((call, rest)) = call.trim_start().split_once('(') else { return };
        let path = rest.split_once('<').and_then(|(_, path)| path.split_once('>'));
        let path = path.map(|(path, _)| Path::new(path));
        let file = path.and_then(|path| path.strip_prefix(data).ok());
        match (call, file) {
            ("fsync" | "fdatasync", Some(_)) => self.flushes += 1,
            (_, Some(file)) => {
                let bytes = bytes(call, rest);
                *self.bytes.entry(file.display().to_string()).or_default() += bytes;
            }
            // `link-P-N` is one of those that ask machine P.
            _ => {
                let name = names.get(thread).and_then(|name| name.strip_prefix("link-"));
                if let Some((peer, _)) = name.and_then(|name| name.split_once('-')) {
                    *self.frames.entry(peer.to_owned()).or_default() += 1;
                }
            }
        }
    }
}

/// How many bytes a call writes.
fn bytes(call: &str, rest: &str) -> usize {
    let asked = rest.split(") = ").next().unwrap_or(rest).split(" <unfinished").next();
    let asked = asked.unwrap_or_default();
    let number = |text: &str| text.trim().trim_end_matches([')', '}']).parse::<usize>().ok();
    if call.ends_with('v') {
        let parts = asked.split("iov_len=").skip(1);
        return parts.filter_map(|part| number(part.split('}').next()?)).sum();
    }
    // Those that say where end with that.
    let mut last = asked.rsplit(',');
    if call == "pwrite64" {
        last.next();
    }
    last.next().and_then(number).unwrap_or_default()
}

/// So many for each, to a hundredth: what the machines have to say to each other besides is no part of
/// a write.
fn rounded(all: usize, posts: usize) -> f64 {
    (count(all) / count(posts) * 50.0).round() / 50.0
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn count(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn number(number: u64) -> f64 {
    number as f64
}
