//! Hot users: one user's clients at three web servers, beside all of them at one.
//!
//! Web servers that see the same machines send all that is about one user to the same machine. While
//! they disagree about who is up they do not: that is measured too, without a goal.

use std::io;

use crate::client::{Client, Writer};
use crate::machines::Machines;
use crate::person::Person;
use crate::table::{Beside, Figure, Table};
use crate::web::{Web, WebWriter};
use crate::{Plan, median, rate};

/// Clients of one user at once: a crowd, and one at each web server.
const CLIENTS: [usize; 2] = [24, 3];
/// Web servers, and machines.
const PLACES: usize = 3;

/// What the rounds of one arrangement gave.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    /// The longest wait of each round.
    longest: Vec<f64>,
    /// Of each round, what the least served client got of its equal share.
    least_shares: Vec<f64>,
    troubles: u64,
}

/// Measures both numbers of clients, at web servers and at the machines themselves.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let all = Machines::start(PLACES);
    let webs = (0..PLACES).map(|_| Web::start(&all)).collect::<io::Result<Vec<Web>>>()?;
    for count in CLIENTS {
        at_web_servers(&webs, count, plan, table)?;
    }
    for count in CLIENTS {
        at_machines(&all, count, plan, table)?;
    }
    Ok(())
}

/// The same browsers at one web server and spread over three, in turns.
fn at_web_servers(webs: &[Web], count: usize, plan: &Plan, table: &mut Table) -> io::Result<()> {
    let (mut one, mut three) = (Rounds::default(), Rounds::default());
    for round in 0..plan.rounds {
        for (rounds, used) in [(&mut one, 1), (&mut three, PLACES)] {
            // Somebody new for each round: a file that grows would slow down the later ones.
            let base = webs.first().map(Web::address).unwrap_or_default();
            let mut person = Person::new(base, &format!("web_{count}_{round}_{used}"));
            person.join();
            let form = person.get("/").form("/post");
            let writers = (webs.iter().take(used).cycle().take(count))
                .map(|web| WebWriter::new(web, person.cookies(), &form))
                .collect::<io::Result<Vec<WebWriter>>>()?;
            rounds.run(writers, plan.round_ms)?;
        }
    }
    let what = format!("posts of one user, {count} browsers at {PLACES} web servers");
    report(table, &what, (&one, "the same browsers, all at 1 web server"), &three, "hot");
    Ok(())
}

/// Writers at one machine and spread over three, in turns.
fn at_machines(all: &Machines, count: usize, plan: &Plan, table: &mut Table) -> io::Result<()> {
    let (mut one, mut three) = (Rounds::default(), Rounds::default());
    for round in 0..plan.rounds {
        for (rounds, used) in [(&mut one, 1), (&mut three, PLACES)] {
            let session = all.join(0, &format!("hot_{count}_{round}_{used}"));
            let writers = (0..count)
                .zip(0..)
                .map(|(n, id)| Client::new(all, n % used, id, &session))
                .collect::<io::Result<Vec<Client>>>()?;
            rounds.run(writers, plan.round_ms)?;
        }
    }
    let what = format!("posts of one user, {count} clients at {PLACES} machines");
    report(table, &what, (&one, "the same clients, all at 1 machine"), &three, "hot-machines");
    table.note(format!(
        "{what}: no goal, it is so only while web servers disagree about who is up. Requests are not \
         passed on between machines, so a line answers those of one machine, a third of the clients, \
         and the lock has to move for the next."
    ));
    Ok(())
}

fn report(
    table: &mut Table,
    what: &str,
    (one, beside): (&Rounds, &str),
    three: &Rounds,
    budget: &'static str,
) {
    let longest = |rounds: &Rounds| rounds.longest.iter().copied().fold(0.0, f64::max);
    table.figure(Figure {
        budget: if budget == "hot" { "hot-wait" } else { budget },
        what: format!("{what}: longest wait, ms"),
        is: longest(three),
        beside: Some(Beside::new(beside, longest(one))),
    });
    table.note(format!(
        "{what}: the least served got {:.2} of an equal share (beside: {:.2}); told to try again: {} \
         times (beside: {})",
        median(three.least_shares.clone()),
        median(one.least_shares.clone()),
        three.troubles,
        one.troubles
    ));
    table.figure(Figure {
        budget,
        what: format!("{what}, a second"),
        is: median(three.rates.clone()),
        beside: Some(Beside::new(beside, median(one.rates.clone()))),
    });
}

impl Rounds {
    /// One round.
    fn run<W: Writer>(&mut self, mut writers: Vec<W>, round_ms: u64) -> io::Result<()> {
        self.rates.push(rate(&mut writers, round_ms, W::post)?);
        let counts: Vec<usize> = writers.iter_mut().map(|one| one.told().waits.len()).collect();
        let (least, total) = (counts.iter().min().copied().unwrap_or(0), counts.iter().sum());
        self.least_shares.push(share(least, counts.len(), total));
        for writer in &mut writers {
            self.troubles += writer.told().troubles;
        }
        let waits = writers.iter_mut().flat_map(|one| std::mem::take(&mut one.told().waits));
        self.longest.push(waits.fold(0.0, f64::max));
        Ok(())
    }
}

/// What somebody with `count` of `total` has of an equal share among so many.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn share(count: usize, among: usize, total: usize) -> f64 {
    (count * among) as f64 / total.max(1) as f64
}
