//! Take-over: the machine that a user's requests go to is gone; how long until the next of that
//! user's posts is acknowledged, through a real web server.

use std::io;
use std::time::Duration;

use rustix::process::Signal;

use crate::client::now;
use crate::harness::{eventually, send};
use crate::machines::Machines;
use crate::person::{Person, Written};
use crate::table::{Figure, Table};
use crate::web::Web;
use crate::{Plan, median, process};

/// Least number of times each is measured.
const TIMES_MIN: usize = 5;
/// How long a user may wait for an answer.
const WAIT: Duration = Duration::from_secs(30);

/// Measures with the machine killed, and with it frozen.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut all = Machines::start(3);
    let web = Web::start(&all)?;
    let mut person = Person::new(web.address(), "ada");
    person.join();
    for is_killed in [true, false] {
        let mut times = Vec::new();
        for number in 0..plan.rounds.max(TIMES_MIN) {
            let text = format!("before {number}, killed: {is_killed}");
            eventually("a post saved", WAIT, || is_saved(&mut person, &text));
            let n = coordinator(&all)?;
            let form = person.get("/").form("/post");
            let began = now();
            if is_killed {
                all.kill(n);
            } else {
                send(process(&all, n)?, Signal::STOP);
            }
            let text = format!("after {number}, killed: {is_killed}");
            while person.try_again(&form, &text) != Written::Saved {
                if began.elapsed() > WAIT {
                    return Err(io::Error::other("nobody took over"));
                }
            }
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            if is_killed {
                all.spawn(n);
            } else {
                send(process(&all, n)?, Signal::CONT);
            }
            (0..3).for_each(|n| all.wait_until_writable(n));
            eventually("its own machine asked again", WAIT, || {
                is_saved(&mut person, "again").filter(|()| coordinator(&all).ok() == Some(n))
            });
        }
        let what = if is_killed { "killed" } else { "frozen" };
        let longest = times.iter().copied().fold(0.0, f64::max);
        let budget = if is_killed { "takeover" } else { "frozen" };
        for (which, is) in [("median", median(times)), ("longest", longest)] {
            let what = format!("a user's own machine {what}: next post saved, {which}, ms");
            table.figure(Figure { budget, what, is, beside: None });
        }
    }
    Ok(())
}

fn is_saved(person: &mut Person, text: &str) -> Option<()> {
    (person.try_post(text).0 == Written::Saved).then_some(())
}

/// The machine that wrote the user's last line, by its index: the version names it.
fn coordinator(all: &Machines) -> io::Result<usize> {
    let mut found = Vec::new();
    for n in 0..all.count() {
        let text = std::fs::read_to_string(all.file(n, "ada"))?;
        let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or("{}"))?;
        let version = line.get("v").and_then(|value| value.as_str()).unwrap_or_default();
        let parts: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
        found.extend(parts);
    }
    let newest = found.into_iter().max().unwrap_or_default();
    let node = newest.get(2).and_then(|&node| usize::try_from(node).ok());
    node.and_then(|node| node.checked_sub(1)).ok_or_else(|| io::Error::other("no version"))
}
