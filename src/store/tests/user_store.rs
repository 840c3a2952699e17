//! Tests of the users' files on a real file system.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{History, ada, posted, version};
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{LINE_BYTES_MAX, USER_FILE_BYTES_MAX};
use crate::store::line::{Line, LineError};
use crate::store::{DataDir, Loaded, StoreError, UserStore};
use crate::user::Place;
use crate::user::entry::Entry;

/// The number of every post that `posted` makes.
const POST: PostId = PostId::from_raw(111);

/// A store in a directory of its own.
pub(super) struct Home {
    pub(super) store: UserStore,
    pub(super) dir: TempDir,
}

impl Home {
    pub(super) fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(dir: TempDir) -> Self {
        let store = UserStore::open(&DataDir::open(dir.path()).unwrap()).unwrap();
        Self { store, dir }
    }

    /// The same directory as the next process sees it.
    pub(super) fn reopen(self) -> Self {
        let Self { store, dir } = self;
        drop(store);
        Self::at(dir)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn ada_bytes(&self) -> Vec<u8> {
        fs::read(self.path("users/ada.jsonl")).unwrap()
    }

    pub(super) fn with_ada(bytes: &[u8]) -> Self {
        let home = Self::new();
        fs::write(home.path("users/ada.jsonl"), bytes).unwrap();
        home
    }

    pub(super) fn load(&self) -> Result<(Loaded, Vec<Line>), StoreError> {
        let mut lines = Vec::new();
        let loaded = self.store.load(&ada(), &mut |line| lines.push(line))?;
        Ok((loaded, lines))
    }
}

fn loaded(history: &History) -> Loaded {
    let chain = history.chain;
    let len = history.bytes.len() as u64;
    Loaded { len, acc: chain.version, hash: chain.hash, com: chain.com }
}

#[test]
fn store_lines_appended_load_again() {
    let home = Home::new();
    let mut history = History::default();
    for number in 1..=3 {
        let at = history.bytes.len() as u64;
        let line = history.add(&[posted(&format!("post {number}"))]);
        home.store.append(&ada(), at, &line).unwrap();
    }
    assert_eq!(home.ada_bytes(), history.bytes);
    let mode = home.path("users/ada.jsonl").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let home = home.reopen();
    home.store.start().unwrap();
    let (found, lines) = home.load().unwrap();
    assert_eq!(found, loaded(&history));
    let versions: Vec<_> = lines.iter().map(|line| line.version).collect();
    assert_eq!(versions, [version(1, 1), version(1, 2), version(1, 3)]);
    let text = |line: &Line| home.store.read_text(&ada(), POST, line.entries[0].1).unwrap().text;
    assert_eq!(lines.iter().map(text).collect::<Vec<_>>(), ["post 1", "post 2", "post 3"]);
    assert_eq!(home.store.verify(&ada(), found.len).unwrap(), found);
}

#[test]
fn r0063_file_that_begins_as_another_refused_at_a_start() {
    let home = Home::with_ada(&History::of(3).bytes);
    let ben = UserName::parse("ben").unwrap();
    fs::write(home.path("users/ben.jsonl"), History::of(2).bytes).unwrap();
    home.store.start().unwrap();
    home.load().unwrap();
    // The same file twice is no copy.
    home.load().unwrap();
    let copied = home.store.load(&ben, &mut |_| {}).unwrap_err();
    assert!(!copied.is_damage(), "it is not set aside unasked: {copied}");
    let words = "users/ben.jsonl begins with the same line as users/ada.jsonl";
    assert!(copied.to_string().starts_with(words), "{copied}");
    home.store.started();
    home.store.load(&ben, &mut |_| {}).unwrap();
}

#[test]
fn store_absent_or_empty_file_loads_as_none_and_takes_first_line() {
    let line = History::default().add(&[posted("one")]);
    let (absent, empty) = (Home::new(), Home::with_ada(b""));
    for home in [absent, empty] {
        assert_eq!(home.load().unwrap(), (Loaded::default(), vec![]));
        home.store.append(&ada(), 0, &line).unwrap();
        assert_eq!(home.ada_bytes(), line);
    }
}

#[test]
fn store_torn_tail_cut_for_good() {
    let history = History::of(2);
    let home = Home::with_ada(&[&history.bytes[..], b"{\"v\":\"1."].concat());
    assert_eq!(home.load().unwrap().0, loaded(&history));
    assert_eq!(home.ada_bytes(), history.bytes);
}

#[test]
fn store_damaged_file_named_and_untouched() {
    let mut bytes = History::of(3).bytes;
    let second = History::of(1).bytes.len() + 20;
    bytes[second] ^= 1;
    let home = Home::with_ada(&bytes);
    let error = home.load().unwrap_err();
    let StoreError::Damaged { user, line, why } = error else { panic!("{error:?}") };
    assert_eq!((user, line, why), (ada(), 2, LineError::Checksum));
    assert_eq!(home.ada_bytes(), bytes);
}

#[test]
fn store_file_of_newer_program_untouched_and_no_damage() {
    let body = r#"{"v":"1.1.2.3.1","p":"0","k":"z","ops":7"#;
    let line = format!("{body},\"c\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes()));
    let home = Home::with_ada(line.as_bytes());
    let error = home.load().unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { .. }), "{error:?}");
    assert_eq!(home.ada_bytes(), line.as_bytes());
}

