//! `tern cluster add`, `remove`, `replace` and `upgrade finish`: makes a list of members out of what
//! the machines hold and what is wanted, and begins the change.
//!
//! A new machine's directory is made here; its backend copies first and then tells the old machines by
//! itself. A change without a new machine is told to all that can be reached.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::init::cluster_of;
use super::plan::{PlanError, Resolve, Wish, earlier, listed, machines, plan};
use super::target::{Machine, Target};
use super::{ClusterError, ask, local, random};
use crate::cli::answer;
use crate::cli::error::CliError;
use crate::cli::owner::Owner;
use crate::id::{Hash128, NodeId};
use crate::replica::barrier::Seat;
use crate::transport::Keys;
use crate::wire::message::{FEATURES, Offer};
use crate::wire::operator::{Answer, Held, Question};

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum What {
    Add(Vec<(NodeId, String)>),
    Replace(NodeId, Option<String>),
    Remove(NodeId),
    Upgrade,
}

/// A change, as it was typed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Change {
    pub(super) target: Target,
    pub(super) what: What,
    pub(super) resolve: Resolve,
    pub(super) yes: bool,
}

/// The lists that the machines hold.
struct Known {
    held: Vec<Held>,
    /// The machines that were asked.
    machines: Vec<Machine>,
    /// Whether the machines are stopped, in this directory.
    is_stopped: bool,
}

/// Runs the command.
///
/// # Errors
/// [`ClusterError`].
pub(super) fn run(change: &Change) -> Result<(), CliError> {
    // Once, for the key may come through a pipe.
    let keys = change.target.keys()?;
    let cluster = cluster_of(&keys)?;
    let known = known(change, &keys)?;
    let wish = wish(&change.what)?;
    let offer = plan(&known.held, &wish, change.resolve).map_err(ClusterError::from)?;
    if let (What::Upgrade, Some(error)) = (&change.what, earlier(&known.held, &offer)) {
        return Err(ClusterError::from(error).into());
    }
    let fresh = fresh(&wish);
    let directories = directories(change, &fresh)?;
    for (_, path) in &directories {
        local::check_place(path, change.target.run_cluster().is_some())?;
    }
    confirm(change, &offer, &directories)?;
    if fresh.is_empty() {
        return begin(change, &keys, &known, &offer);
    }
    // That it cannot be told leaves no machine out.
    let mut told = Ok(());
    for (seat, path) in &directories {
        let owner = Owner::of(path)?;
        if let Some(old) = left_over(change, path)? {
            told = told.and(answer(&format!("what was left of it was moved to {}", old.display())));
        }
        local::learner(path, cluster, *seat, &offer)?;
        owner.take_all(path)?;
        if let Some(key) = change.target.key_path() {
            owner.take(&key)?;
        }
        told = told.and(answer(&format!("machine {} is set up in {}", seat.node, path.display())));
    }
    told.and(answer(&next_words(change, &offer, &directories)))
}

/// What the machines hold: from their directories if they are stopped, else from themselves.
fn known(change: &Change, keys: &Keys) -> Result<Known, CliError> {
    let here = change.target.run_cluster();
    if let Some(data) = here
        && let Some(held) = local::held(data)?
    {
        return Ok(Known { held, machines: Vec::new(), is_stopped: true });
    }
    let heard = ask::members(change.target.machines()?, keys)?;
    let mut held = Vec::new();
    let mut machines = Vec::new();
    let mut whys = Vec::new();
    for (machine, heard) in heard {
        machines.push(machine);
        match heard {
            Ok(Answer::Members(one)) => held.push(one),
            Ok(_) => whys.push("it answers another question".to_owned()),
            Err(error) => whys.push(error),
        }
    }
    if held.is_empty() {
        return Err(ClusterError::NobodyAnswers { why: ask::all_of(whys) }.into());
    }
    Ok(Known { held, machines, is_stopped: false })
}

fn wish(what: &What) -> Result<Wish, ClusterError> {
    Ok(match what {
        What::Add(machines) => {
            let fresh =
                |(node, address): &(NodeId, String)| Ok((*node, random()?, address.clone()));
            Wish::Add(machines.iter().map(fresh).collect::<Result<_, ClusterError>>()?)
        }
        What::Replace(node, address) => Wish::Replace(*node, random()?, address.clone()),
        What::Remove(node) => Wish::Remove(*node),
        What::Upgrade => Wish::Upgrade(FEATURES),
    })
}

/// The machines that are new by a wish.
fn fresh(wish: &Wish) -> Vec<Seat> {
    let seat = |node, incarnation: Hash128| Seat { node, incarnation };
    match wish {
        Wish::Add(machines) => machines.iter().map(|(node, inc, _)| seat(*node, *inc)).collect(),
        Wish::Replace(node, incarnation, _) => vec![seat(*node, *incarnation)],
        Wish::Remove(_) | Wish::Upgrade(_) => Vec::new(),
    }
}

