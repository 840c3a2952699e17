//! The machines that a backup is made of: whichever answers is asked, and another one when it fails.

use std::collections::VecDeque;
use std::time::Duration;

use super::BackupCommandError;
use crate::cli::cluster::ask::{all_of, connect, exchange};
use crate::cli::cluster::target::Machine;
use crate::cli::error::chain;
use crate::clock::Clock;
use crate::id::{PictureName, UserName};
use crate::limits::{
    BACKUP_ANSWER_MS, BACKUP_PAUSE_MS, BACKUP_TOO_FEW_MS, BACKUP_TRY_MS, FRAME_BYTES_MAX,
};
use crate::replica::version::Version;
use crate::thread::Stop;
use crate::transport::connection::Connection;
use crate::transport::{Keys, TransportError};
use crate::wire::operator::{Answer, Held, Question};

/// Machines to ask.
pub(super) struct Source<'a> {
    /// The one that is asked first stands first.
    machines: VecDeque<Machine>,
    keys: Keys,
    /// To the first machine.
    connection: Option<Connection>,
    clock: Clock,
    stop: &'a Stop,
}

/// What became of a picture that a post refers to.
pub(super) enum Picture {
    /// Its file.
    Held(Vec<u8>),
    /// No machine has it.
    Missing,
    /// The post was deleted meanwhile.
    Gone,
}

/// Why a machine did not tell.
struct Silent {
    reason: Reason,
    why: String,
}

/// What says more comes later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    WrongKey,
    NotNow,
    TooFew,
}

impl Silent {
    fn into_error(self) -> BackupCommandError {
        let why = self.why;
        match self.reason {
            Reason::WrongKey => BackupCommandError::WrongKey { why },
            Reason::NotNow => BackupCommandError::NobodyTells { why },
            Reason::TooFew => BackupCommandError::TooFew { why },
        }
    }
}

impl<'a> Source<'a> {
    pub(super) fn new(machines: Vec<Machine>, keys: Keys, stop: &'a Stop) -> Self {
        let (machines, clock) = (machines.into(), Clock::system());
        Self { machines, keys, connection: None, clock, stop }
    }

    /// Which list of members is in force. Each machine is tried once: where nobody listens, nobody waits.
    ///
    /// # Errors
    /// [`BackupCommandError`].
    pub(super) fn held(&mut self) -> Result<Held, BackupCommandError> {
        match self.ask(&Question::Members, 0)? {
            (Answer::Members(held), _) => Ok(held),
            _ => Err(BackupCommandError::OtherQuestion),
        }
    }

    /// The names after one, and behind which to go on.
    ///
    /// # Errors
    /// [`BackupCommandError`].
    pub(super) fn names(
        &mut self,
        after: Option<UserName>,
    ) -> Result<(Vec<UserName>, Option<UserName>), BackupCommandError> {
        match self.ask(&Question::Names { after }, BACKUP_TRY_MS)? {
            (Answer::Names { names, next }, _) => Ok((names, next)),
            _ => Err(BackupCommandError::OtherQuestion),
        }
    }

    /// A user's file, up to what is committed now.
    ///
    /// # Errors
    /// [`BackupCommandError`].
    pub(super) fn file(
        &mut self,
        user: &UserName,
    ) -> Result<(Version, Vec<u8>), BackupCommandError> {
        match self.ask(&Question::File { user: user.clone() }, BACKUP_TRY_MS)? {
            (Answer::File { version }, lines) => Ok((version, lines)),
            _ => Err(BackupCommandError::OtherQuestion),
        }
    }

    /// A picture's file, if a machine has it.
    ///
    /// # Errors
    /// [`BackupCommandError`].
    pub(super) fn picture(&mut self, name: PictureName) -> Result<Picture, BackupCommandError> {
        match self.ask(&Question::Picture { name }, BACKUP_TRY_MS)? {
            (Answer::Picture { is_held: true, .. }, bytes) if name.is_of(&bytes) => {
                Ok(Picture::Held(bytes))
            }
            (Answer::Picture { is_held: false, is_needed }, _) => {
                Ok(if is_needed { Picture::Missing } else { Picture::Gone })
            }
            _ => Err(BackupCommandError::OtherQuestion),
        }
    }

    /// Asks one machine after the other, in rounds for so long: one that died is missed by the others for a
    /// moment.
    fn ask(
        &mut self,
        question: &Question,
        try_ms: u64,
    ) -> Result<(Answer, Vec<u8>), BackupCommandError> {
        let start = self.clock.mono();
        loop {
            let (mut most, mut whys): (Option<Silent>, Vec<String>) = (None, Vec::new());
            for _ in 0..self.machines.len() {
                if self.stop.is_closed() {
                    return Err(BackupCommandError::Stopped);
                }
                match self.ask_first(question) {
                    Ok(told) => return Ok(told),
                    Err(silent) => {
                        whys.push(silent.why.clone());
                        let is_less = |most: &Silent| most.reason <= silent.reason;
                        if most.as_ref().is_none_or(is_less) {
                            most = Some(silent);
                        }
                    }
                }
                self.machines.rotate_left(1);
            }
            let none = || Silent { reason: Reason::NotNow, why: "there is none".to_owned() };
            let mut most = most.unwrap_or_else(none);
            if most.reason == Reason::NotNow {
                most.why = all_of(whys);
            }
            let wait_ms = match most.reason {
                Reason::WrongKey => 0,
                Reason::NotNow => try_ms,
                Reason::TooFew => try_ms.min(BACKUP_TOO_FEW_MS),
            };
            if self.clock.mono() >= start.plus_ms(wait_ms) {
                return Err(most.into_error());
            }
            self.stop.wait(Duration::from_millis(BACKUP_PAUSE_MS));
        }
    }

    /// The connection is kept as long as it is good.
    fn ask_first(&mut self, question: &Question) -> Result<(Answer, Vec<u8>), Silent> {
        let silent = |why| Silent { reason: Reason::NotNow, why };
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let first = self.machines.front().ok_or_else(|| silent(String::new()))?;
            connect(&first.address, &self.keys).map_err(|error| {
                let is_stranger = matches!(error, TransportError::Handshake { .. });
                let reason = if is_stranger { Reason::WrongKey } else { Reason::NotNow };
                Silent { reason, why: chain(&error) }
            })?
        };
        let limits = (FRAME_BYTES_MAX, Duration::from_millis(BACKUP_ANSWER_MS));
        match exchange(&mut connection, question, limits).map_err(silent)? {
            (Answer::NotNow { is_too_few, why }, _) => {
                let why = format!("{}: {why}", connection.addr());
                let reason = if is_too_few { Reason::TooFew } else { Reason::NotNow };
                Err(Silent { reason, why })
            }
            told => {
                self.connection = Some(connection);
                Ok(told)
            }
        }
    }
}
