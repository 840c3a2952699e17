//! A disk that runs full or read-only: what was there stays, what fits goes on.

use std::path::Path;

use parking_lot::Mutex;
use tern::id::{Hash128, NodeId};
use tern::store::check::repair;
use tern::store::{DataDir, NodeFile, NodeState, StoreError, UserStore};

use super::{CHILD_DIR, History, Home, ada, child};

/// Bytes that the disk, or a file, has room for.
const ROOM: u64 = 64 * 1024;
/// Lines that cannot all fit.
const LINES: u32 = 200;

fn fill(store: &UserStore) -> History {
    let mut history = History::default();
    let text = "x".repeat(1000);
    for _ in 0..LINES {
        let before = history.clone();
        let line = history.add(&text);
        match store.append(&ada(), before.bytes.len() as u64, &line) {
            Ok(()) => {}
            Err(StoreError::NoSpace { .. }) => return before,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("{LINES} lines fitted");
}

/// Fills ada's file and sees that what failed left no trace.
fn fill_and_check(directory: &Path, store: &UserStore) {
    let history = fill(store);
    let len = history.bytes.len() as u64;
    assert!(len <= ROOM);
    let on_disk = || std::fs::read(directory.join("users/ada.jsonl")).unwrap();
    assert_eq!(on_disk(), history.bytes, "the file is as long as before the line that failed");
    assert_eq!(store.load(&ada(), &mut |_| {}).unwrap().acc, history.version);
    assert_eq!(store.read_prefix(&ada(), len).unwrap(), history.bytes);

    let large = vec![b'x'; 2 * usize::try_from(ROOM).unwrap()];
    let error = store.replace(&ada(), &large).unwrap_err();
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error:?}");
    assert_eq!(on_disk(), history.bytes);
    assert!(!directory.join("users/ada.jsonl.tmp").exists());
}

/// Not a test by itself: what is done where files of more than `ROOM` bytes are not allowed.
#[test]
fn child_fills_its_file() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let store = UserStore::open(&DataDir::open(directory).unwrap()).unwrap();
    fill_and_check(directory, &store);
    r0272_free_is_only_what_is_given(directory, &store);
    // Neither failure has retired the file.
    let mut history = History::of(1);
    store.replace(&ada(), &history.bytes).unwrap();
    let at = history.bytes.len() as u64;
    store.append(&ada(), at, &history.add("there is room again")).unwrap();
    eprintln!("child is done");
}

/// Where somebody's share of a disk was used up, though much of it was free, the machine voted again every ten
/// seconds, and refused the next line.
fn r0272_free_is_only_what_is_given(directory: &Path, store: &UserStore) {
    assert!(store.disk_free_bytes().unwrap() > 2 * ROOM && !store.has_room_for(2 * ROOM));
    let held = || std::fs::read_dir(directory).unwrap().count();
    let before = held();
    assert!(store.has_room_for(ROOM / 2));
    assert_eq!(held(), before, "nothing is left of what was tried");
}

/// What a machine is.
fn machine() -> NodeFile {
    NodeFile::new(Hash128([1; 16]), NodeId::new(1).unwrap(), Hash128([2; 16]), vec![])
}

/// Not a test by itself: what is done on a disk of `ROOM` bytes.
#[test]
fn child_fills_its_disk() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let dir = DataDir::open(directory).unwrap();
    let file = machine();
    file.save(&dir).unwrap();
    let state = NodeState::new(&dir, file);
    let store = UserStore::open(&dir).unwrap();
    fill_and_check(directory, &store);
    assert!(store.disk_percent().unwrap() >= 90);
    let error = state.raise_ceiling(5).unwrap_err();
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error:?}");
    assert_eq!((state.ceiling(), NodeFile::load(&dir).unwrap().unwrap().ceiling), (0, 0));
    // A name needs no room, and the name is the mark.
    store.set_aside(&ada(), "a reason that does not fit").unwrap();
    assert_eq!(store.marks().unwrap(), [(ada(), String::new())]);
    // Room again: everything goes on.
    std::fs::remove_file(directory.join("damaged/ada.1.jsonl")).unwrap();
    let mut history = History::default();
    store.append(&ada(), 0, &history.add("there is room again")).unwrap();
    assert_eq!(state.raise_ceiling(5).unwrap(), 5);
    eprintln!("child is done");
}

/// Not a test by itself: somebody joins on a disk of `ROOM` bytes that is full.
#[test]
fn child_has_no_room_for_a_first_line() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let store = UserStore::open(&DataDir::open(directory).unwrap()).unwrap();
    let (file, others) = (directory.join("users/ada.jsonl"), directory.join("of-others"));
    take_the_rest(&others);
    let line = History::default().add(&"x".repeat(5000));
    let refused = store.append(&ada(), 0, &line);
    assert!(matches!(refused, Err(StoreError::NoSpace { .. })), "{refused:?}");
    assert!(!file.exists(), "a file without a line looks like one that lost them");
    std::fs::remove_file(&others).unwrap();
    store.append(&ada(), 0, &line).unwrap();
    assert_eq!(store.read_prefix(&ada(), line.len() as u64).unwrap(), line);
    eprintln!("child is done");
}

