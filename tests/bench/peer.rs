//! One bad machine of three: what other users wait for their writes through the other two.

use std::io;
use std::net::TcpListener;

use rustix::process::Signal;

use crate::client::Client;
use crate::harness::send;
use crate::machines::Machines;
use crate::table::{Most, Table, Worst};
use crate::{Plan, WRITERS, median, rate};

/// Milliseconds of a fault that are not counted: by then it is noticed.
const NOTICE_MS: u64 = 1_000;
/// The machine that goes bad.
const BAD: usize = 2;

#[derive(Clone, Copy)]
enum Fault {
    Killed,
    Frozen,
    /// Connections are taken, and nothing is ever said on them.
    Hanging,
}

/// A fault that lasts.
enum Ongoing {
    Dead,
    Frozen,
    Hanging(TcpListener),
}

/// Measures all three faults, rounds of health between.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut all = Machines::start(3);
    let mut writers = Vec::new();
    for (number, id) in (0..WRITERS).zip(0..) {
        let session = all.join(0, &format!("writer_{number}"));
        writers.push(Client::new(&all, number % BAD, id, &session)?);
    }
    rate(&mut writers, plan.round_ms, Client::post)?;
    for (fault, what) in
        [(Fault::Killed, "killed"), (Fault::Frozen, "frozen"), (Fault::Hanging, "hanging")]
    {
        let (mut well, mut bad) = (Vec::new(), Vec::new());
        let mut troubles = 0;
        for _round in 0..plan.rounds {
            well.push(tail(&mut writers, plan.round_ms)?);
            let ongoing = begin(&mut all, fault)?;
            rate(&mut writers, NOTICE_MS, Client::post)?;
            writers.iter_mut().for_each(|writer| writer.troubles = 0);
            bad.push(tail(&mut writers, plan.round_ms)?);
            troubles += writers.iter().map(|writer| writer.troubles).sum::<u64>();
            end(&mut all, ongoing);
            // What it missed is caught up with before the next round counts.
            rate(&mut writers, NOTICE_MS, Client::post)?;
        }
        table.worst(Worst {
            what: format!("99th percentile of {WRITERS} others' posts, 1 of 3 {what}, ms"),
            ours: median(bad),
            beside: Some(("all three well".to_owned(), median(well))),
            most: Most::Times(2.0),
        });
        if troubles > 0 {
            table.note(format!("1 of 3 {what}: others were told to try again {troubles} times"));
        }
    }
    Ok(())
}

/// The 99th percentile of what posts wait in one round.
fn tail(writers: &mut [Client], round_ms: u64) -> io::Result<f64> {
    writers.iter_mut().for_each(|writer| writer.waits.clear());
    rate(writers, round_ms, Client::post)?;
    let mut waits: Vec<f64> = writers.iter().flat_map(|writer| writer.waits.clone()).collect();
    waits.sort_by(f64::total_cmp);
    Ok(waits.get(waits.len() * 99 / 100).copied().unwrap_or_default())
}

fn begin(all: &mut Machines, fault: Fault) -> io::Result<Ongoing> {
    match fault {
        Fault::Killed => {
            all.kill(BAD);
            Ok(Ongoing::Dead)
        }
        Fault::Frozen => {
            send(all.id(BAD), Signal::STOP);
            Ok(Ongoing::Frozen)
        }
        Fault::Hanging => {
            all.kill(BAD);
            // The system takes the connections; nobody ever looks at them.
            Ok(Ongoing::Hanging(TcpListener::bind(all.address(BAD))?))
        }
    }
}

fn end(all: &mut Machines, ongoing: Ongoing) {
    match ongoing {
        Ongoing::Dead => all.spawn(BAD),
        Ongoing::Frozen => send(all.id(BAD), Signal::CONT),
        Ongoing::Hanging(listener) => {
            drop(listener);
            all.spawn(BAD);
        }
    }
    all.wait_until_writable(BAD);
}
