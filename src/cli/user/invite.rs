//! `tern invite …`: codes with which others may join.

use clap::{Args, Subcommand};
use serde_json::json;

use super::ask::Asker;
use super::{How, RawHow, answers_otherwise, name, number, rfc, secret};
use crate::action::code_hash;
use crate::cli::cluster::ClusterError;
use crate::cli::config::{ConfigError, Key};
use crate::cli::error::CliError;
use crate::cli::{answer, answer_once};
use crate::id::UserName;
use crate::limits::{INVITATION_DAYS_MAX, INVITATION_USES_MAX};
use crate::order::sort_by_key;
use crate::wire::upkeep::{CodeRow, Order, Told};

/// Digits of a code's hash that a list shows, and that name it: chance does not make two of them alike.
const DIGITS_SHOWN: usize = 12;

/// What can be done with invitations, as it was typed.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RawInvite {
    /// Make a code with which others may join; it is printed once
    ///
    /// It is written in the name of a keeper, or of another member where members invite.
    New(RawNew),
    /// Which codes there are, and who joined with them
    List(RawList),
    /// Let nobody join with a code any more
    Revoke(RawRevoke),
}

/// Options of `tern invite new`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RawNew {
    /// How many may join with it, 1 to 100
    #[arg(long, value_name = "N", default_value = "1")]
    uses: String,
    /// For how many days, 1 to 90
    #[arg(long, value_name = "N", default_value = "14")]
    days: String,
    /// In whose name [default: the first keeper's by name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern invite list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RawList {
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern invite revoke`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RawRevoke {
    /// The code itself, or what the list calls it
    #[arg(value_name = "CODE")]
    code: String,
    #[command(flatten)]
    how: RawHow,
}

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Invite {
    how: How,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    New { uses: u32, days: u32, by: Option<UserName> },
    List,
    Revoke { code: String },
}

impl Invite {
    pub(in crate::cli) fn check(raw: RawInvite, key: Option<Key>) -> Result<Self, ConfigError> {
        let most = |max: u32| u16::try_from(max).unwrap_or(u16::MAX);
        let (how, what) = match raw {
            RawInvite::New(raw) => {
                let uses = number("uses", raw.uses, [1, most(INVITATION_USES_MAX)])?;
                let days = number("days", raw.days, [1, most(INVITATION_DAYS_MAX)])?;
                let by = raw.by.as_deref().map(name).transpose()?;
                (raw.how, What::New { uses, days, by })
            }
            RawInvite::List(raw) => (raw.how, What::List),
            RawInvite::Revoke(raw) => (raw.how, What::Revoke { code: raw.code }),
        };
        Ok(Self { how: how.check(key)?, what })
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub(in crate::cli) fn run(invite: &Invite) -> Result<(), CliError> {
    let mut asker = Asker::new(&invite.how.target)?;
    let json = invite.how.json;
    match &invite.what {
        What::New { uses, days, by } => {
            let code = secret::fresh()?;
            let hash = code_hash(&code);
            let order =
                Order::Invite { code: hash.clone(), uses: *uses, days: *days, by: by.clone() };
            let Told::By { user: by } = asker.ask(&order)? else { return Err(answers_otherwise()) };
            let id = short(&hash.0);
            let text = if json {
                json!({ "done": "new", "code": code, "id": id, "by": by, "uses": uses, "days": days })
                    .to_string()
            } else {
                format!("in the name of {by}\ncode: {code}")
            };
            answer_once(&text, || {
                format!(
                    "an invitation was made in the name of {by}, but its code could not be shown: tern \
                     invite revoke {id} ends it"
                )
            })
        }
        What::List => {
            let rows = all(&mut asker)?;
            if json {
                let rows: Vec<_> = rows.iter().map(row_json).collect();
                answer(&json!({ "invitations": rows }).to_string())
            } else if rows.is_empty() {
                answer("no invitations")
            } else {
                rows.iter().try_for_each(|row| answer(&line(row)))
            }
        }
        What::Revoke { code } => {
            let row = find(all(&mut asker)?, code)?;
            asker.ask(&Order::EndInvitation { code: row.code.clone() })?;
            let id = short(&row.code.0);
            answer(&if json {
                json!({ "done": "revoke", "id": id, "by": row.by }).to_string()
            } else {
                format!("nobody joins with {id} any more")
            })
        }
    }
}

fn all(asker: &mut Asker) -> Result<Vec<CodeRow>, CliError> {
    let (mut after, mut rows) = (None, Vec::new());
    loop {
        let Told::Invitations { codes, more_after } =
            asker.ask(&Order::Invitations { after: after.take() })?
        else {
            return Err(answers_otherwise());
        };
        rows.extend(codes);
        match more_after {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    sort_by_key(&mut rows, |row| std::cmp::Reverse(row.made_at));
    Ok(rows)
}

/// The one that was meant: by its code, else by the beginning of its hash.
fn find(rows: Vec<CodeRow>, typed: &str) -> Result<CodeRow, ClusterError> {
    let hash = code_hash(typed);
    let begins = typed.trim().to_ascii_lowercase();
    let is_meant = |row: &CodeRow| {
        row.code == hash || (begins.len() >= DIGITS_SHOWN && row.code.0.starts_with(&begins))
    };
    let mut found = rows.into_iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row),
        _ => Err(ClusterError::Refused("there is no such invitation: tern invite list".to_owned())),
    }
}

fn short(hash: &str) -> &str {
    hash.get(..DIGITS_SHOWN).unwrap_or(hash)
}

fn row_json(row: &CodeRow) -> serde_json::Value {
    json!({
        "id": short(&row.code.0), "by": row.by, "made_at": rfc(row.made_at), "until": rfc(row.until),
        "uses": row.uses, "used_by": row.used_by,
    })
}

fn line(row: &CodeRow) -> String {
    let used: Vec<_> = row.used_by.iter().map(UserName::as_str).collect();
    let used = if used.is_empty() { "nobody".to_owned() } else { used.join(", ") };
    let (id, by, until) = (short(&row.code.0), &row.by, rfc(row.until));
    format!("{id}  by {by}  until {until}  used {} of {} by {used}", row.used_by.len(), row.uses)
}