/// Not a test by itself: what is done on a disk of 4 MiB, of which one is ballast.
#[test]
fn child_lives_on_its_ballast() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let (state, store) = started(directory);
    let ballast = directory.join("ballast");
    assert_eq!(ballast.metadata().unwrap().len(), 1 << 20);
    let mut history = History::of(3);
    store.replace(&ada(), &history.bytes).unwrap();

    let others = directory.join("of-others");
    take_the_rest(&others);
    let at = history.bytes.len() as u64;
    let line = history.clone().add(&"y".repeat(5000));
    let is_full = |result| matches!(result, Err(StoreError::NoSpace { .. }));
    assert!(is_full(store.append(&ada(), at, &line)) && ballast.exists(), "a line can wait");

    // What cannot wait goes on, and what can must not eat the room that was made for it.
    assert_eq!(state.raise_ceiling(5).unwrap(), 5);
    assert!(!ballast.exists());
    assert!(is_full(store.append(&ada(), at, &line)) && is_full(store.replace(&ada(), &line)));
    assert!(!store.keep_ballast());
    store.mark_damaged(&ada(), "a reason").unwrap();
    assert_eq!(store.marks().unwrap(), [(ada(), "a reason\n".trim().to_owned())]);
    store.compact(&ada(), &History::of(2).bytes).unwrap();
    assert_eq!(store.load(&ada(), &mut |_| {}).unwrap().acc.seq, 2);

    // Room again: it recovers by itself.
    std::fs::remove_file(&others).unwrap();
    history = History::of(2);
    let at = history.bytes.len() as u64;
    store.append(&ada(), at, &history.add("there is room again")).unwrap();
    assert!(ballast.exists() && store.keep_ballast());
    eprintln!("child is done");
}

/// What the log said, of a process that runs one test alone.
struct Said(Mutex<Vec<String>>);

impl log::Log for Said {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

static SAID: Said = Said(Mutex::new(Vec::new()));

/// A machine's place and its files, with the ballast made.
fn started(directory: &Path) -> (NodeState, UserStore) {
    let dir = DataDir::open(directory).unwrap();
    let state = NodeState::new(&dir, machine());
    let store = UserStore::open(&dir).unwrap();
    store.start().unwrap();
    (state, store)
}

/// Takes all the room that there is.
fn take_the_rest(others: &Path) {
    let mut file = std::fs::File::create(others).unwrap();
    let full = std::io::copy(&mut std::io::repeat(b'x'), &mut file).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
}

/// Not a test by itself: what is said on a disk of 4 MiB while writes are refused for its ballast.
#[test]
fn child_is_refused_without_its_ballast() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    log::set_logger(&SAID).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let directory = Path::new(&directory);
    let (state, store) = started(directory);
    let history = History::of(3);
    store.replace(&ada(), &history.bytes).unwrap();
    take_the_rest(&directory.join("of-others"));
    state.raise_ceiling(5).unwrap();
    assert!(!directory.join("ballast").exists());
    let at = history.bytes.len() as u64;
    for _ in 0..10 {
        let refused = store.append(&ada(), at, &history.clone().add("not now"));
        assert!(matches!(refused, Err(StoreError::NoSpace { .. })), "{refused:?}");
        assert!(!store.keep_ballast());
    }
    assert_eq!(*SAID.0.lock(), ["disk full, ballast given up"]);
    eprintln!("child is done");
}

/// Not a test by itself: two who make the ballast of a disk of 4 MiB while others make room on it.
#[test]
fn child_makes_its_ballast_twice_at_once() {
    const ROUNDS: u64 = 20;
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let (state, store) = started(directory);
    let (ballast, others) = (directory.join("ballast"), directory.join("of-others"));
    for round in 1..=ROUNDS {
        take_the_rest(&others);
        state.raise_ceiling(round * 1000).unwrap();
        assert!(!ballast.exists());
        let make = || while !store.keep_ballast() {};
        std::thread::scope(|scope| {
            scope.spawn(make);
            scope.spawn(make);
            std::fs::remove_file(&others).unwrap();
        });
        assert!(ballast.exists(), "round {round}: said to be there");
    }
    eprintln!("child is done");
}

/// Not a test by itself: what is done while a disk becomes read-only and writable again.
#[test]
fn child_sees_disk_turn_read_only() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let dir = DataDir::open(directory).unwrap();
    let store = UserStore::open(&dir).unwrap();
    let mut history = History::of(2);
    let at = history.bytes.len() as u64;
    store.replace(&ada(), &history.bytes).unwrap();
    let remount = |how: &str| {
        let options = format!("remount,{how}");
        let status =
            std::process::Command::new("mount").args(["-o", &options]).arg(directory).status();
        assert!(status.unwrap().success());
    };
    remount("ro");
    let line = history.clone().add("not now");
    let refused = [
        store.append(&ada(), at, &line),
        store.replace(&ada(), &line),
        store.compact(&ada(), &line),
    ];
    for result in refused {
        assert!(matches!(result, Err(StoreError::NoSpace { .. })), "{result:?}");
    }
    assert_eq!(store.read_prefix(&ada(), at).unwrap(), history.bytes);
    assert_eq!(store.load(&ada(), &mut |_| {}).unwrap().acc, history.version);
    assert_eq!(store.verify(&ada(), at).unwrap().len, at);
    assert!(store.mark_damaged(&ada(), "why").is_err() && store.marks().unwrap().is_empty());
    remount("rw");
    store.append(&ada(), at, &history.add("now it fits")).unwrap();
    eprintln!("child is done");
}

