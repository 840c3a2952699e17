//! Reading a backup: each byte of it is looked at, and none is believed.

use std::io::{ErrorKind, Read};

use super::error::{BackupError, Flaw, Why};
use super::header::{self, BLOCK_BYTES, Name, Told};
use super::manifest::{self, Flaws, Row};
use super::{About, FORMAT, FORMAT_WITHOUT_PICTURES};
use crate::id::{PictureName, UserName};
use crate::json;
use crate::limits::{BACKUP_PICTURES_MAX, BACKUP_ROUND_MAX, BACKUP_USERS_MAX};
use crate::replica::version::Version;
use crate::store::StoreError;
use crate::store::line::LineError;
use crate::store::scan::{End, scan};

/// What a backup holds.
#[derive(Debug)]
pub struct Found {
    /// What it says of itself.
    pub about: About,
    /// How many users' files are in it.
    pub users: u64,
    /// How many pictures, small ones included.
    pub pictures: u64,
    /// Bytes of all of these.
    pub bytes: u64,
    /// How many pictures no machine had when it was made.
    pub pictures_missing: u64,
    /// The highest list of members that a line was written under.
    pub epoch: u32,
    /// The highest round.
    pub round: u64,
    /// What is wrong with it: the first of it.
    pub flaws: Vec<Flaw>,
    /// How many flaws there are.
    pub flaw_count: u64,
}

/// A file that was read.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// A user's, all of whose lines are whole.
    User(&'a UserName),
    /// A picture that is what its name says.
    Picture(PictureName),
}

/// Takes a file as it is read, before it is known to be the right one.
pub type Take<'a> = &'a mut dyn FnMut(Part<'_>, &[u8]) -> Result<(), StoreError>;

/// Reads a backup to its end; `take` sees each file that is sound by itself. Only a result
/// without flaws says that what it saw is what was written.
///
/// # Errors
/// [`BackupError`] where reading cannot go on.
pub fn read(from: &mut dyn Read, take: Take<'_>) -> Result<Found, BackupError> {
    let mut reader = Reader { from, at: 0, made_at: None };
    let about = reader.about()?;
    let mut reading = Reading { rows: vec![about.1], flaws: Flaws::default(), newest: (0, 0) };
    let about = about.0;
    reading.newest.0 = about.epoch;
    loop {
        let place = reader.at;
        // What was stopped while it was made may end so.
        let what = "it ends without its manifest, so it was never finished";
        let told = reader.header()?.ok_or(BackupError::Damaged { at: place, what })?;
        reading.check_place(&told.name, about.tern_backup)?;
        let content = reader.content(told.bytes)?;
        match told.name {
            Name::User(user) => {
                if reading.user(Name::User(user.clone()), &content)? {
                    take(Part::User(&user), &content)?;
                }
            }
            Name::Picture(picture) => {
                if reading.picture(picture, &content) {
                    take(Part::Picture(picture), &content)?;
                }
            }
            Name::About | Name::Manifest => {
                manifest::compare(&content, &mut reading.rows, &mut reading.flaws);
                break;
            }
        }
    }
    reader.end()?;
    Ok(reading.found(about))
}

/// What was read so far.
struct Reading {
    rows: Vec<Row>,
    flaws: Flaws,
    /// The highest epoch and round.
    newest: (u32, u64),
}

impl Reading {
    /// Whether a file may stand here, in an archive of that form.
    fn check_place(&self, name: &Name, form: u32) -> Result<(), BackupError> {
        let is_next = self.rows.last().is_some_and(|last| last.name < *name);
        let is_known = form != FORMAT_WITHOUT_PICTURES || !matches!(name, Name::Picture(_));
        if is_next && is_known && self.rows.len() <= BACKUP_USERS_MAX + BACKUP_PICTURES_MAX + 1 {
            return Ok(());
        }
        Err(BackupError::Foreign(format!("{} is not in its place", name.path())))
    }

    /// Looks at a picture; whether it is what its name says.
    fn picture(&mut self, picture: PictureName, content: &[u8]) -> bool {
        let (name, is_sound) = (Name::Picture(picture), picture.is_of(content));
        if !is_sound {
            self.flaws.add(&name, Why::Picture);
        }
        self.rows.push(Row::of(name, content, Version::ZERO));
        is_sound
    }

    /// Looks at a user's file; whether its lines are whole.
    fn user(&mut self, name: Name, content: &[u8]) -> Result<bool, BackupError> {
        let mut newest = self.newest;
        let scan = scan(content, &mut |line| {
            newest = (newest.0.max(line.version.term.epoch), newest.1.max(line.version.term.round));
        });
        let why = match scan.end {
            End::Whole if scan.lines == 0 => Some(Why::Empty),
            End::Whole => None,
            End::Torn { .. } => Some(Why::Torn),
            End::Damaged { why: LineError::NewerFormat(what), .. } => {
                return Err(BackupError::Newer(format!("{}: {what}", name.path())));
            }
            End::Damaged { line_number, why, .. } => Some(Why::Line { line: line_number, why }),
        };
        let is_whole = why.is_none();
        if let Some(why) = why {
            self.flaws.add(&name, why);
        } else if newest.0 == u32::MAX || newest.1 > BACKUP_ROUND_MAX {
            let path = name.path();
            return Err(BackupError::Foreign(format!(
                "{path} has versions that nobody can follow"
            )));
        } else {
            self.newest = newest;
        }
        self.rows.push(Row::of(name, content, scan.chain.version));
        Ok(is_whole)
    }

    fn found(self, about: About) -> Found {
        let (mut users, mut pictures, mut pictures_missing, mut bytes) = (0, 0, 0, 0_u64);
        for row in &self.rows {
            match (&row.name, &row.held) {
                (Name::User(_), _) => users += 1,
                (Name::Picture(_), Some(_)) => pictures += 1,
                (Name::Picture(_), None) => pictures_missing += 1,
                (Name::About | Name::Manifest, _) => continue,
            }
            bytes = bytes.saturating_add(row.held.as_ref().map_or(0, |held| held.bytes));
        }
        let (epoch, round) = self.newest;
        Found {
            users,
            pictures,
            bytes,
            pictures_missing,
            about,
            epoch,
            round,
            flaws: self.flaws.told,
            flaw_count: self.flaws.count,
        }
    }
}

/// The archive as blocks.
struct Reader<'a> {
    from: &'a mut dyn Read,
    /// Bytes read so far.
    at: u64,
    /// What all headers say, once one was read.
    made_at: Option<u64>,
}

