//! A community on one machine that nobody visits: what it takes of the machine, and how soon it is there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::park_timeout;
use std::time::Duration;

use tempfile::TempDir;

use crate::client::now;
use crate::harness::PROGRAM;
use crate::ports::free_ports;
use crate::table::{Figure, Table};
use crate::{Plan, median, megabytes};

/// Where `make dist` leaves the program for machines of this kind.
const GIVEN_AWAY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/x86_64-unknown-linux-musl/small/tern");
/// How long its threads are watched.
const WATCHED: Duration = Duration::from_secs(20);
/// How long it is left alone before.
const SETTLED: Duration = Duration::from_secs(3);

/// `tern serve`, ended when dropped.
struct Serve {
    child: Child,
    _dir: TempDir,
    /// Milliseconds until it said that it serves.
    started_ms: f64,
}

impl Serve {
    fn start(program: &Path) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let began = now();
        let mut child = Command::new(program)
            .arg("serve")
            .arg(format!("--listen=127.0.0.1:{}", free_ports(1)))
            .arg(format!("--data={}", dir.path().join("data").display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok(Self { child, _dir: dir, started_ms: began.elapsed().as_secs_f64() * 1_000.0 })
    }

    /// How often each thread has been set going so far, by its number, with its name.
    fn wakes(&self) -> io::Result<BTreeMap<String, (String, u64)>> {
        let mut wakes = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?;
            let number = task.file_name().to_string_lossy().into_owned();
            let name = fs::read_to_string(task.path().join("comm"))?.trim().to_owned();
            let status = fs::read_to_string(task.path().join("status"))?;
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            let count = line.and_then(|line| line.trim().parse().ok());
            let count = count.ok_or_else(|| io::Error::other("no count of switches"))?;
            wakes.insert(number, (name, count));
        }
        Ok(wakes)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It may have ended already; it is waited for in any case.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The program that people get, if `make dist` has made it, and what a figure says of that; else the one
/// that is built for this.
pub(crate) fn program() -> (&'static Path, &'static str) {
    let given_away = Path::new(GIVEN_AWAY);
    if given_away.exists() {
        (given_away, " of make dist")
    } else {
        (Path::new(PROGRAM), " as built here")
    }
}

/// Has the system let go of what it has at hand of a file, as after it was switched on. Of a program how much
/// is resident depends on that, and by half a megabyte on how its file was last written.
pub(crate) fn let_go(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // It keeps what is not on the disk yet.
    file.sync_all()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let (program, made) = program();
    let_go(program)?;
    let mut starts = Vec::new();
    for _ in 0..plan.rounds {
        starts.push(Serve::start(program)?.started_ms);
    }
    table.figure(Figure {
        budget: "start-empty",
        what: format!("tern serve{made} on an empty directory: milliseconds until it serves"),
        is: median(starts),
        beside: None,
    });
    table.figure(Figure {
        budget: "size",
        what: format!("the program{made}, MB"),
        is: stripped_megabytes(program)?,
        beside: None,
    });
    let serve = Serve::start(program)?;
    park_timeout(SETTLED);
    let before = serve.wakes()?;
    park_timeout(WATCHED);
    let after = serve.wakes()?;
    let rate = |(number, (name, count)): (&String, &(String, u64))| {
        let (_, first) = before.get(number)?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let rate = count.saturating_sub(*first) as f64 / WATCHED.as_secs_f64();
        Some((rate, name.clone()))
    };
    let worst = after.iter().filter_map(rate).max_by(|a, b| a.0.total_cmp(&b.0));
    let (rate, name) = worst.ok_or_else(|| io::Error::other("no threads"))?;
    table.figure(Figure {
        budget: "wakes",
        what: format!(
            "tern serve{made}, nobody there: wakes a second of the liveliest thread ({name})"
        ),
        is: rate,
        beside: None,
    });
    let resident = megabytes(serve.child.id(), "VmRSS:")?;
    table.memory("rest-serve", "at rest", &[(format!("tern serve{made}"), resident)]);
    Ok(())
}

/// The program without the names that callgrind is given. The linker's own tools take them out, as
/// cargo does for a release.
fn stripped_megabytes(program: &Path) -> io::Result<f64> {
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("tern");
    let done = Command::new("strip").arg("-o").arg(&copy).arg(program).status()?;
    if !done.success() {
        return Err(io::Error::other("strip did not do it"));
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let bytes = fs::metadata(&copy)?.len() as f64;
    Ok(bytes / 1e6)
}
