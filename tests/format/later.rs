//! Files with kinds of entries that the first version refuses: built anew they are the same bytes, and
//! compacted they tell the same.

use std::fs;

use tern::id::{PictureKind, PictureName};
use tern::store::scan::scan;
use tern::store::snapshot::fold;
use tern::user::User;
use tern::user::aside::Poll;
use tern::user::entry::{Audience, CodeHash, Entry, House, Picture, PostRef, SessionId, Signup};

use super::golden::{File, account, at, post, version};
use super::{golden_later, user};

/// Somebody who keeps others at a distance.
fn ivo() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Ivo", 0, &SessionId("1b".repeat(32))));
    let (ben, zoe) = (|| user("ben"), || user("zoe"));
    file.add(version(1, 1, 2), None, &[Entry::Muted { at: at(1), user: ben(), until: None }]);
    file.add(version(1, 1, 3), None, &[Entry::Unmuted { at: at(2), user: ben() }]);
    file.add(version(1, 1, 4), None, &[Entry::Followed { at: at(3), user: zoe() }]);
    let blocked = Entry::Blocked { at: at(4), user: zoe() };
    file.add(version(1, 1, 5), None, &[blocked, Entry::Unfollowed { at: at(4), user: zoe() }]);
    file.add(version(1, 1, 6), None, &[Entry::Blocked { at: at(5), user: ben() }]);
    file.add(version(1, 1, 7), None, &[Entry::Unblocked { at: at(6), user: ben() }]);
    file
}

/// A keeper, and no more.
fn kim() -> File {
    let mut file = File::default();
    let mut round = 1;
    let mut add = |entries: &[Entry]| {
        file.add(version(round, 1, 1), None, entries);
        round += 1;
    };
    let (ben, zoe) = (|| user("ben"), || user("zoe"));
    let reason = || "We are kind here.".to_owned();
    let code = |digits: &str| CodeHash(digits.repeat(32));
    let house = House {
        signup: Signup::Invited,
        words: "A lane with \"seeds\".".to_owned(),
        ..House::default()
    };
    add(&account("Kim", 0, &SessionId("4b".repeat(32))));
    add(&[Entry::KeeperMade { at: at(1) }]);
    add(&[Entry::CommunitySet { at: at(2), house }]);
    add(&[Entry::InvitationMade { at: at(3), code: code("0c"), uses: 2, until: at(99) }]);
    add(&[Entry::InvitationUsed { at: at(4), code: code("0c"), by: user("noa") }]);
    add(&[Entry::InvitationMade { at: at(5), code: code("1c"), uses: 1, until: at(99) }]);
    add(&[Entry::InvitationEnded { at: at(6), code: code("1c") }]);
    add(&[Entry::PostHidden { at: at(7), user: ben(), id: post(2), reason: reason() }]);
    add(&[Entry::PostShown { at: at(8), user: ben(), id: post(2) }]);
    add(&[Entry::ReportClosed { at: at(9), user: ben(), id: post(2) }]);
    add(&[Entry::ReportReopened { at: at(10), user: ben(), id: post(2) }]);
    let until = Some(at(200));
    add(&[Entry::MemberSuspended { at: at(11), user: ben(), until, reason: reason() }]);
    add(&[Entry::SuspensionLifted { at: at(12), user: ben() }]);
    add(&[Entry::MemberSuspended { at: at(13), user: ben(), until: None, reason: reason() }]);
    add(&[Entry::MemberRefused { at: at(14), user: zoe(), reason: reason() }]);
    add(&[Entry::MemberUndecided { at: at(15), user: zoe() }]);
    add(&[Entry::MemberAdmitted { at: at(16), user: zoe() }]);
    add(&[Entry::KeeperEnded { at: at(17) }]);
    file
}

/// Somebody who was invited, and reported a post.
fn noa() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Noa", 4, &SessionId("0a".repeat(32))));
    let joined_with =
        Entry::JoinedWith { at: at(4), code: CodeHash("0c".repeat(32)), inviter: user("kim") };
    file.add(version(1, 1, 2), None, &[joined_with, Entry::AskedIn { at: at(4) }]);
    let reported = |minute, reason: &str| Entry::Reported {
        at: at(minute),
        user: user("ben"),
        id: post(2),
        reason: reason.to_owned(),
    };
    file.add(version(1, 1, 3), None, &[reported(5, "Rude.")]);
    file.add(version(1, 1, 4), None, &[reported(9, "Still rude.")]);
    file
}

/// Somebody whose app sent two pictures, and posted one of them.
fn uma() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Uma", 0, &SessionId("5c".repeat(32))));
    let picture = |shows: &str, sent_as| {
        let thumb = PictureName::of(PictureKind::Jpeg, b"small");
        let file = PictureName::of(PictureKind::Png, b"large");
        let (width, height, description) = (640, 480, shows.to_owned());
        Picture { file, thumb, width, height, bytes: 90_000, description, sent_as }
    };
    let sent = |minute, n, shows| Entry::PictureSent {
        at: at(minute),
        id: post(n),
        picture: picture(shows, None),
    };
    file.add(version(1, 1, 2), Some(post(1)), &[sent(1, 1, "")]);
    file.add(version(1, 1, 3), Some(post(1)), &[sent(2, 1, "A gull")]);
    file.add(version(1, 1, 4), Some(post(2)), &[sent(3, 2, "")]);
    let posted = Entry::Posted {
        at: at(4),
        id: post(3),
        text: String::new(),
        reply_to: None,
        note: None,
        pictures: vec![picture("A gull", Some(post(1)))],
        sensitive: false,
    };
    file.add(version(1, 1, 5), Some(post(3)), &[posted]);
    file
}

