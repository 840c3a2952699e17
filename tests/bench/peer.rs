//! One bad machine of three: what other users wait for their writes through the other two.

use std::io;
use std::time::Duration;

use rustix::process::Signal;
use tern::wire::status::{MachineRow, MachineState};

use crate::client::{Client, Writer};
use crate::harness::{eventually, send};
use crate::machines::Machines;
use crate::sockets::Listening;
use crate::table::{Beside, Figure, Table};
use crate::{Plan, WRITERS, median, process, rate};

/// Milliseconds of a fault that are not counted: by then it is noticed.
const NOTICE_MS: u64 = 1_000;
/// Milliseconds of writing between the end of a fault's last trace and the next that counts.
const REST_MS: u64 = 2_000;
/// The machine that goes bad.
const BAD: usize = 2;
/// Posts of a round at least: the slowest hundredth of fewer would be a handful.
const POSTS_MIN: usize = 1_000;
/// Times a round is made longer for that.
const LONGER_MAX: usize = 20;
/// How long a machine may take to come back and to catch up.
const RETURN: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed,
    Frozen,
    /// Connections are taken, and nothing is ever said on them.
    Hanging,
}

/// A fault, and what its rounds gave.
struct Measured {
    fault: Fault,
    what: &'static str,
    tails: Vec<f64>,
    troubles: u64,
}

/// In turns, each when all machines are in step: health, and every fault.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut all = Machines::start(3);
    let mut writers = Vec::new();
    for (number, id) in (0..WRITERS).zip(0..) {
        let session = all.join(0, &format!("writer_{number}"));
        writers.push(Client::new(&all, number % BAD, id, &session)?);
    }
    let faults =
        [(Fault::Killed, "killed"), (Fault::Frozen, "frozen"), (Fault::Hanging, "hanging")];
    let new = |(fault, what)| Measured { fault, what, tails: Vec::new(), troubles: 0 };
    let mut faults = faults.map(new);
    let mut well = Vec::new();
    for _round in 0..plan.rounds {
        rest(&all, &mut writers)?;
        well.push(tail(&mut writers, plan.round_ms)?);
        for measured in &mut faults {
            rest(&all, &mut writers)?;
            measured.run(&mut all, &mut writers, plan.round_ms)?;
        }
    }
    for Measured { what, tails, troubles, .. } in faults {
        table.figure(Figure {
            budget: "peer",
            what: format!("99th percentile of {WRITERS} others' posts, 1 of 3 {what}, ms"),
            is: median(tails.clone()),
            beside: Some(Beside::new("all three well", median(well.clone()))),
        });
        table.note(format!(
            "1 of 3 {what}: others were told to try again {troubles} times; rounds: {}; well: {}",
            listed(&tails),
            listed(&well)
        ));
    }
    Ok(())
}

fn listed(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.0}")).collect::<Vec<_>>().join(" ")
}

/// Until every machine says that all are in step, and then some writing that does not count.
fn rest(all: &Machines, writers: &mut [Client]) -> io::Result<()> {
    let is_well = |row: &MachineRow| {
        row.state == MachineState::InStep
            && row.refuses.is_none()
            && row.behind.unwrap_or_default() == 0
    };
    eventually("all machines in step", RETURN, || {
        let is_in_step = |n| all.status(n).is_some_and(|page| page.machines.iter().all(is_well));
        (0..all.count()).all(is_in_step).then_some(())
    });
    rate(writers, REST_MS, Client::post).map(|_| ())
}

/// The 99th percentile of what posts wait in one round.
fn tail(writers: &mut [Client], round_ms: u64) -> io::Result<f64> {
    for writer in &mut *writers {
        writer.told().waits.clear();
    }
    for _ in 0..LONGER_MAX {
        rate(writers, round_ms, Client::post)?;
        if writers.iter_mut().map(|writer| writer.told().waits.len()).sum::<usize>() >= POSTS_MIN {
            break;
        }
    }
    let waits = writers.iter_mut().flat_map(|writer| std::mem::take(&mut writer.told().waits));
    let mut waits: Vec<f64> = waits.collect();
    if waits.len() < POSTS_MIN {
        return Err(io::Error::other(format!("only {} posts in a round", waits.len())));
    }
    waits.sort_by(f64::total_cmp);
    Ok(waits.get(waits.len() * 99 / 100).copied().unwrap_or_default())
}

impl Measured {
    /// One round of a fault.
    fn run(&mut self, all: &mut Machines, writers: &mut [Client], round_ms: u64) -> io::Result<()> {
        let silent = begin(all, self.fault)?;
        rate(writers, NOTICE_MS, Client::post)?;
        for writer in &mut *writers {
            writer.told().troubles = 0;
        }
        self.tails.push(tail(writers, round_ms)?);
        self.troubles += writers.iter_mut().map(|writer| writer.told().troubles).sum::<u64>();
        // Whoever hangs there leaves the port first.
        drop(silent);
        if self.fault == Fault::Frozen {
            send(process(all, BAD)?, Signal::CONT);
        } else {
            all.spawn(BAD);
        }
        Ok(())
    }
}

/// Has a machine go bad; what then stands in its place, if anything does.
fn begin(all: &mut Machines, fault: Fault) -> io::Result<Option<Listening>> {
    if fault == Fault::Frozen {
        send(process(all, BAD)?, Signal::STOP);
        return Ok(None);
    }
    all.kill(BAD);
    if fault == Fault::Hanging { Listening::silent(&all.address(BAD)).map(Some) } else { Ok(None) }
}
