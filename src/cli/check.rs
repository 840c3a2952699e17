//! `tern check`: a look at a data directory that no process uses.

use std::path::{Path, PathBuf};

use clap::Args;

use super::cluster::local::machines;
use super::error::{CliError, chain};
use super::owner::Owner;
use super::{answer, harmless, key};
use crate::order::sort_by;
use crate::store::StoreError;
use crate::store::check::{Checked, Finding, Kind, Mend, Others, check, repair};
use crate::transport::KeyError;
use crate::transport::key::{ClusterKey, Keys};

/// Options of `tern check`.
#[derive(Debug, PartialEq, Eq, Args)]
pub(super) struct RawCheck {
    /// A machine's data directory
    #[arg(value_name = "DIR")]
    pub data: PathBuf,
    /// Mend what a start would mend: set damaged files aside, cut torn ends off
    #[arg(long)]
    pub repair: bool,
    /// One JSON object instead of words
    #[arg(long)]
    pub json: bool,
}

/// Why the command ends with another code than 0.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The directory cannot be looked at.
    #[error("cannot check")]
    Store(#[from] StoreError),
    /// It is several machines'.
    #[error(
        "{} is the directory of tern run-cluster: check its machines one by one, as in {}",
        path.display(), first.display()
    )]
    Several {
        /// Which.
        path: PathBuf,
        /// The first machine's.
        first: PathBuf,
    },
    /// Something is wrong, and no start is kept from succeeding by it.
    #[error("{} is not as it should be: {count} findings", path.display())]
    Found {
        /// Which.
        path: PathBuf,
        /// How much.
        count: usize,
    },
    /// It cannot be started like this.
    #[error("{} cannot be used by this program as it is; nothing was touched", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
    },
}

impl CheckError {
    /// The exit code.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::Found { .. } => 1,
            Self::Several { .. } => 2,
            Self::Store(_) | Self::Unusable { .. } => 3,
        }
    }
}

/// What the command tells, as JSON.
#[derive(serde::Serialize)]
struct Told<'a> {
    path: String,
    #[serde(flatten)]
    checked: &'a Checked,
    /// What was mended.
    mended: &'a [Finding],
}

/// Runs the command.
///
/// # Errors
/// [`CheckError`]: also when it is done and something is wrong.
pub(super) fn run(options: &RawCheck) -> Result<(), CliError> {
    let mut told = String::new();
    let looked = look(options, &mut told);
    if !told.is_empty() {
        answer(&told)?;
    }
    looked
}

/// Looks, and says in `told` what there is.
fn look(options: &RawCheck, told: &mut String) -> Result<(), CliError> {
    let path = options.data.as_path();
    if !path.join("node.json").exists()
        && let Some((_, first)) = machines(path).into_iter().next()
    {
        return Err(CheckError::Several { path: path.to_owned(), first }.into());
    }
    let mut checked = checked(path)?;
    let owner = Owner::of(path)?;
    let mut mended = Vec::new();
    if options.repair && !is_beyond_repair(&checked) && checked.findings.iter().any(can_mend) {
        repair(path).map_err(CheckError::from)?;
        let mut after = self::checked(path)?;
        // Nothing was kept from its account before: root made it just now.
        let denied = |finding: &&Finding| finding.kind == Kind::Denied;
        let made: Vec<_> =
            after.findings.iter().filter(denied).map(|it| path.join(&it.file)).collect();
        if !made.is_empty() {
            made.iter().try_for_each(|file| owner.take(file))?;
            after = self::checked(path)?;
        }
        let before = std::mem::replace(&mut checked, after);
        // What else was wrong with a file went with it.
        let is_mended =
            |finding: &Finding| can_mend(finding) && !checked.findings.contains(finding);
        mended = before.findings.into_iter().filter(is_mended).collect();
    }
    *told = if options.json {
        spelt(&Told { path: path.display().to_string(), checked: &checked, mended: &mended })
    } else {
        lines(path, &checked, &mended).join("\n")
    };
    if is_unusable(&checked) {
        return Err(CheckError::Unusable { path: path.to_owned() }.into());
    }
    match checked.findings.len() {
        0 => Ok(()),
        count => Err(CheckError::Found { path: path.to_owned(), count }.into()),
    }
}

