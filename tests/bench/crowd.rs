//! Crowds: log-ins beside bare Argon2id, what pages take meanwhile, and what memory that takes.

use std::io;
use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, ParamsBuilder, Version};
use tern::limits::{
    GATE_HASH_WAIT_MS, PASSWORD_HASH_KIB, PASSWORD_HASH_PASSES, PASSWORD_HASH_WAIT_MS,
    PASSWORD_HASHES_MAX,
};

use crate::cluster::{PEOPLE, READERS, Town};
use crate::table::{Beside, Figure, Table};
use crate::turns::Turns;
use crate::wrk::Load;
use crate::{Plan, WRITERS, invalid, median, rate};

/// Connections at once: as many as the gate takes, less those that it wants for others.
const CONNECTIONS: usize = 500;
/// What people's log-ins outlast the pages by that are measured beside them, in milliseconds.
const LONGER_MS: u64 = 2_000;
/// Milliseconds after which those are answered whose log-ins were under way when a round ended: what is measured
/// as quiet before that is not.
const OVER_MS: u64 = GATE_HASH_WAIT_MS + PASSWORD_HASH_WAIT_MS;

/// A round of log-ins is so many times longer than others: there are some two hundred in a round, and at its
/// end up to [`WRITERS`] of them have been begun and do not count.
const LOGINS_LONGER: u64 = 2;

/// Hashes one password after the other, in memory of its own.
struct Hashing {
    argon2: Argon2<'static>,
    blocks: Vec<Block>,
}

/// Measures how soon people are signed in, and what pages take meanwhile.
pub(crate) fn measure(town: &Town, plan: &Plan, table: &mut Table) -> io::Result<()> {
    table.figure(beside_hashes(town, "", plan)?);
    pages_meanwhile(town, plan, table)
}

/// The first of these where one backend has the cores for itself.
pub(crate) fn measure_one_backend(town: &Town, plan: &Plan, table: &mut Table) -> io::Result<()> {
    table.figure(beside_hashes(town, ", one backend", plan)?);
    Ok(())
}

/// Measures what crowds take of the memory.
pub(crate) fn measure_memory(town: &mut Town, plan: &Plan, table: &mut Table) -> io::Result<()> {
    signing_in(town, PEOPLE, plan.round_ms).start()?.end()?;
    let when = format!("at its highest, {PEOPLE} log-ins at once");
    table.memory("crowd", &when, &town.memory("VmHWM:")?);
    let cookies = town.people.first().map(crate::person::Person::cookies).unwrap_or_default();
    // Whoever has joined keeps connections open as browsers do, and there is room for 512 in all.
    town.people.clear();
    let load = Load::page(town.cluster.address(), &cookies, CONNECTIONS, plan.round_ms);
    // A machine that is busy with other things sends some of them away for a while, as it should.
    let told = load.start()?.end()?;
    table.note(format!(
        "{CONNECTIONS} connections: {:.0} answers a second, slowest hundredth {:.0} ms, sent away {:.0}",
        told.rate, told.p99_ms, told.wrong
    ));
    let when = format!("at its highest, {CONNECTIONS} connections");
    table.memory("crowd", &when, &town.memory("VmHWM:")?);
    Ok(())
}

/// So many people who sign in again and again.
fn signing_in(town: &Town, at_once: usize, ms: u64) -> Load {
    let words = vec!["login".to_owned(), PEOPLE.to_string(), at_once.to_string()];
    let (url, headers) = (town.cluster.address(), Vec::new());
    Load { url, threads: at_once, connections: at_once, ms, headers, words }
}

fn beside_hashes(town: &Town, how: &str, plan: &Plan) -> io::Result<Figure> {
    // Backends of one machine share its cores, and hash as many at once as there are, or one each.
    let cores = available_parallelism().map_or(1, std::num::NonZero::get).min(PASSWORD_HASHES_MAX);
    let mut bare = (0..cores).map(|_| Hashing::new()).collect::<io::Result<Vec<_>>>()?;
    let round_ms = LOGINS_LONGER * plan.round_ms;
    let load = signing_in(town, WRITERS, round_ms);
    let turns = Turns::take(
        plan.rounds,
        || rate(&mut bare, round_ms, Hashing::hash),
        || {
            let told = load.start()?.end()?;
            if told.refused > 0.0 {
                return Err(invalid(&format!("{} log-ins were refused", told.refused)));
            }
            Ok(told.opened)
        },
    )?;
    let what = format!("log-ins a second, {WRITERS} at once{how}");
    Ok(turns.figure("logins", what, format!("Argon2id alone, {cores} at once")))
}

/// The slowest hundredth of home pages, with and without a crowd that signs in.
fn pages_meanwhile(town: &Town, plan: &Plan, table: &mut Table) -> io::Result<()> {
    let cookies = town.people.last().map(crate::person::Person::cookies).unwrap_or_default();
    let pages = Load::page(town.cluster.address(), &cookies, READERS, plan.round_ms);
    let crowd = signing_in(town, PEOPLE, plan.round_ms + LONGER_MS);
    let (mut quiet, mut busy, mut told_to_wait) = (Vec::new(), Vec::new(), 0.0);
    for _round in 0..plan.rounds {
        sleep(Duration::from_millis(OVER_MS));
        quiet.push(pages.run()?.p99_ms);
        let signing_in = crowd.start()?;
        let told = pages.run()?;
        told_to_wait += signing_in.end()?.refused;
        busy.push(told.p99_ms);
    }
    table.figure(Figure {
        budget: "logins-pages",
        what: format!("{PEOPLE} people log in: 99th percentile of home pages, ms"),
        is: median(busy),
        beside: Some(Beside::new("the same while nobody does", median(quiet))),
    });
    table.note(format!(
        "{PEOPLE} people logging in at once were told {told_to_wait:.0} times to come again in a moment"
    ));
    Ok(())
}

impl Hashing {
    fn new() -> io::Result<Self> {
        let mut params = ParamsBuilder::new();
        params.m_cost(PASSWORD_HASH_KIB).t_cost(PASSWORD_HASH_PASSES).p_cost(1);
        let params = params.build().map_err(|error| invalid(&error.to_string()))?;
        let blocks = vec![Block::new(); params.block_count()];
        Ok(Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), blocks })
    }

    fn hash(&mut self) -> io::Result<()> {
        let mut output = [0; 32];
        let memory = &mut self.blocks;
        (self.argon2)
            .hash_password_into_with_memory(b"seven lamps", &[7; 16], &mut output, memory)
            .map_err(|error| invalid(&error.to_string()))
    }
}
