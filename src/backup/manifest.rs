//! The manifest: a row a file, and last of all a row that speaks for the rows.
//!
//! ```json
//! {"file":"backup.json","bytes":212,"sha256":"64 hex"}
//! {"file":"users/ada.jsonl","bytes":1201,"sha256":"64 hex","version":"1.4.2.1.7"}
//! {"file":"pictures/ab/ab12….jpg","bytes":90412,"sha256":"64 hex"}
//! {"file":"pictures/cd/cd34….jpg","missing":true}
//! {"files":4,"sha256":"64 hex, of the rows above"}
//! ```
//!
//! Rows stand in the order of the files and have one spelling, so that a list is read by comparing each
//! row with what it must be. A row without a file is that of a picture which a post refers to and no
//! machine had: what was missing already is told apart from what was lost since.

use sha2::{Digest, Sha256};

use super::error::{Flaw, Why};
use super::header::Name;
use crate::id::PictureName;
use crate::json;
use crate::limits::FLAWS_SHOWN;
use crate::replica::version::Version;

/// A file that went by, or a picture that was not there to go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: Name,
    /// What it is, if it is there.
    pub(super) held: Option<Held>,
}

/// See [`Row`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) bytes: u64,
    pub(super) sha256: [u8; 32],
    /// Of a user's file: what its last line is.
    pub(super) version: Version,
}

impl Row {
    pub(super) fn of(name: Name, content: &[u8], version: Version) -> Self {
        let sha256 = Sha256::digest(content).into();
        Self { name, held: Some(Held { bytes: content.len() as u64, sha256, version }) }
    }

    pub(super) const fn missing(name: PictureName) -> Self {
        Self { name: Name::Picture(name), held: None }
    }

    fn spelt(&self) -> String {
        let file = self.name.path();
        let Some(Held { bytes, sha256, version }) = &self.held else {
            return format!("{{\"file\":\"{file}\",\"missing\":true}}\n");
        };
        let hash = hex(sha256);
        let version = match &self.name {
            Name::User(_) => format!(",\"version\":\"{version}\""),
            Name::About | Name::Picture(_) | Name::Manifest => String::new(),
        };
        format!("{{\"file\":\"{file}\",\"bytes\":{bytes},\"sha256\":\"{hash}\"{version}}}\n")
    }
}

/// The manifest of these files.
pub(super) fn spell(rows: &[Row]) -> Vec<u8> {
    let mut text = rows.iter().map(Row::spelt).collect::<String>();
    let last = last_row(rows.len(), text.as_bytes());
    text.push_str(&last);
    text.into_bytes()
}

fn last_row(files: usize, rows: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(rows).into();
    format!("{{\"files\":{files},\"sha256\":\"{}\"}}\n", hex(&hash))
}

/// What of a manifest is not what these files' would be. The pictures that it says were missing join the
/// rows.
pub(super) fn compare(text: &[u8], rows: &mut Vec<Row>, flaws: &mut Flaws) {
    let told: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    rows.extend(told.iter().filter_map(|row| missing_in(row)));
    // What is there stays before what is said to be missing.
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    rows.dedup_by(|later, first| later.name == first.name);
    let rows = rows.as_slice();
    if text == spell(rows) {
        return;
    }
    let Some((last, told)) = told.split_last() else {
        return flaws.add(&Name::Manifest, Why::Empty);
    };
    let above = text.get(..text.len() - last.len()).unwrap_or_default();
    let are_sound = *last == last_row(told.len(), above).as_bytes();
    if !are_sound {
        flaws.add(&Name::Manifest, Why::Rows);
    }
    let mut rows = rows.iter().peekable();
    for (number, row) in (1..).zip(told) {
        let Some(file) = file_of(row) else {
            flaws.add(&Name::Manifest, Why::Row { row: number });
            continue;
        };
        // Both are by name: what one side passes over, the other lacks.
        while let Some(unlisted) = rows.next_if(|own| own.name < file) {
            flaws.add(&unlisted.name, Why::Unlisted);
        }
        match rows.next_if(|own| own.name == file) {
            Some(own) if own.spelt().as_bytes() == *row => {}
            Some(own) => flaws.add(&own.name, Why::Differs),
            None => flaws.add(&file, Why::Missing),
        }
    }
    rows.for_each(|unlisted| flaws.add(&unlisted.name, Why::Unlisted));
    if are_sound && flaws.count == 0 {
        // It speaks for itself and names the same files, but nobody would have written it so.
        flaws.add(&Name::Manifest, Why::Rows);
    }
}

fn file_of(row: &[u8]) -> Option<Name> {
    #[derive(serde::Deserialize)]
    struct Named {
        file: String,
    }
    let named: Named = json::parse(row).ok()?;
    Name::parse(&named.file)
}

/// The picture that a row says was missing; nothing in a row that says anything else.
fn missing_in(row: &[u8]) -> Option<Row> {
    let Name::Picture(name) = file_of(row)? else { return None };
    let missing = Row::missing(name);
    (missing.spelt().as_bytes() == row).then_some(missing)
}

/// What was found wrong: the first of it one by one, then how much it is.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    pub(super) told: Vec<Flaw>,
    pub(super) count: u64,
}

impl Flaws {
    pub(super) fn add(&mut self, file: &Name, why: Why) {
        self.count += 1;
        if self.told.len() < FLAWS_SHOWN {
            self.told.push(Flaw { file: file.path(), why });
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| DIGITS.get(usize::from(half)));
    bytes.iter().flat_map(digits).flatten().collect()
}