/// What the store finds, and what keeps a start from reading the key there.
fn checked(path: &Path) -> Result<Checked, CheckError> {
    // `tern run-cluster` may have its machines beside this one.
    let machine = |(_, path): (_, PathBuf)| Some(path.file_name()?.to_str()?.to_owned());
    let machines: Vec<String> = machines(path).into_iter().filter_map(machine).collect();
    let others = Others { files: &[key::FILE_NAME], directories: &machines };
    let mut checked = check(path, others)?;
    if let Some(what) = key_fault(&path.join(key::FILE_NAME), &checked) {
        let file = key::FILE_NAME.to_owned();
        checked.findings.retain(|finding| finding.file != file);
        checked.findings.push(Finding { file, kind: Kind::Key, line: None, what });
        sort_by(&mut checked.findings, |one, other| one.file.cmp(&other.file));
    }
    Ok(checked)
}

/// Why the key cannot be used; only one that `tern serve` starts must have it in its directory.
fn key_fault(path: &Path, checked: &Checked) -> Option<String> {
    let served = checked.node.filter(|node| node.is_alone && node.is_unlisted);
    let is_there = path.symlink_metadata().is_ok();
    match ClusterKey::read(path) {
        _ if !is_there && served.is_none() => None,
        Err(KeyError::Missing { path }) if !is_there => Some(KeyError::Gone { path }.to_string()),
        Err(error) => Some(chain(&error)),
        Ok(key) => served
            .is_some_and(|node| Keys::from(&key).cluster_id() != Some(node.cluster))
            .then(|| "it is another cluster's".to_owned()),
    }
}

/// Whether `--repair` does something about it.
fn can_mend(finding: &Finding) -> bool {
    matches!(finding.kind.mend(), Mend::Start | Mend::Aside | Mend::Repair)
}

/// Whether no start succeeds with it as it is.
fn is_unusable(checked: &Checked) -> bool {
    let keeps_off = |kind: Kind| matches!(kind.mend(), Mend::Unusable | Mend::Repair);
    checked.findings.iter().any(|finding| keeps_off(finding.kind))
}

/// Whether `--repair` makes it no better.
fn is_beyond_repair(checked: &Checked) -> bool {
    let has = |mend| checked.findings.iter().any(|finding| finding.kind.mend() == mend);
    // Alone there is nobody who gives back what is set aside.
    has(Mend::Unusable) || (has(Mend::Repair) && checked.node.is_none_or(|node| node.is_alone))
}

fn lines(path: &Path, checked: &Checked, mended: &[Finding]) -> Vec<String> {
    let of_mended = |it: &Finding| format!("mended: {}: {}", named(it), mended_words(it.kind));
    let is_alone = checked.node.is_some_and(|node| node.is_alone);
    let of_found = |finding: &Finding| {
        let alone = is_alone.then(|| remedy_alone(finding.kind)).flatten();
        let remedy = alone.unwrap_or_else(|| remedy(finding.kind));
        format!("{}: {} ({remedy})", named(finding), harmless(&finding.what))
    };
    let mut lines: Vec<String> = mended.iter().map(of_mended).collect();
    lines.extend(checked.findings.iter().map(of_found));
    let Checked { users, bytes, pictures, pictures_unneeded, findings, .. } = checked;
    let state = if findings.is_empty() { "nothing is wrong" } else { "see above" };
    let of_pictures = match (pictures, pictures_unneeded) {
        (0, _) => String::new(),
        (all, Some(unneeded @ 1..)) => {
            format!(" and {all} of pictures, {unneeded} of which no post refers to")
        }
        (all, _) => format!(" and {all} of pictures"),
    };
    let files = if *users == 1 { "user's file" } else { "users' files" };
    let read = format!("{users} {files}{of_pictures}, {bytes} bytes read");
    lines.push(format!("{}: {read}: {state}", path.display()));
    lines
}

fn named(finding: &Finding) -> String {
    let file = if finding.file.is_empty() { "the directory" } else { &finding.file };
    let file = harmless(file);
    finding.line.map_or_else(|| file.clone(), |line| format!("{file}, line {line}"))
}