impl Reader<'_> {
    /// The first file of all.
    fn about(&mut self) -> Result<(About, Row), BackupError> {
        #[derive(serde::Deserialize)]
        struct Format {
            tern_backup: u32,
        }
        let foreign = |what: &str| BackupError::Foreign(what.to_owned());
        let first = self.header()?.filter(|told| told.name == Name::About);
        let told = first.ok_or_else(|| foreign("it does not begin as one"))?;
        let content = self.content(told.bytes)?;
        let wrong = |_| foreign("backup.json does not say what it must");
        // First and alone: a newer form may look different in everything else.
        let Format { tern_backup } = json::parse(&content).map_err(wrong)?;
        match tern_backup {
            FORMAT | FORMAT_WITHOUT_PICTURES => {}
            0 => return Err(foreign("there is no form 0 of a backup")),
            newer => return Err(BackupError::Newer(format!("form {newer}"))),
        }
        let about: About = json::parse(&content).map_err(wrong)?;
        if about.epoch == u32::MAX {
            return Err(foreign("backup.json names a list of members that nobody can follow"));
        }
        Ok((about, Row::of(Name::About, &content, Version::ZERO)))
    }

    /// The next header; none where the end begins.
    fn header(&mut self) -> Result<Option<Told>, BackupError> {
        let place = self.at;
        let block = self.block()?;
        if block == [0; BLOCK_BYTES] {
            return Ok(None);
        }
        let told = header::parse(&block, place)?;
        if *self.made_at.get_or_insert(told.at) != told.at {
            return Err(BackupError::Foreign("its files are not of one time".to_owned()));
        }
        Ok(Some(told))
    }

    /// So many bytes, and zeros to the end of their block. Memory grows with what arrives, whatever was
    /// announced.
    fn content(&mut self, bytes: u64) -> Result<Vec<u8>, BackupError> {
        let mut content = Vec::new();
        let read = (&mut *self.from).take(bytes).read_to_end(&mut content);
        read.map_err(BackupError::Read)?;
        self.at += content.len() as u64;
        if (content.len() as u64) < bytes {
            return Err(BackupError::CutOff { at: self.at });
        }
        let place = self.at;
        let mut rest = [0; BLOCK_BYTES];
        let rest = rest.get_mut(..header::padding(bytes)).unwrap_or_default();
        self.fill(rest)?;
        if rest.iter().any(|&byte| byte != 0) {
            let what = "something stands between two files";
            return Err(BackupError::Damaged { at: place, what });
        }
        Ok(content)
    }

    /// Two blocks of zeros, and nothing behind them.
    fn end(&mut self) -> Result<(), BackupError> {
        for _ in 0..2 {
            let place = self.at;
            if self.block()? != [0; BLOCK_BYTES] {
                let what = "something stands behind the manifest";
                return Err(BackupError::Damaged { at: place, what });
            }
        }
        let mut more = [0; 1];
        match self.fill(&mut more) {
            Err(BackupError::CutOff { .. }) => Ok(()),
            Ok(()) => {
                let what = "something stands behind its end";
                Err(BackupError::Damaged { at: self.at - 1, what })
            }
            Err(error) => Err(error),
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK_BYTES], BackupError> {
        let mut block = [0; BLOCK_BYTES];
        self.fill(&mut block)?;
        Ok(block)
    }

    fn fill(&mut self, to: &mut [u8]) -> Result<(), BackupError> {
        let mut done = 0;
        while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.from.read(rest) {
                Ok(0) => return Err(BackupError::CutOff { at: self.at }),
                Ok(bytes) => (done, self.at) = (done + bytes, self.at + bytes as u64),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(BackupError::Read(error)),
            }
        }
        Ok(())
    }
}