/// Where the new machines' directories are made.
fn directories(change: &Change, fresh: &[Seat]) -> Result<Vec<(Seat, PathBuf)>, ClusterError> {
    if let Some(data) = change.target.run_cluster() {
        let path = |seat: &Seat| (*seat, data.join(format!("node-{}", seat.node)));
        return Ok(fresh.iter().map(path).collect());
    }
    let data = change.target.data();
    match fresh {
        [] => Ok(Vec::new()),
        [one] => Ok(vec![(*one, data.to_owned())]),
        _ => Err(ClusterError::OneAtATime),
    }
}

/// Moves away what is left in a machine's place in the directory of `tern run-cluster`.
fn left_over(change: &Change, path: &Path) -> Result<Option<PathBuf>, ClusterError> {
    if change.target.run_cluster().is_some() { local::move_aside(path) } else { Ok(None) }
}

/// What will happen, once somebody has said yes.
fn words(what: &What, offer: &Offer) -> String {
    let before = offer.before.as_ref().map(machines).unwrap_or_default();
    let now = machines(&offer.current);
    match what {
        What::Add(_) => format!("the cluster of {before} will be one of {now}"),
        What::Replace(node, _) => format!(
            "machine {node} will be replaced by a new one, which copies what the others hold; the machine \
             that had its place so far will be no member any more"
        ),
        What::Remove(node) => format!("machine {node} will leave, and {now} go on without it"),
        What::Upgrade => {
            "all machines will use what only this version understands; earlier versions can \
                          not be started any more then"
                .to_owned()
        }
    }
}

/// Says that, and asks.
fn confirm(
    change: &Change,
    offer: &Offer,
    directories: &[(Seat, PathBuf)],
) -> Result<(), CliError> {
    answer(&words(&change.what, offer))?;
    if change.resolve.force {
        answer(&format!("the cluster is then {}", machines(&offer.current)))?;
    }
    for list in offer.before.iter().filter(|list| !list.given_up.is_empty()) {
        let lost = listed(list.given_up.iter().copied());
        answer(&format!(
            "{lost} given up: what was saved there and has not reached {} is lost, also what \
             was confirmed. Make sure that {lost} never runs again with the old directory",
            machines(list)
        ))?;
    }
    for (_, path) in directories {
        answer(&format!("its directory will be made in {}", path.display()))?;
    }
    if change.yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(ClusterError::NotConfirmed.into());
    }
    let mut out = std::io::stdout().lock();
    let mut line = String::new();
    let asked = write!(out, "Go on? [y/N] ").and_then(|()| out.flush());
    asked.and_then(|()| stdin.lock().read_line(&mut line)).map_err(ClusterError::Terminal)?;
    if line.trim().eq_ignore_ascii_case("y") {
        Ok(())
    } else {
        Err(ClusterError::NotConfirmed.into())
    }
}

/// Has the machines take on a list without new machines.
fn begin(change: &Change, keys: &Keys, known: &Known, offer: &Offer) -> Result<(), CliError> {
    if known.is_stopped
        && let Some(data) = change.target.run_cluster()
    {
        local::adopt(data, offer)?;
        let count = offer.current.members.len();
        return answer(&format!(
            "done; it takes effect with the next tern run-cluster --backends={count}"
        ));
    }
    let question = Question::Adopt(offer.clone());
    let heard = ask::each(&known.machines, keys, &question)?;
    let has = |heard: &ask::Heard| matches!(heard, Ok(Answer::Members(one)) if one.offer.current.epoch == offer.current.epoch);
    if !heard.iter().any(has) {
        let why = heard.into_iter().find_map(|one| match one {
            Ok(Answer::Refused { why }) | Err(why) => Some(why),
            Ok(_) => None,
        });
        return Err(ClusterError::NobodyAnswers { why: why.unwrap_or_default() }.into());
    }
    answer("begun; tern cluster status tells how far it is")
}

fn next_words(change: &Change, offer: &Offer, directories: &[(Seat, PathBuf)]) -> String {
    let count = offer.current.members.len();
    if let Some(data) = change.target.run_cluster() {
        let data = data.display();
        return format!("next: tern run-cluster --backends={count} --data={data}");
    }
    let of = |node: NodeId| offer.current.members.iter().find(|one| one.node == node);
    let start = |(seat, path): &(Seat, PathBuf)| {
        let address = of(seat.node).map(|one| one.address.clone()).unwrap_or_default();
        let (node, data) = (seat.node, path.display());
        let key = change.target.key_path();
        let key = key.map(|key| format!(" --key-file={}", key.display())).unwrap_or_default();
        format!(
            "next, on this machine: tern backend --node={node} --listen={address} --data={data}{key}; it \
             copies what the others hold, then takes its place by itself"
        )
    };
    directories.iter().map(start).collect::<Vec<_>>().join("\n")
}

impl From<PlanError> for ClusterError {
    fn from(error: PlanError) -> Self {
        let why = error.to_string();
        if error.is_too_few() { Self::TooFew(why) } else { Self::Refused(why) }
    }
}
