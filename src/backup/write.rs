//! Making a backup, file by file.

use std::io::{self, Write};

use tar::Builder;

use super::About;
use super::header::{self, Name};
use super::manifest::{self, Row};
use crate::id::{PictureName, UserName};
use crate::limits::{BACKUP_PICTURES_MAX, BACKUP_USERS_MAX};
use crate::replica::version::Version;

/// A backup that is being made.
pub struct Writer<W: Write> {
    archive: Builder<W>,
    /// In Unix seconds: all files bear it.
    at: u64,
    rows: Vec<Row>,
    /// How many of them are pictures'.
    pictures: usize,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    ///
    /// # Errors
    /// What `to` says.
    pub fn begin(to: W, about: &About) -> io::Result<Self> {
        let mut text = serde_json::to_vec(about)?;
        text.push(b'\n');
        let (archive, at) = (Builder::new(to), about.at.0 / 1000);
        let mut writer = Self { archive, at, rows: Vec::new(), pictures: 0 };
        writer.add(Name::About, &text, Version::ZERO)?;
        Ok(writer)
    }

    /// Adds a user's file, which ends with the line of that version. Users come by name.
    ///
    /// # Errors
    /// What the writer says, and when there are too many.
    ///
    /// # Panics
    /// When a name does not come after the one before it.
    pub fn user(&mut self, user: &UserName, version: Version, lines: &[u8]) -> io::Result<()> {
        let name = Name::User(user.clone());
        self.assert_next(&name);
        if self.rows.len() > BACKUP_USERS_MAX {
            return Err(io::Error::other("there are more users than a backup holds"));
        }
        self.add(name, lines, version)
    }

    /// Adds a picture that a post refers to, or takes note that no machine has it. Pictures come after the
    /// users, by name.
    ///
    /// # Errors
    /// What the writer says, and when there are too many.
    ///
    /// # Panics
    /// When a name does not come after the one before it.
    pub fn picture(&mut self, picture: PictureName, bytes: Option<&[u8]>) -> io::Result<()> {
        let name = Name::Picture(picture);
        self.assert_next(&name);
        if self.pictures == BACKUP_PICTURES_MAX {
            return Err(io::Error::other("there are more pictures than a backup holds"));
        }
        self.pictures += 1;
        if let Some(bytes) = bytes {
            return self.add(name, bytes, Version::ZERO);
        }
        self.rows.push(Row::missing(picture));
        Ok(())
    }

    fn assert_next(&self, name: &Name) {
        let is_next = self.rows.last().is_some_and(|last| last.name < *name);
        assert!(is_next, "{} is not the next", name.path());
    }

    /// Ends it; what was written to is given back.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<W> {
        let text = manifest::spell(&self.rows);
        self.add(Name::Manifest, &text, Version::ZERO)?;
        self.archive.into_inner()
    }

    fn add(&mut self, name: Name, content: &[u8], version: Version) -> io::Result<()> {
        let header = header::of(&name, content.len() as u64, self.at);
        self.archive.append(&header, content)?;
        self.rows.push(Row::of(name, content, version));
        Ok(())
    }
}
