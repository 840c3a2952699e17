//! `tern import FILE --as=NAME`: makes an account of what a member took along. The whole file is checked
//! before a machine is asked; then it is sent part by part, each one line of the new account's file.
//!
//! - `file`: reads it; `send`: what goes to a machine.

mod file;
mod send;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};

pub use file::ImportError;

use super::ask::Asker;
use super::{How, RawHow, name, no_password, secret};
use crate::action::ExportList;
use crate::action::import::{OldPost, is_ahead};
use crate::cli::config::{ConfigError, Key};
use crate::cli::error::CliError;
use crate::cli::{answer, answer_once};
use crate::clock::{Clock, Wall};
use crate::id::{Hash128, PostId, UserName};
use crate::limits::{
    BOOKMARKS_MAX, IMPORT_LINE_BYTES, IMPORT_LINE_OVERHEAD_BYTES, IMPORT_MARKS, IMPORT_POSTS,
    IMPORT_ROOM_BYTES, LIKES_MAX, REPOSTS_MAX, USER_FILE_BYTES_MAX, USER_FILE_ROOM_BYTES,
};
use crate::wire::upkeep::Begun;
use file::{Head, Item};
use send::Sender;

/// Options of `tern import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RawImport {
    /// What the member took along at /settings/data: tern.json
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the account that is made [default: that in the file]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    how: RawHow,
}

/// What is imported.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Import {
    file: PathBuf,
    name: Option<UserName>,
    is_dry: bool,
    how: How,
}

impl Import {
    pub(in crate::cli) fn check(raw: RawImport, key: Option<Key>) -> Result<Self, ConfigError> {
        let as_name = raw.name.as_deref().map(name).transpose()?;
        Ok(Self { file: raw.file, name: as_name, is_dry: raw.dry_run, how: raw.how.check(key)? })
    }
}

/// A file that can be imported, as far as can be said without asking.
#[derive(Debug)]
struct Looked {
    head: Head,
    /// The numbers of its posts, ascending.
    ids: Vec<PostId>,
}

/// Runs the command.
///
/// # Errors
/// [`ImportError`] and what asking a machine brings.
pub(in crate::cli) fn run(import: &Import) -> Result<(), CliError> {
    let bytes = file::load(&import.file)?;
    let text = file::text(&bytes)?;
    let looked = look_within(text, Clock::system().wall(), FILE_BYTES_MAX)?;
    let mut digest = [0; 16];
    digest.iter_mut().zip(Sha256::digest(&bytes)).for_each(|(to, from)| *to = from);
    let user = import.name.clone().unwrap_or_else(|| looked.head.profile.username.clone());
    let password = secret::fresh()?;
    let asker = Asker::new(&import.how.target)?;
    let mut sender = Sender::new(asker, (user.clone(), Hash128(digest), import.is_dry), &looked);
    let state = sender.begin(&password)?;
    let json = import.how.json;
    // At once: what is broken off later goes on without it.
    let made = (state == Begun::New && !import.is_dry).then_some(password.as_str());
    if let Some(password) = made.filter(|_| !json) {
        answer_once(&format!("{user} has an account\npassword: {password}"), || {
            format!("{}; the same import again goes on", no_password(&user))
        })?;
    }
    if state == Begun::Done {
        return answer(&if json {
            json!({ "done": "import", "user": user, "state": state }).to_string()
        } else {
            format!("{user} was imported from this file before: nothing is left to do")
        });
    }
    if state == Begun::GoesOn && !json {
        answer(&format!(
            "{user} was begun before, with a password that was printed then; it goes on (for another \
             one: tern user passwd {user})"
        ))?;
    }
    sender.send_all(text)?;
    if json {
        let mut told = json!({
            "done": "import", "user": user, "state": state, "dry_run": import.is_dry,
            "took": sender.totals(),
        });
        if let (Some(password), Some(fields)) = (made, told.as_object_mut()) {
            fields.insert("password".to_owned(), password.into());
            return answer_once(&told.to_string(), || no_password(&user));
        }
        return answer(&told.to_string());
    }
    sender.summary().iter().try_for_each(|line| answer(line))?;
    if import.is_dry { answer("nothing was changed") } else { Ok(()) }
}

/// Bytes that an import may take of a user's file.
const FILE_BYTES_MAX: usize = USER_FILE_BYTES_MAX - USER_FILE_ROOM_BYTES - IMPORT_ROOM_BYTES;

/// Reads the whole file, and finds what is wrong with it. It may take `max` bytes of a user's file.
fn look_within(text: &str, now: Wall, max: usize) -> Result<Looked, ImportError> {
    let mut ids: Vec<PostId> = Vec::new();
    let mut bytes = 0;
    let mut marks = [(ExportList::Likes, 0, LIKES_MAX), (ExportList::Reposts, 0, REPOSTS_MAX)]
        .into_iter()
        .chain([(ExportList::Bookmarks, 0, BOOKMARKS_MAX)])
        .collect::<Vec<_>>();
    let head = file::read(text, &mut |item| match item {
        Item::Post(post) => {
            let id = post.id;
            if let Some(&before) = ids.last().filter(|before| **before >= id) {
                return Err(ImportError::Order { id, before });
            }
            let checked = OldPost::from(post).check(now);
            bytes += checked.map_err(|flaw| ImportError::Post { id, flaw })?.bytes();
            ids.push(id);
            Ok(())
        }
        Item::Mark(list, mark) => {
            if mark.at.is_some_and(|at| is_ahead(at, now)) {
                return Err(ImportError::Ahead(list.as_str()));
            }
            for (_, count, max) in marks.iter_mut().filter(|(of, ..)| *of == list) {
                *count += 1;
                if count > max {
                    return Err(ImportError::TooMany { list: list.as_str(), max: *max });
                }
            }
            Ok(())
        }
    })?;
    if is_ahead(head.profile.joined_at, now) {
        return Err(ImportError::Ahead("joined_at"));
    }
    let named = head.follows.len() + head.mutes.len() + head.blocks.len();
    let marked = named + marks.iter().map(|(_, count, _)| count).sum::<usize>();
    // Each entry of a mark, with a name and a number at their longest, is shorter.
    bytes += marked * 128;
    let lines = ids.len() / IMPORT_POSTS + bytes / IMPORT_LINE_BYTES + marked / IMPORT_MARKS + 16;
    bytes += lines * IMPORT_LINE_OVERHEAD_BYTES;
    if bytes > max {
        return Err(ImportError::TooMuch { bytes, max });
    }
    Ok(Looked { head, ids })
}