/// Somebody who does not write for everybody.
fn vera() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Vera", 0, &SessionId("3e".repeat(32))));
    let said = |n, audience, reply_to| Entry::PostedFor {
        at: at(n),
        id: post(n),
        audience,
        text: "To @ben".to_owned(),
        reply_to,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    let parent = Some(PostRef { user: user("ben"), id: post(2) });
    file.add(version(1, 1, 2), Some(post(1)), &[said(1, Audience::Quiet, None)]);
    file.add(version(1, 1, 3), Some(post(3)), &[said(3, Audience::Followers, parent)]);
    file.add(version(1, 1, 4), Some(post(4)), &[said(4, Audience::Named, None)]);
    file.add(version(1, 1, 5), Some(post(5)), &[said(5, Audience::Named, None)]);
    file.add(version(1, 1, 6), None, &[Entry::PostDeleted { at: at(6), id: post(5), few: false }]);
    let (text, note) = ("To @zoe".to_owned(), None);
    file.add(
        version(1, 1, 7),
        None,
        &[Entry::PostEdited {
            at: at(7),
            id: post(4),
            text,
            note,
            sensitive: None,
            descriptions: None,
        }],
    );
    file
}

/// Somebody who asks, answers, and wants to hear nothing of a thread.
fn wim() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Wim", 0, &SessionId("6f".repeat(32))));
    let asks = |n, audience, [many, hides_votes]: [bool; 2]| Entry::PostedPoll {
        at: at(n),
        id: post(n),
        audience,
        text: "Tea or cake?".to_owned(),
        reply_to: None,
        note: None,
        poll: Poll {
            options: vec!["Tea".to_owned(), "Cake".to_owned()],
            until: at(n + 60),
            many,
            hides_votes,
        },
        sensitive: false,
    };
    let of_ben = |n| PostRef { user: user("ben"), id: post(n) };
    let chosen = |n, places: &[usize]| Entry::Voted {
        at: at(n),
        post: of_ben(2),
        choices: places.iter().copied().collect(),
    };
    file.add(version(1, 1, 2), Some(post(1)), &[asks(1, Audience::Everyone, [false, false])]);
    file.add(version(1, 1, 3), Some(post(3)), &[asks(3, Audience::Followers, [true, true])]);
    file.add(version(1, 1, 4), Some(post(4)), &[asks(4, Audience::Everyone, [false, false])]);
    file.add(version(1, 1, 5), None, &[Entry::PostDeleted { at: at(5), id: post(4), few: false }]);
    file.add(version(1, 1, 6), None, &[chosen(6, &[1, 0])]);
    file.add(version(1, 1, 7), None, &[chosen(7, &[1])]);
    let (text, note) = ("Tea, or cake?".to_owned(), None);
    file.add(
        version(1, 1, 8),
        None,
        &[Entry::PostEdited {
            at: at(8),
            id: post(3),
            text,
            note,
            sensitive: None,
            descriptions: None,
        }],
    );
    file.add(version(1, 1, 9), None, &[Entry::ThreadMuted { at: at(9), post: of_ben(2) }]);
    file.add(version(1, 1, 10), None, &[Entry::ThreadMuted { at: at(10), post: of_ben(3) }]);
    file.add(version(1, 1, 11), None, &[Entry::ThreadUnmuted { at: at(11), post: of_ben(2) }]);
    file
}

/// Somebody who removed followers, one of them twice.
fn liv() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Liv", 0, &SessionId("7a".repeat(32))));
    let removed = |n, name| Entry::FollowerRemoved { at: at(n), user: user(name) };
    file.add(version(1, 1, 2), None, &[removed(1, "ben")]);
    file.add(version(1, 1, 3), None, &[Entry::Blocked { at: at(2), user: user("zoe") }]);
    let unblocked = Entry::Unblocked { at: at(3), user: user("zoe") };
    file.add(version(1, 1, 4), None, &[removed(3, "zoe"), unblocked]);
    file.add(version(1, 1, 5), None, &[removed(4, "ben")]);
    file
}

/// Somebody who mutes others for a while.
fn max() -> File {
    let mut file = File::default();
    file.add(version(1, 1, 1), None, &account("Max", 0, &SessionId("8d".repeat(32))));
    let muted = |n, name, until| Entry::Muted { at: at(n), user: user(name), until };
    file.add(version(1, 1, 2), None, &[muted(1, "ben", Some(at(61)))]);
    let unmuted = Entry::Unmuted { at: at(2), user: user("ben") };
    file.add(version(1, 1, 3), None, &[unmuted, muted(2, "ben", Some(at(122)))]);
    file.add(version(1, 1, 4), None, &[muted(3, "zoe", None)]);
    file
}

/// Every file, and how it is made.
fn files() -> [(&'static str, File); 8] {
    [
        ("ivo", ivo()),
        ("kim", kim()),
        ("liv", liv()),
        ("max", max()),
        ("noa", noa()),
        ("uma", uma()),
        ("vera", vera()),
        ("wim", wim()),
    ]
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