/// Not a test by itself: what is done on a disk that became read-only.
#[test]
fn child_meets_read_only_disk() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let error = DataDir::open(Path::new(&directory)).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    eprintln!("child is done");
}

/// Not a test by itself: what is done with a damaged file on a disk that is full.
#[test]
fn child_sets_a_file_aside() {
    let Ok(directory) = std::env::var(CHILD_DIR) else { return };
    let directory = Path::new(&directory);
    let dir = DataDir::open(directory).unwrap();
    machine().save(&dir).unwrap();
    let store = UserStore::open(&dir).unwrap();
    store.start().unwrap();
    let mut history = History::of(2);
    let intact = history.bytes.clone();
    history.add("rotten");
    let mut rotten = history.bytes;
    let at = rotten.len() - 20;
    rotten[at] ^= 1;
    let file = directory.join("users/ada.jsonl");
    std::fs::write(&file, &rotten).unwrap();
    let fill = directory.join("fill");
    let mut filling = std::fs::File::create(&fill).unwrap();
    while std::io::Write::write_all(&mut filling, &[0; 4096]).is_ok() {}
    drop((store, dir));
    let error = repair(directory).unwrap_err();
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error:?}");
    assert_eq!(std::fs::read(&file).unwrap(), rotten, "nothing was touched");
    // A machine that runs cannot wait: the ballast makes room.
    let store = UserStore::open(&DataDir::open(directory).unwrap()).unwrap();
    store.set_aside(&ada(), "line 3").unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), intact);
    drop(store);
    std::fs::write(&file, &rotten).unwrap();
    std::fs::remove_file(fill).unwrap();
    repair(directory).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), intact);
    eprintln!("child is done");
}

fn run(test: &str, wrapper: &[&str]) {
    let home = Home::new();
    let output = child(test, &home.path(""), wrapper).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NOT_ALLOWED) {
        eprintln!("skipped, this account may not mount: {errors}");
        return;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && errors.contains("child is done"), "{said}{errors}");
}

/// What the wrapper exits with where it may not do its work.
const NOT_ALLOWED: i32 = 77;

#[test]
fn file_size_limit_leaves_old_state() {
    // `ROOM` in half-kilobyte blocks; the signal that comes with the error is ignored across the exec.
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
    run("crash::full::child_fills_its_file", &["sh", "-c", script]);
}

/// Runs a test on a disk of `ROOM` bytes, in a mount namespace that goes with the process.
fn run_on_small_disk(test: &str, then: &str) {
    run_on_disk("64k", test, then);
}

fn run_on_disk(size: &str, test: &str, then: &str) {
    let mount = format!("mount -t tmpfs -o size={size} tern-test \"$TERN_TEST_CHILD_DIR\"");
    let script = format!("{mount} && {then} || exit 77; exec \"$0\" \"$@\"");
    let enter = "unshare -m true || exit 77; exec unshare -m sh -c \"$0\" \"$@\"";
    run(test, &["sh", "-c", enter, &script]);
}

#[test]
fn s46_full_disk_leaves_old_state() {
    run_on_small_disk("crash::full::child_fills_its_disk", "true");
}

#[test]
fn r0230_first_line_that_does_not_fit_leaves_no_file() {
    run_on_small_disk("crash::full::child_has_no_room_for_a_first_line", "true");
}

#[test]
fn read_only_disk_named_at_open() {
    let remount = "mount -o remount,ro \"$TERN_TEST_CHILD_DIR\"";
    run_on_small_disk("crash::full::child_meets_read_only_disk", remount);
}

#[test]
fn full_disk_lives_on_its_ballast() {
    run_on_disk("4m", "crash::full::child_lives_on_its_ballast", "true");
}

#[test]
fn disk_turned_read_only_refuses_writes_and_reads_on() {
    run_on_disk("4m", "crash::full::child_sees_disk_turn_read_only", "true");
}

#[test]
fn r0028_ballast_that_cannot_be_made_again_is_said_once() {
    run_on_disk("4m", "crash::full::child_is_refused_without_its_ballast", "true");
}

#[test]
fn r0028_ballast_made_by_two_at_once_is_there() {
    run_on_disk("4m", "crash::full::child_makes_its_ballast_twice_at_once", "true");
}

#[test]
fn r0145_what_is_intact_of_a_damaged_file_has_its_name_on_a_full_disk() {
    run_on_disk("4m", "crash::full::child_sets_a_file_aside", "true");
}
