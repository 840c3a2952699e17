//! Files with kinds of entries that the first version refuses: built anew they are the same bytes, and
//! compacted they tell the same.

use std::fs;

use tern::store::scan::scan;
use tern::store::snapshot::fold;
use tern::user::User;
use tern::user::entry::{Entry, SessionId};

use super::golden::{File, account, at, version};
use super::{golden_later, user};

/// Somebody who keeps others at a distance.
fn ivo() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Ivo", 0, &SessionId("1b".repeat(32))));
    let (ben, zoe) = (|| user("ben"), || user("zoe"));
    file.add(version(1, 1, 2), None, &[Entry::Muted { at: at(1), user: ben() }]);
    file.add(version(1, 1, 3), None, &[Entry::Unmuted { at: at(2), user: ben() }]);
    file.add(version(1, 1, 4), None, &[Entry::Followed { at: at(3), user: zoe() }]);
    let blocked = Entry::Blocked { at: at(4), user: zoe() };
    file.add(version(1, 1, 5), None, &[blocked, Entry::Unfollowed { at: at(4), user: zoe() }]);
    file.add(version(1, 1, 6), None, &[Entry::Blocked { at: at(5), user: ben() }]);
    file.add(version(1, 1, 7), None, &[Entry::Unblocked { at: at(6), user: ben() }]);
    file
}

/// Every file, and how it is made.
fn files() -> [(&'static str, File); 1] {
    [("ivo", ivo())]
}

/// What a file tells of its user.
fn told(bytes: &[u8]) -> User {
    let mut told = User::absent(user("ada"));
    scan(bytes, &mut |line| line.apply_to(&mut told, |_, _| {}));
    told
}

#[test]
fn later_files_spelled_the_same_today() {
    for (name, file) in files() {
        let path = golden_later().join(format!("{name}.jsonl"));
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(String::from_utf8(file.bytes).unwrap(), golden, "{}", path.display());
    }
}

#[test]
fn later_files_compacted_tell_the_same() {
    for (name, file) in files() {
        let mut last = None;
        scan(&file.bytes, &mut |line| last = Some(line.version));
        let folded = fold(&user(name), &file.bytes, last.unwrap()).unwrap().unwrap();
        assert!(folded.bytes.len() < file.bytes.len(), "{name}");
        assert!(told(&folded.bytes).says_same(&told(&file.bytes)), "{name}");
    }
}
