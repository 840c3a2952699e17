//! What is done to one user's file: append and flush, cut, read through, read at a place.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use memchr::memchr;
use rustix::fs::{Advice, OFlags};

use super::directory::Directory;
use super::error::StoreError;
use super::handles::Handle;
use super::line::Line;
use super::scan::{Scan, Scanner};
use super::{UserStore, check_size, lines_name};
use crate::id::UserName;
use crate::limits::{LINE_BYTES_MAX, LOAD_BUFFER_BYTES};
use crate::metrics::DISK_WRITTEN;

/// How a file's bytes and length are flushed.
pub(super) type SyncData = fn(&File) -> io::Result<()>;

/// The system's way.
pub(super) fn sync_data(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// Why nothing was appended.
#[derive(Debug)]
pub(super) enum Why {
    /// The file has this many bytes instead.
    Length(u64),
    /// The disk.
    Store(StoreError),
}

impl From<StoreError> for Why {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One write at the file's known end and one flush; a new file's name is flushed too.
pub(super) fn append(
    users: &Directory,
    name: &str,
    at: u64,
    line: &[u8],
    sync_data: SyncData,
) -> Result<(), Why> {
    let file = open_to_append(users, name, at)?;
    let metadata = file.metadata().map_err(|e| users.failed("look at", name, e))?;
    if metadata.len() != at {
        return Err(Why::Length(metadata.len()));
    }
    if let Err(error) = write_once(&file, at, line) {
        // The length must be the known one, or nothing is known of this file any more. A file system
        // that went read-only cuts nothing, but has written nothing either.
        let len = file.metadata().map_err(|e| users.sync_failed(name, e))?.len();
        if len != at {
            file.set_len(at).map_err(|e| users.sync_failed(name, e))?;
        }
        // A file without a line looks like one that lost them.
        if at == 0
            && let Err(error) = users.remove_file(name)
        {
            log::warn!(error:%; "empty file left behind");
        }
        return Err(users.no_space_or("write", name, error).into());
    }
    sync_data(&file).map_err(|e| users.sync_failed(name, e))?;
    if at == 0 {
        users.sync()?;
    }
    Ok(())
}

fn open_to_append(users: &Directory, name: &str, at: u64) -> Result<File, StoreError> {
    // An empty file may be there already: a crash came between making it and its first line.
    if at == 0
        && let Some(file) = users.create_file(name)?
    {
        return Ok(file);
    }
    open_to_write(users, name)
}

fn open_to_write(users: &Directory, name: &str) -> Result<File, StoreError> {
    let file = users.open_file(name, OFlags::WRONLY)?;
    file.ok_or_else(|| users.failed("open", name, io::Error::from(io::ErrorKind::NotFound)))
}

/// A single `write`, so that a crash leaves a beginning of the line and never pieces of two.
fn write_once(file: &File, at: u64, line: &[u8]) -> io::Result<()> {
    let written = loop {
        match file.write_at(line, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    DISK_WRITTEN.add(written);
    // The system writes less than it was given where a limit stands in the way of the rest.
    if written == line.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// Reads up to `len` bytes of an open file, from the disk and not from the kernel's memory of it, one
/// line at a time. Nothing is changed.
pub(super) fn scan_open(file: &File, len: u64, visit: &mut dyn FnMut(Line)) -> io::Result<Scan> {
    rustix::fs::fadvise(file, 0, None, Advice::DontNeed)?;
    let mut reader = BufReader::with_capacity(LOAD_BUFFER_BYTES, file.take(len));
    let mut scanner = Scanner::default();
    // Of a line that is not whole in the buffer, what came before.
    let mut begun = Vec::new();
    while !scanner.is_decided() {
        let bytes = reader.fill_buf()?;
        let end = memchr(b'\n', bytes).map(|at| at + 1);
        let (piece, _) = bytes.split_at_checked(end.unwrap_or(bytes.len())).unwrap_or_default();
        let is_last = piece.is_empty();
        let taken = if begun.is_empty() && end.is_some() {
            scanner.feed(piece).into_iter().for_each(&mut *visit);
            piece.len()
        } else {
            // One byte more than a line may have tells that it is too long.
            let room = LINE_BYTES_MAX + 1 - begun.len();
            let (piece, rest) = piece.split_at_checked(room).unwrap_or((piece, &[]));
            begun.extend_from_slice(piece);
            let is_whole = (end.is_some() && rest.is_empty()) || begun.len() > LINE_BYTES_MAX;
            if is_whole || (is_last && !begun.is_empty()) {
                scanner.feed(&begun).into_iter().for_each(&mut *visit);
                begun.clear();
            }
            piece.len()
        };
        if is_last {
            break;
        }
        reader.consume(taken);
    }
    Ok(scanner.finish())
}

impl UserStore {
    /// Reads up to `len` bytes of a user's file, as [`scan_open`] does.
    pub(super) fn scan_file(
        &self,
        user: &UserName,
        file: &File,
        len: u64,
        visit: &mut dyn FnMut(Line),
    ) -> Result<Scan, StoreError> {
        check_size(user, len)?;
        scan_open(file, len, visit).map_err(|e| self.users().failed("read", &lines_name(user), e))
    }

    /// Cuts a file to `len` bytes, flushed.
    pub(super) fn cut(&self, user: &UserName, len: u64) -> Result<(), StoreError> {
        let (users, name) = (self.users(), lines_name(user));
        let file = open_to_write(users, &name)?;
        file.set_len(len).map_err(|e| users.failed("cut", &name, e))?;
        self.handles.forget(user);
        file.sync_all().map_err(|e| self.retire_if_unknown(user, users.sync_failed(&name, e)))
    }

    /// A user's file, open for reading; `None` if there is none.
    pub(super) fn handle(&self, user: &UserName) -> Result<Option<Arc<Handle>>, StoreError> {
        self.handles.get(user, || self.users().open_file(&lines_name(user), OFlags::RDONLY))
    }

    /// `size` bytes at an offset of an open file; `None` if it ends before that.
    pub(super) fn read_at(
        &self,
        user: &UserName,
        handle: &Handle,
        offset: u64,
        size: usize,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = vec![0; size];
        match handle.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(self.users().failed("read", &lines_name(user), error)),
        }
    }
}