const fn mended_words(kind: Kind) -> &'static str {
    match kind {
        Kind::TornEnd => "the torn end was cut off",
        Kind::DamagedLine | Kind::Unreadable => {
            "set aside in damaged/ and marked; what is intact of it has its place"
        }
        Kind::DamagedPicture => "set aside in damaged/",
        Kind::Copied => "both were set aside in damaged/ and marked",
        _ => "removed",
    }
}

/// What is another matter where no other machine holds anything.
const fn remedy_alone(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::DamagedLine | Kind::Unreadable => {
            "the next start sets it aside, or --repair; what is not intact of it only a backup holds"
        }
        Kind::DamagedPicture => "only a backup holds it; --repair sets it aside",
        Kind::MissingPicture => "only a backup holds it",
        Kind::Marked => "what is not intact of it only a backup holds",
        Kind::Ahead => "it is an old copy of node.json: restore the newest backup",
        Kind::Empty => {
            "left by a crash before anything was saved, or emptied: then only a backup holds it"
        }
        Kind::Copied => {
            "no start succeeds: put back what stood there, or restore the newest backup"
        }
        Kind::Identity => {
            "put it back as it was last, or restore the newest backup: see \"All is lost\" in RUN.md"
        }
        _ => return None,
    })
}

const fn remedy(kind: Kind) -> &'static str {
    match kind {
        Kind::TornEnd => {
            "nobody was told that it is saved; the next start cuts it off, or --repair"
        }
        Kind::DamagedLine | Kind::Unreadable => {
            "the next start sets it aside, or --repair; then the other machines give it back"
        }
        Kind::DamagedPicture => {
            "the running machine fetches it from the others; --repair sets it aside"
        }
        Kind::MissingPicture => "the running machine fetches it from the others",
        Kind::LeftOver => "the next start removes it, or --repair",
        Kind::Marked => "once the machine runs, the others give it back",
        Kind::Ahead => "leave it; start the machine, and replace it if it is turned away",
        Kind::Empty => {
            "left by a crash before anything was saved, or emptied: then the other machines hold it, and \
             this one is to be replaced"
        }
        Kind::Copied => {
            "no start succeeds; if it was made on this machine alone, --repair sets both aside, and the other \
             machines give them back"
        }
        Kind::Key => "no start that reads it succeeds",
        Kind::Foreign => "left alone",
        Kind::WrongName => "left alone, and not read",
        Kind::WrongMode => "chmod u=rwX,go= it",
        Kind::WrongOwner => "chown it to the directory's",
        Kind::Denied => {
            "no start as that account succeeds: chown it to the directory's, and chmod u=rwX,go= it"
        }
        Kind::Newer => "take a newer version of the program",
        Kind::Identity => "see \"A machine is replaced\" in RUN.md; the others hold every post",
        Kind::Unfinished => "remove the directory and restore again",
        Kind::NoDirectory | Kind::NoFile => "move it out of the way",
    }
}

#[expect(clippy::expect_used, reason = "strings and numbers in structs have a JSON")]
fn spelt(told: &Told<'_>) -> String {
    serde_json::to_string(told).expect("this type has a JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_as_they_are_and_steer_no_terminal() {
        let finding = |file: &str, what: &str| Finding {
            file: file.to_owned(),
            kind: Kind::Foreign,
            line: None,
            what: what.to_owned(),
        };
        let found = [
            finding("users/it's.jsonl", "a member's file, \"größe\""),
            finding("users/a\n\u{1b}[2J\u{202e}", "c:\\d"),
        ];
        let told = |finding: &Finding| {
            let checked = Checked { findings: vec![finding.clone()], ..Checked::default() };
            lines(Path::new("d"), &checked, &[]).swap_remove(0)
        };
        assert_eq!(
            found.each_ref().map(told),
            [
                "users/it's.jsonl: a member's file, \"größe\" (left alone)",
                "users/a\\n\\u{1b}[2J\\u{202e}: c:\\d (left alone)",
            ]
        );
    }
}
