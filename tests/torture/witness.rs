//! What the machines have on disk, as the order that all answers must fit: one user's lines, read by
//! the program's own reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use tern::id::{Hash128, UserName};
use tern::replica::version::Version;
use tern::store::line::Kind;
use tern::store::scan::{End, scan};
use tern::user::User;
use tern::user::entry;

/// A line of a user's file, as far as the checks ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    /// Its version.
    pub(super) version: String,
    /// Requests it answers: id and result.
    pub(super) requests: Vec<(String, String)>,
    pub(super) entries: Vec<Entry>,
    /// Whether it sums up lines that are gone.
    pub(super) is_summary: bool,
}

/// An entry, as far as the checks ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Joined,
    Posted { id: String, text: String },
    Deleted { id: String },
    Followed { user: String },
    Unfollowed { user: String },
    Other,
}

/// The lines that the checks go by, by user.
pub(super) type Files = BTreeMap<String, Vec<Line>>;

/// One user's file on one machine.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) lines: Vec<Line>,
    /// The state that its lines led to.
    pub(super) version: Version,
    pub(super) hash: Hash128,
    /// Each line's version and hash; of a snapshot, that of all that it took the place of.
    marks: Vec<(Version, Hash128)>,
    /// The user as all lines tell.
    user: User,
}

/// All users of one machine, by name.
pub(super) type Home = BTreeMap<String, Held>;

impl Held {
    /// What a file's bytes tell; a last line that is being written does not count.
    fn parse(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let name: UserName = name.parse().map_err(|_| format!("{name} is no user's name"))?;
        let (mut lines, mut marks) = (Vec::new(), Vec::new());
        let mut user = User::absent(name);
        let scan = scan(bytes, &mut |line| {
            line.apply_to(&mut user, |_, _| {});
            marks.push((line.version, line.hash));
            lines.push(Line::of(&line));
        });
        match scan.end {
            End::Whole | End::Torn { .. } => {}
            End::Damaged { why, line_number, .. } => {
                return Err(format!("{}: line {line_number}: {why}", user.name));
            }
        }
        Ok(Self { lines, version: scan.chain.version, hash: scan.chain.hash, marks, user })
    }

    /// Whether everything of another copy is here, or was replaced by what came later.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let mark = (other.version, other.hash);
        let snapshot = self.lines.iter().rposition(|line| line.is_summary);
        let folded = snapshot.and_then(|at| self.marks.get(at));
        other.version.is_zero()
            || self.marks.contains(&mark)
            || folded.is_some_and(|(version, _)| *version > other.version)
    }

    /// Whether two copies are of one state, however many of their lines were folded.
    fn is_same(&self, other: &Self) -> bool {
        (self.version, self.hash) == (other.version, other.hash) && self.user.says_same(&other.user)
    }
}

/// Reads a machine's files.
pub(super) fn read(data: &Path) -> Result<Home, String> {
    let list = std::fs::read_dir(data.join("users")).map_err(|error| error.to_string())?;
    let mut home = Home::new();
    for entry in list {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if let Some(user) = name.strip_suffix(".jsonl")
            && let Some(held) = read_one(&entry.path(), user)?
        {
            home.insert(user.to_owned(), held);
        }
    }
    Ok(home)
}

/// Reads one user's file; cut off to nothing is as good as not there.
pub(super) fn read_one(path: &Path, user: &str) -> Result<Option<Held>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let held = Held::parse(user, &bytes)?;
    Ok(Some(held).filter(|held| !held.lines.is_empty()))
}

/// What all machines hold, once they hold the same; of each file the copy that tells the most.
pub(super) fn agreed(all: &[Home]) -> Option<Files> {
    let users: BTreeSet<_> = all.iter().flat_map(Home::keys).collect();
    let mut agreed = Files::new();
    for user in users {
        let held: Option<Vec<&Held>> = all.iter().map(|home| home.get(user)).collect();
        let held = held?;
        if !held.windows(2).all(|pair| pair[0].is_same(pair[1])) {
            return None;
        }
        let most = held.iter().max_by_key(|one| one.lines.len())?;
        agreed.insert(user.clone(), most.lines.clone());
    }
    Some(agreed)
}

