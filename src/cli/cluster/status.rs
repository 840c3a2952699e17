//! `tern cluster status`: asks every machine, and tells what they say together.

use super::report::Report;
use super::target::{Machine, Target};
use super::{ClusterError, ask};
use crate::cli::answer;
use crate::cli::error::CliError;
use crate::clock::Clock;
use crate::wire::operator::{Answer, Question, Seen};
use crate::wire::status::{MachineRow, MachineState};

/// A machine with what it said, or why it said nothing.
pub(super) struct Asked {
    pub(super) machine: Machine,
    pub(super) said: Result<Seen, String>,
}

/// Runs the command.
///
/// # Errors
/// [`ClusterError`]: also when it is done and the machines are not well.
pub(super) fn run(target: &Target, json: bool) -> Result<(), CliError> {
    let (mut machines, keys) = (target.machines()?, target.keys()?);
    if target.is_by_address() {
        let known = ask::members(machines, &keys)?;
        machines = known.into_iter().map(|(machine, _)| machine).collect();
    }
    let heard = ask::each(&machines, &keys, &Question::Status)?;
    let said = heard.into_iter().map(|heard| match heard? {
        Answer::Status(seen) => Ok(seen),
        Answer::NotUnderstood { detail } => Err(detail),
        Answer::Refused { why } => Err(why),
        Answer::Members(_)
        | Answer::Upkeep(_)
        | Answer::Names { .. }
        | Answer::File { .. }
        | Answer::Picture { .. }
        | Answer::NotNow { .. } => Err("it answers another question".to_owned()),
    });
    let asked = machines.into_iter().zip(said).map(|(machine, said)| Asked { machine, said });
    let asked: Vec<_> = asked.collect();
    let whys = asked.iter().filter_map(|one| one.said.as_ref().err()).cloned().collect();
    let report = Report::of(together(asked), Clock::system().wall());
    answer(&if json { report.json() } else { report.words() })?;
    match report.writes() {
        Some(true) => Ok(()),
        Some(false) => Err(ClusterError::NotEnough.into()),
        None => Err(ClusterError::NobodyAnswers { why: ask::all_of(whys) }.into()),
    }
}

/// All machines, as they say together.
pub(super) struct Together {
    /// The view of a machine that is in touch with a majority, if there is one; what the page shows.
    /// None where nobody answered.
    pub(super) seen: Option<Seen>,
    /// Who was asked, by number as far as it is known.
    pub(super) asked: Vec<Asked>,
}

/// The best view, with what each machine says of itself.
pub(super) fn together(mut asked: Vec<Asked>) -> Together {
    for one in &mut asked {
        if let Ok(seen) = &one.said {
            one.machine.node = Some(seen.node);
        }
    }
    // A machine that is cut off tells what is true for itself. Of the others the earliest that knows
    // most to be up: one that has just started has not met all yet.
    let up = |seen: &Seen| {
        let is_up = |row: &&MachineRow| row.state != MachineState::Down;
        seen.seen.machines.iter().filter(is_up).count()
    };
    let views = asked.iter().filter_map(|one| one.said.as_ref().ok());
    let best = views.reduce(|best, next| {
        let rank = |seen: &Seen| (seen.stale_since.is_none(), seen.seen.writes, up(seen));
        if rank(next) > rank(best) { next } else { best }
    });
    let mut seen = best.cloned();
    for row in seen.iter_mut().flat_map(|seen| &mut seen.seen.machines) {
        let own = asked.iter().filter_map(|one| one.said.as_ref().ok());
        let own = own.filter(|own| own.node == row.node).flat_map(|own| &own.seen.machines);
        if let Some(own) = own.into_iter().find(|own| own.node == row.node) {
            (row.name, row.version) = (own.name.clone(), own.version.clone());
            (row.disk_percent, row.talks_to) = (own.disk_percent, own.talks_to.clone());
            (row.refuses, row.damaged) = (own.refuses, own.damaged);
            row.pictures_missing = own.pictures_missing;
        }
    }
    Together { seen, asked }
}
