//! Hot users: one user's clients spread over three coordinators, beside all of them at one.

use std::io;

use crate::client::Client;
use crate::machines::Machines;
use crate::table::{Most, Row, Table, Worst};
use crate::{Plan, median, rate};

/// Clients of one user at once: a crowd, and one web server's stream at each machine.
const CLIENTS: [usize; 2] = [24, 3];

/// What a round of one arrangement gave.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    /// The longest wait of each round.
    longest: Vec<f64>,
    /// Of each round, what the least served client got of its equal share.
    least_shares: Vec<f64>,
    troubles: u64,
}

/// Measures both numbers of clients.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let all = Machines::start(3);
    for count in CLIENTS {
        let (mut one, mut three) = (Rounds::default(), Rounds::default());
        for round in 0..plan.rounds {
            // A name of its own for each round: a file that grows would slow down the later ones.
            let session = all.join(0, &format!("hot_{count}_{round}"));
            one.run(&all, &session, plan, (0, count, 1))?;
            three.run(&all, &session, plan, (1_000, count, 3))?;
        }
        let what = format!("posts of one user, {count} clients at 3 machines");
        let longest = three.longest.iter().copied().fold(0.0, f64::max);
        let beside = one.longest.iter().copied().fold(0.0, f64::max);
        table.worst(Worst {
            what: format!("{what}: longest wait, ms"),
            ours: longest,
            beside: Some(("all at 1 machine".to_owned(), beside)),
            most: Most::Value(1_000.0),
        });
        table.note(format!(
            "{what}: the least served client got {:.2} of its share (at one machine {:.2}); \
             told to try again: {} times (at one machine {})",
            median(three.least_shares),
            median(one.least_shares),
            three.troubles,
            one.troubles
        ));
        table.ratio(Row {
            what,
            ours: median(three.rates),
            beside: "the same clients, all at 1 machine".to_owned(),
            theirs: median(one.rates),
            budget: 0.8,
            least: None,
        });
    }
    Ok(())
}

impl Rounds {
    /// One round of `count` clients, the first with the number `first`, at so many `machines`.
    fn run(
        &mut self,
        all: &Machines,
        session: &str,
        plan: &Plan,
        (first, count, machines): (u64, usize, usize),
    ) -> io::Result<()> {
        let mut clients = (0..count)
            .zip(first..)
            .map(|(n, id)| Client::new(all, n % machines, id, session))
            .collect::<io::Result<Vec<Client>>>()?;
        self.rates.push(rate(&mut clients, plan.round_ms, Client::post)?);
        let counts = clients.iter().map(|client| client.waits.len());
        let (least, total) = (counts.clone().min().unwrap_or(0), counts.sum::<usize>());
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        self.least_shares.push((least * count) as f64 / total.max(1) as f64);
        let waits = clients.iter().flat_map(|client| client.waits.iter().copied());
        self.longest.push(waits.fold(0.0, f64::max));
        self.troubles += clients.iter().map(|client| client.troubles).sum::<u64>();
        Ok(())
    }
}