/// Where machines differ: users with the last versions and the number of lines on each.
pub(super) fn differences(all: &[Home]) -> String {
    let users: BTreeSet<_> = all.iter().flat_map(Home::keys).collect();
    let mut text = String::new();
    for user in users {
        let held: Vec<_> = all.iter().map(|home| home.get(user)).collect();
        let is_same =
            |a: Option<&Held>, b: Option<&Held>| a.zip(b).is_some_and(|(a, b)| a.is_same(b));
        if held.windows(2).any(|pair| !is_same(pair[0], pair[1])) {
            let end =
                |held: Option<&Held>| held.map(|held| (held.lines.len(), held.version.to_string()));
            let ends = held.into_iter().map(end);
            let _infallible = writeln!(text, "{user}: {:?}", ends.collect::<Vec<_>>());
        }
    }
    text
}

impl Line {
    fn of(line: &tern::store::line::Line) -> Self {
        let request = |one: &tern::user::Recorded| (one.id.to_string(), one.result.to_string());
        Self {
            version: line.version.to_string(),
            requests: line.requests.iter().map(request).collect(),
            entries: line.entries.iter().map(|(entry, _)| Entry::of(entry)).collect(),
            is_summary: matches!(line.kind, Kind::Snapshot(_)),
        }
    }
}

impl Entry {
    fn of(entry: &entry::Entry) -> Self {
        match entry {
            entry::Entry::Joined { .. } => Self::Joined,
            entry::Entry::Posted { id, text, .. } => {
                Self::Posted { id: id.to_string(), text: text.clone() }
            }
            entry::Entry::PostDeleted { id, .. } => Self::Deleted { id: id.to_string() },
            entry::Entry::Followed { user, .. } => Self::Followed { user: user.to_string() },
            entry::Entry::Unfollowed { user, .. } => Self::Unfollowed { user: user.to_string() },
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use tern::store::snapshot::fold;

    use super::*;

    const ADA: &[u8] = include_bytes!("../format/v1/users/ada.jsonl");

    /// Ada's file, its first `count` lines.
    fn first(count: usize) -> Vec<u8> {
        ADA.split_inclusive(|&byte| byte == b'\n').take(count).flatten().copied().collect()
    }

    /// The same with its first `count` lines folded.
    fn folded(bytes: &[u8], count: usize) -> Vec<u8> {
        let com = Held::parse("ada", &first(count)).unwrap().version;
        fold(&"ada".parse().unwrap(), bytes, com).unwrap().unwrap().bytes
    }

    fn home(bytes: &[u8]) -> Home {
        Home::from([("ada".to_owned(), Held::parse("ada", bytes).unwrap())])
    }

    fn agree(all: [&[u8]; 3]) -> Option<usize> {
        agreed(&all.map(home)).map(|files| files["ada"].len())
    }

    #[test]
    fn machines_agree_when_all_hold_one_state_folded_or_not() {
        let (all, less, short) = (first(10), first(9), folded(ADA, 6));
        assert_eq!(agree([&all, &all, &all]), Some(10));
        assert_eq!(agree([&short, &all, &short]), Some(10), "the copy that tells the most");
        assert_eq!(agree([&short, &short, &short]), Some(5));
        assert_eq!(agree([&all, &less, &all]), None, "one is behind");
        let homes = [home(&all), home(&all), Home::new()];
        assert!(agreed(&homes).is_none(), "one has nothing");
        assert!(differences(&homes).contains("None"), "{}", differences(&homes));
    }

    #[test]
    fn copy_covers_what_it_has_lines_of_or_folded() {
        let held = |bytes: &[u8]| Held::parse("ada", bytes).unwrap();
        let (all, less) = (held(ADA), held(&first(4)));
        assert!(all.covers(&less) && !less.covers(&all) && less.covers(&held(b"")));
        assert!(held(&folded(ADA, 6)).covers(&less));
        assert!(!held(&folded(&first(7), 6)).covers(&all));
        assert!(Held::parse("ada", &ADA[1..]).is_err(), "damage");
    }
}