#[test]
fn store_file_over_limit_refused() {
    let home = Home::with_ada(b"");
    let bytes = USER_FILE_BYTES_MAX as u64 + 1;
    let file = File::options().write(true).open(home.path("users/ada.jsonl")).unwrap();
    file.set_len(bytes).unwrap();
    let too_large = |error: &StoreError| matches!(error, StoreError::TooLarge { bytes: found, .. } if *found == bytes);
    let refused = [
        home.load().map(|_| ()),
        home.store.verify(&ada(), bytes).map(|_| ()),
        home.store.read_prefix(&ada(), bytes).map(|_| ()),
        home.store.append(&ada(), bytes - 1, b"\n"),
        home.store.replace(&ada(), &vec![0; USER_FILE_BYTES_MAX + 1]),
    ];
    for result in refused {
        assert!(result.as_ref().is_err_and(too_large), "{result:?}");
    }
}

#[test]
fn store_verify_sees_rot_and_missing_bytes_and_cuts_nothing() {
    let history = History::of(2);
    let len = history.bytes.len() as u64;
    let mut rotten = history.bytes.clone();
    rotten[20] ^= 1;
    let (short, none) = (&history.bytes[..history.bytes.len() - 1], &b""[..]);
    for (bytes, expected) in [(&rotten[..], 1), (short, 2), (none, 1)] {
        let home = Home::with_ada(bytes);
        let error = home.store.verify(&ada(), len).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { line, .. } if line == expected), "{error:?}");
        assert_eq!(home.ada_bytes(), bytes);
    }
    let home = Home::with_ada(&[&history.bytes[..], b"torn"].concat());
    assert_eq!(home.store.verify(&ada(), len).unwrap(), loaded(&history));
}

#[test]
fn append_at_wrong_length_refused() {
    let history = History::of(1);
    let line = History::of(1).add(&[posted("two")]);
    let home = Home::with_ada(&history.bytes);
    let len = history.bytes.len() as u64;
    for at in [0, len - 1, len + 1] {
        let error = home.store.append(&ada(), at, &line).unwrap_err();
        assert!(
            matches!(error, StoreError::LengthDiffers { expected, found, .. }
                if expected == at && found == len),
            "{error:?}"
        );
    }
    assert_eq!(home.ada_bytes(), history.bytes);
    let nobody = UserName::parse("nobody").unwrap();
    assert!(matches!(home.store.append(&nobody, 5, &line), Err(StoreError::Io { .. })));
    assert!(!home.path("users/nobody.jsonl").exists());
}

#[test]
fn append_of_anything_but_one_line_refused() {
    let home = Home::new();
    let long = [vec![b'x'; LINE_BYTES_MAX], vec![b'\n']].concat();
    let cases: [(&[u8], LineError); 4] = [
        (b"", LineError::LineEnd),
        (b"{}", LineError::LineEnd),
        (b"{}\n{}\n", LineError::LineEnd),
        (&long, LineError::TooLong),
    ];
    for (bytes, expected) in cases {
        let error = home.store.append(&ada(), 0, bytes).unwrap_err();
        assert!(matches!(&error, StoreError::BadLine { source, .. } if *source == expected));
    }
    assert!(!home.path("users/ada.jsonl").exists());
}

