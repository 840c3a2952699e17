//! `tern keeper …`: who the community's keepers are, told and changed by whoever holds the cluster's
//! key. It asks a running backend, as `tern cluster …` does.

use clap::{Args, Subcommand};

use super::cluster::target::Target;
use super::cluster::{ClusterError, RawTarget, ask};
use super::config::ConfigError;
use super::error::CliError;
use super::say;
use crate::id::UserName;
use crate::wire::operator::{Answer, Question};

/// What can be asked, as it was typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawKeeper {
    /// Make a member a keeper: they see /mod
    Add(RawNamed),
    /// Let a keeper be one no longer; what they did stays
    Remove(RawNamed),
    /// Who the keepers are
    List(RawListed),
}

/// Options of `tern keeper add` and `remove`.
#[derive(Debug, Args)]
pub(super) struct RawNamed {
    /// The member's user name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    target: RawTarget,
}

/// Options of `tern keeper list`.
#[derive(Debug, Args)]
pub(super) struct RawListed {
    #[command(flatten)]
    target: RawTarget,
}

/// What is asked of a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keeper {
    target: Target,
    question: Question,
}

impl Keeper {
    pub(super) fn check(raw: RawKeeper) -> Result<Self, ConfigError> {
        let set = |raw: RawNamed, is_keeper| {
            let user = UserName::from_input(&raw.name)
                .map_err(|_| ConfigError::UserName { value: raw.name.clone() })?;
            Ok((raw.target, Question::SetKeeper { user, is_keeper }))
        };
        let (target, question) = match raw {
            RawKeeper::Add(raw) => set(raw, true)?,
            RawKeeper::Remove(raw) => set(raw, false)?,
            RawKeeper::List(RawListed { target }) => (target, Question::Keepers),
        };
        Ok(Self { target: Target::check(target)?, question })
    }
}

/// Asks one machine after the other until one answers. Asking for the same again does no harm.
///
/// # Errors
/// [`ClusterError`].
pub(super) fn run(keeper: &Keeper) -> Result<(), CliError> {
    let machines = keeper.target.machines().map_err(|error| match error {
        ClusterError::Alone { path } => ClusterError::AloneUnknown { path },
        other => other,
    })?;
    let keys = keeper.target.keys()?;
    let mut first = None;
    for machine in machines {
        match ask::one(&machine.address, &keys, &keeper.question) {
            Ok(Answer::Keepers { names }) if names.is_empty() => {
                say("no keepers");
                return Ok(());
            }
            Ok(Answer::Keepers { names }) => {
                for name in names {
                    say(&format!("keeper {name}"));
                }
                return Ok(());
            }
            Ok(Answer::Refused { why }) => return Err(ClusterError::Refused(why).into()),
            Ok(_) => first = first.or(Some("it answers another question".to_owned())),
            Err(why) => first = first.or(Some(why)),
        }
    }
    Err(ClusterError::NobodyAnswers { why: first.unwrap_or_default() }.into())
}
