//! One question to every machine at once, each on a connection and a thread of its own.

use std::time::Duration;

use super::ClusterError;
use super::target::Machine;
use crate::cli::error::chain;
use crate::json;
use crate::limits::{
    OPERATOR_ANSWER_MS, OPERATOR_DIAL_MS, OPERATOR_ROUNDS_MAX, RESPONSE_BYTES_MAX,
};
use crate::replica::barrier::Phase;
use crate::thread::spawn_named;
use crate::transport::connection::{Connection, dial};
use crate::transport::{Keys, Role, TransportError};
use crate::wire::operator::{Answer, Held, Question};

/// What a machine answered, or why it did not.
pub(in crate::cli) type Heard = Result<Answer, String>;

/// Asks each machine, and returns the answers in the same order. Takes two seconds at most, apart
/// from resolving names.
///
/// # Errors
/// When the system has no thread.
pub(super) fn each(
    machines: &[Machine],
    keys: &Keys,
    question: &Question,
) -> Result<Vec<Heard>, ClusterError> {
    std::thread::scope(|scope| {
        let mut asking = Vec::new();
        for (number, machine) in (1_u32..).zip(machines) {
            let ask = move |_permit| one(&machine.address, keys, question);
            asking.push(spawn_named(scope, &format!("ask-{number}"), ask)?);
        }
        let heard = asking.into_iter().map(|one| match one.join() {
            Ok(heard) => heard,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        Ok(heard.collect())
    })
}

/// Asks machines for their lists of members, then those that the lists name, and so on: somebody who knows
/// the address of one machine need not know all, and none is taken for gone that nobody asked. Each machine
/// with what it told; each round takes as long as [`each`].
///
/// # Errors
/// As [`each`].
pub(super) fn members(
    machines: Vec<Machine>,
    keys: &Keys,
) -> Result<Vec<(Machine, Heard)>, ClusterError> {
    let (mut asked, mut next) = (Vec::new(), machines);
    for _ in 0..OPERATOR_ROUNDS_MAX {
        let heard = each(&next, keys, &Question::Members)?;
        asked.extend(next.into_iter().zip(heard));
        next = unasked(&asked);
        if next.is_empty() {
            break;
        }
    }
    Ok(asked)
}

/// The machines that lists name of which nobody has answered, at addresses where nobody was asked.
fn unasked(asked: &[(Machine, Heard)]) -> Vec<Machine> {
    let held: Vec<&Held> = asked.iter().filter_map(|(_, heard)| list(heard)).collect();
    // One that was opened leaves those behind that have left.
    let before = |one: &&Held| one.phase != Phase::Open;
    let before = held.iter().copied().filter(before).flat_map(|one| &one.offer.before);
    let lists = held.iter().map(|one| &one.offer.current).chain(before);
    let mut found: Vec<Machine> = Vec::new();
    for one in lists.flat_map(|list| &list.members) {
        let is_it = |held: &&Held| {
            held.node == one.node && one.incarnation.is_none_or(|life| life == held.incarnation)
        };
        let known = asked.iter().map(|(machine, _)| machine).chain(&found);
        let is_known = known.into_iter().any(|machine| machine.address == one.address);
        // A machine that is alone names no address.
        if !is_known && !held.iter().any(is_it) && !one.address.ends_with(":0") {
            found.push(Machine { node: Some(one.node), address: one.address.clone() });
        }
    }
    found
}

/// The list of members that a machine told.
fn list(heard: &Heard) -> Option<&Held> {
    match heard {
        Ok(Answer::Members(held)) => Some(held),
        _ => None,
    }
}

/// Why nobody answered: one machine may be down, and another have another key.
pub(in crate::cli) fn all_of(mut whys: Vec<String>) -> String {
    whys.dedup();
    whys.join("; ")
}

/// Asks one machine.
pub(in crate::cli) fn one(address: &str, keys: &Keys, question: &Question) -> Heard {
    let mut connection = connect(address, keys).map_err(|error| chain(&error))?;
    let wait = Duration::from_millis(OPERATOR_ANSWER_MS);
    exchange(&mut connection, question, (RESPONSE_BYTES_MAX, wait)).map(|(answer, _)| answer)
}

/// A connection to a machine, under the operator's key.
///
/// # Errors
/// Why there is none.
pub(in crate::cli) fn connect(address: &str, keys: &Keys) -> Result<Connection, TransportError> {
    let wait = Duration::from_millis(OPERATOR_DIAL_MS);
    dial(address, Role::Operator, keys, wait)
}

/// Asks one thing on a connection. The answer, of so many bytes at most and begun within so long, and
/// what comes with it.
///
/// # Errors
/// Why there is none; then the connection is of no use any more.
pub(in crate::cli) fn exchange(
    connection: &mut Connection,
    question: &Question,
    (bytes_max, wait): (usize, Duration),
) -> Result<(Answer, Vec<u8>), String> {
    let question = serde_json::to_vec(question).map_err(|error| chain(&error))?;
    connection.send(&question, &[], wait).map_err(|error| chain(&error))?;
    let frame = connection.receive(bytes_max, wait).map_err(|error| chain(&error))?;
    let address = connection.addr();
    match json::parse(&frame.header) {
        Ok(Answer::NotUnderstood { detail }) => Err(format!(
            "{address} runs another version, which does not know this question: {detail}"
        )),
        Ok(answer) => Ok((answer, frame.body)),
        Err(error) => Err(format!("{address} answers what makes no sense: {error}")),
    }
}