#[test]
fn s46_append_with_failed_flush_retires_file_until_replaced() {
    let mut home = Home::new();
    let mut history = History::default();
    let first = history.add(&[posted("one")]);
    home.store.append(&ada(), 0, &first).unwrap();
    let second = history.add(&[posted("two")]);

    home.store.sync_data = |_| Err(io::Error::other("the disk is dying"));
    let error = home.store.append(&ada(), first.len() as u64, &second).unwrap_err();
    assert!(matches!(error, StoreError::SyncFailed { .. }), "{error:?}");

    // The next flush would succeed, which proves nothing: it must not be tried.
    home.store.sync_data = |_| panic!("flushed again");
    let len = home.ada_bytes().len() as u64;
    let error = home.store.append(&ada(), len, &second).unwrap_err();
    assert!(matches!(error, StoreError::Retired { .. }), "{error:?}");

    home.store.sync_data = crate::store::file::sync_data;
    home.store.replace(&ada(), &first).unwrap();
    home.store.append(&ada(), first.len() as u64, &second).unwrap();
    assert_eq!(home.ada_bytes(), history.bytes);
}

#[test]
fn replace_gives_new_file_to_readers_at_once() {
    let home = Home::with_ada(&History::of(1).bytes);
    let len = History::of(1).bytes.len() as u64;
    assert_eq!(home.store.read_prefix(&ada(), len).unwrap(), History::of(1).bytes);
    let mut other = History::default();
    other.add(&[posted("another history, written elsewhere")]);
    home.store.replace(&ada(), &other.bytes).unwrap();
    let len = other.bytes.len() as u64;
    assert_eq!(home.store.read_prefix(&ada(), len).unwrap(), other.bytes);
    assert_eq!(home.load().unwrap().0, loaded(&other));
    assert!(!home.path("users/ada.jsonl.tmp").exists());
}

#[test]
fn replace_overwrites_stale_temporary_file() {
    let home = Home::new();
    fs::write(home.path("users/ada.jsonl.tmp"), b"stale, and longer than what comes").unwrap();
    home.store.replace(&ada(), b"new\n").unwrap();
    assert_eq!(home.ada_bytes(), b"new\n");
}

fn read(store: &UserStore, offset: u64, len: u32) -> Result<Vec<u8>, StoreError> {
    let handle = store.handle(&ada())?.expect("ada has a file");
    store.read_place(&ada(), &handle, Place { offset, len })
}

#[test]
fn read_outside_file_or_not_an_entry_refused() {
    let history = History::of(2);
    let home = Home::with_ada(&history.bytes);
    let end = history.bytes.len() as u64;
    for (offset, len) in [(end, 1), (end - 1, 2), (u64::from(u32::MAX), 1)] {
        let read = read(&home.store, offset, len);
        assert!(matches!(read, Err(StoreError::NotAtPlace { .. })), "{read:?}");
    }
    let no_entry = Place { offset: 1, len: 20 };
    let read = home.store.read_text(&ada(), POST, no_entry).map(|said| said.text);
    assert!(matches!(read, Err(StoreError::NotAtPlace { .. })), "{read:?}");
    let error = home.store.read_prefix(&ada(), end + 1).unwrap_err();
    assert!(matches!(error, StoreError::LengthDiffers { found, .. } if found == end), "{error:?}");
    let nobody = UserName::parse("nobody").unwrap();
    let error = home.store.read_prefix(&nobody, 1).unwrap_err();
    assert!(matches!(error, StoreError::LengthDiffers { found: 0, .. }), "{error:?}");
}

#[test]
fn read_of_more_than_a_line_refused() {
    let home = Home::with_ada(&vec![b'x'; LINE_BYTES_MAX + 1]);
    let read = |len: usize| read(&home.store, 0, u32::try_from(len).unwrap());
    assert_eq!(read(LINE_BYTES_MAX).unwrap().len(), LINE_BYTES_MAX);
    let long = read(LINE_BYTES_MAX + 1);
    assert!(matches!(long, Err(StoreError::NotAtPlace { .. })), "a line is never so long");
}

/// Two lines of as many bytes, each the first of a file, and where their entry stands.
fn two_texts() -> ([Vec<u8>; 2], Place) {
    let lines = ["one", "two"].map(|text| History::default().add(&[posted(text)]));
    let home = Home::with_ada(&lines[0]);
    (lines, home.load().unwrap().1[0].entries[0].1)
}

#[track_caller]
fn check_says(home: &Home, place: Place, text: &str) {
    assert_eq!(home.store.read_text(&ada(), POST, place).unwrap().text, text);
}

#[test]
fn text_read_once_from_the_same_file() {
    let ([one, two], place) = two_texts();
    let home = Home::with_ada(&one);
    check_says(&home, place, "one");
    fs::write(home.path("users/ada.jsonl"), two).unwrap();
    check_says(&home, place, "one");
    check_says(&home.reopen(), place, "two");
}

#[test]
fn text_read_again_where_another_line_stands_now() {
    let ([one, two], place) = two_texts();
    let home = Home::with_ada(&one);
    check_says(&home, place, "one");
    home.store.replace(&ada(), &two).unwrap();
    check_says(&home, place, "two");
    home.store.compact(&ada(), &one).unwrap();
    check_says(&home, place, "one");
    home.store.cut(&ada(), 0).unwrap();
    home.store.append(&ada(), 0, &two).unwrap();
    check_says(&home, place, "two");
    home.store.replace(&ada(), b"damaged").unwrap();
    let text = home.store.read_text(&ada(), POST, place).map(|said| said.text);
    assert!(matches!(text, Err(StoreError::NotAtPlace { .. })), "{text:?}");
}

#[test]
fn read_text_of_entry_without_text_refused() {
    let mut history = History::default();
    history.add(&[Entry::Joined { at: Wall(4) }]);
    let home = Home::with_ada(&history.bytes);
    let place = home.load().unwrap().1[0].entries[0].1;
    let text = home.store.read_text(&ada(), POST, place).map(|said| said.text);
    assert!(matches!(text, Err(StoreError::NotAtPlace { .. })), "{text:?}");
    // Another post than was asked for: the file was replaced since the place was looked up.
    let home = Home::with_ada(&History::of(1).bytes);
    let place = home.load().unwrap().1[0].entries[0].1;
    assert_eq!(home.store.read_text(&ada(), POST, place).unwrap().text, "post 1");
    let text = home.store.read_text(&ada(), PostId::from_raw(112), place).map(|said| said.text);
    assert!(matches!(text, Err(StoreError::NotAtPlace { .. })), "{text:?}");
}

#[test]
fn s39_names_foreign_files_ignored_and_kept() {
    let home = Home::with_ada(b"");
    fs::write(home.path("users/ben.jsonl"), b"").unwrap();
    let foreign = ["notes.txt", "Ada.jsonl", "a.b.jsonl", "ada.jsonl~", "ada.jsonl.tmp2", ".jsonl"];
    for name in foreign {
        fs::write(home.path("users").join(name), b"mine").unwrap();
    }
    fs::create_dir(home.path("users/carol.jsonl")).unwrap();
    fs::create_dir(home.path("users/carol.jsonl.tmp")).unwrap();
    symlink("/etc/passwd", home.path("users/dora.jsonl")).unwrap();
    fs::write(home.path("users/eve.jsonl.tmp"), b"half").unwrap();
    let home = home.reopen();
    let names: Vec<_> =
        home.store.names().unwrap().iter().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["ada", "ben"]);
    assert!(!home.path("users/eve.jsonl.tmp").exists());
    for name in foreign {
        assert_eq!(fs::read(home.path("users").join(name)).unwrap(), b"mine", "{name}");
    }
    assert!(home.path("users/carol.jsonl.tmp").is_dir());
    assert!(home.path("users/dora.jsonl").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn s36_planted_link_pipe_socket_directory_refused() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), b"secret\n").unwrap();
    let plants: [&dyn Fn(&PathBuf); 4] = [
        &|path| symlink(secret.path(), path).unwrap(),
        &|path| fs::create_dir(path).unwrap(),
        &|path| drop(UnixListener::bind(path).unwrap()),
        &|path| {
            let kind = rustix::fs::FileType::Fifo;
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
        },
    ];
    for (number, plant) in plants.iter().enumerate() {
        let home = Home::new();
        plant(&home.path("users/ada.jsonl"));
        let line = History::default().add(&[posted("one")]);
        let refused = [
            home.load().map(|_| ()),
            home.store.append(&ada(), 0, &line),
            home.store.append(&ada(), 7, &line),
            home.store.read_text(&ada(), POST, Place { offset: 0, len: 6 }).map(|_| ()),
        ];
        for result in refused {
            assert!(
                matches!(result, Err(StoreError::Foreign { .. })),
                "plant {number}: {result:?}"
            );
        }
    }
    assert_eq!(fs::read(secret.path()).unwrap(), b"secret\n");
}
