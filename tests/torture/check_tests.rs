//! That the checks can fail: each is shown a history that is broken in its way.

use super::check::{BEHIND, violations};
use super::history::{Attempt, History, Kind, Op, Read, Told};
use super::witness::{Entry, Files, Line};

const USER: &str = "ada";

fn op(id: &str, kind: Kind, times: (u64, u64), told: Told) -> Op {
    let attempt = Attempt { sent: times.0, answered: times.1, told, to: "a test".to_owned() };
    Op { user: USER.to_owned(), id: id.to_owned(), kind, attempts: vec![attempt] }
}

/// A post that was saved, named after its number.
fn post(number: &str, times: (u64, u64)) -> Op {
    let kind = Kind::Post { text: format!("text {number}") };
    op(&format!("id {number}"), kind, times, Told::Saved(Some(number.to_owned())))
}

fn version(number: usize) -> String {
    format!("1.1.1.1.{number}")
}

fn line(version: usize, request: (&str, &str), entry: Entry) -> Line {
    let requests = vec![(request.0.to_owned(), request.1.to_owned())];
    Line { version: self::version(version), requests, entries: vec![entry], is_summary: false }
}

fn posted(version: usize, number: &str) -> Line {
    let entry = Entry::Posted { id: number.to_owned(), text: format!("text {number}") };
    line(version, (&format!("id {number}"), number), entry)
}

/// Ada joins, posts 5, 6 and 7, takes back 6 and follows ben; all of it fits.
fn good() -> (History, Files) {
    let saved = || Told::Saved(None);
    let ops = vec![
        op("join", Kind::Join, (1, 2), saved()),
        post("5", (3, 4)),
        post("6", (5, 6)),
        op("delete", Kind::Delete { post: "6".to_owned() }, (7, 8), saved()),
        post("7", (9, 10)),
        op("follow", Kind::Follow { whom: "ben".to_owned() }, (11, 12), saved()),
    ];
    let lines = vec![
        line(1, ("join", ""), Entry::Joined),
        posted(2, "5"),
        posted(3, "6"),
        line(4, ("delete", ""), Entry::Deleted { id: "6".to_owned() }),
        posted(5, "7"),
        line(6, ("follow", ""), Entry::Followed { user: "ben".to_owned() }),
    ];
    let history = History { ops, reads: vec![read(13, &["7", "5"])], wrong: Vec::new() };
    (history, Files::from([(USER.to_owned(), lines)]))
}

/// A stranger's read at one moment.
fn read(tick: u64, numbers: &[&str]) -> Read {
    Read {
        user: USER.to_owned(),
        answered: tick + 1,
        seen: None,
        acknowledged: Vec::new(),
        shown: numbers.iter().map(|n| ((*n).to_owned(), format!("text {n}"))).collect(),
        has_older: false,
        is_stale: false,
        may_be_of_old: false,
        from: "a test".to_owned(),
    }
}

fn lines(files: &mut Files) -> &mut Vec<Line> {
    files.get_mut(USER).unwrap()
}

/// Breaks what is good, and wants exactly this to be found.
fn check_found(what: &str, break_it: impl FnOnce(&mut History, &mut Files)) {
    let (mut history, mut files) = good();
    break_it(&mut history, &mut files);
    let found = violations(&history, &files);
    assert!(!found.is_empty(), "{what} was not found");
    assert!(found.iter().any(|text| text.starts_with(what)), "{what}: {found:#?}");
}

fn check_good(change: impl FnOnce(&mut History, &mut Files)) {
    let (mut history, mut files) = good();
    change(&mut history, &mut files);
    assert_eq!(violations(&history, &files), [""; 0]);
}

#[test]
fn good_history_has_nothing_wrong() {
    check_good(|_, _| {});
}

#[test]
fn lost_acknowledged_post_found() {
    check_found("lost", |history, files| {
        history.reads.clear();
        lines(files).remove(4);
    });
}

#[test]
fn lost_deletion_and_lost_follow_found() {
    check_found("lost", |history, files| {
        history.reads.clear();
        lines(files).remove(3);
    });
    check_found("lost", |_, files| {
        lines(files).pop();
    });
}

#[test]
fn lost_whole_file_found() {
    check_found("lost", |_, files| files.clear());
}

#[test]
fn post_twice_found_by_id_and_by_text() {
    check_found("doubled", |_, files| {
        let again = posted(7, "5");
        lines(files).push(again);
    });
    check_found("doubled", |_, files| {
        let mut again = posted(7, "5");
        again.requests.clear();
        lines(files).push(again);
    });
}

#[test]
fn order_reversed_found() {
    check_found("order reversed", |history, files| {
        history.reads.clear();
        lines(files).swap(1, 4);
    });
    // In one line stand only requests that waited together.
    check_found("order reversed", |history, files| {
        history.reads.clear();
        let moved = lines(files).remove(1);
        let line = &mut lines(files)[1];
        line.requests.extend(moved.requests);
        line.entries.extend(moved.entries);
    });
}

#[test]
fn vanished_read_found() {
    check_found("vanished", |history, _| history.reads.push(read(13, &["8", "7", "5"])));
    check_found("vanished", |history, _| {
        history.reads.push(Read { seen: Some(version(99)), ..read(13, &["7", "5"]) });
    });
}

#[test]
fn read_behind_its_session_found() {
    check_good(|history, _| history.reads.push(read(13, &["5"])));
    check_found(BEHIND, |history, _| {
        history.reads.push(Read { acknowledged: vec!["id 7".to_owned()], ..read(13, &["5"]) });
    });
    check_found(BEHIND, |history, _| {
        history.reads.push(Read { seen: Some(version(5)), ..read(13, &["5"]) });
    });
    // Who is told that the machine is cut off is told why.
    let seen = Some(version(5));
    check_good(|history, _| {
        history.reads.push(Read { seen, is_stale: true, ..read(13, &["5"]) });
    });
    // The program before did not tell; what it shows must have been so once all the same.
    let by_old = |numbers| Read { may_be_of_old: true, ..read(13, numbers) };
    let seen = Some(version(5));
    check_good(|history, _| history.reads.push(Read { seen, ..by_old(&["5"]) }));
    check_found("read of no moment", |history, _| history.reads.push(by_old(&["7"])));
    check_found("vanished", |history, _| history.reads.push(by_old(&["8", "7", "5"])));
}

#[test]
fn read_of_no_prefix_or_of_the_future_found() {
    check_found("read of no moment", |history, _| history.reads.push(read(13, &["7"])));
    check_found("read of no moment", |history, _| history.reads.push(read(13, &["6", "5", "7"])));
    check_found("read of no moment", |history, _| history.reads.push(read(4, &["7", "5"])));
}

#[test]
fn read_while_posts_are_deleted_fits() {
    check_good(|history, _| history.reads.push(read(13, &["5"])));
    check_good(|history, _| history.reads.push(read(6, &["6", "5"])));
    check_good(|history, _| history.reads.push(Read { has_older: true, ..read(13, &["7"]) }));
}

#[test]
fn two_winners_found() {
    check_found("two winners", |history, _| {
        history.ops.push(op("other", Kind::Join, (1, 2), Told::Saved(None)));
    });
    check_found("two winners", |_, files| {
        lines(files).push(line(7, ("join", ""), Entry::Joined));
    });
}

#[test]
fn nothing_saved_that_took_effect_found() {
    check_found("took effect", |history, _| {
        history.ops[1].attempts[0].told = Told::Nothing("NoMajority".to_owned());
    });
    // Sent again and acknowledged, it may; and what is open may or may not.
    check_good(|history, _| {
        let mut before = history.ops[1].attempts[0].clone();
        before.told = Told::Nothing("NoMajority".to_owned());
        history.ops[1].attempts.insert(0, before);
    });
    check_good(|history, _| history.ops[1].attempts[0].told = Told::Lost);
    check_good(|history, _| {
        let kind = Kind::Post { text: "open".to_owned() };
        history.ops.push(op("open", kind, (3, 4), Told::Lost));
    });
}

#[test]
fn follow_that_needed_no_line_fits_its_moment_only() {
    let again = |from, to| {
        op("again", Kind::Follow { whom: "ben".to_owned() }, (from, to), Told::Saved(None))
    };
    check_good(|history, _| history.ops.push(again(13, 14)));
    check_found("lost", |history, _| history.ops.push(again(5, 6)));
}

#[test]
fn other_receipt_conflict_and_stranger_found() {
    check_found("another receipt", |history, _| {
        history.ops[1].attempts[0].told = Told::Saved(Some("9".to_owned()));
    });
    check_found("conflict", |history, _| history.ops[1].attempts[0].told = Told::Conflict);
    check_found("never asked for", |history, _| {
        history.ops.pop();
    });
    check_found("a word", |history, _| history.wrong.push("a word".to_owned()));
}

/// Folds the first five lines as the program does: post 6 is gone, that it was deleted is not.
fn fold(files: &mut Files) {
    let lines = lines(files);
    let folded: Vec<Line> = lines.drain(..5).collect();
    let is_gone = |entry: &Entry| matches!(entry, Entry::Posted { id, .. } if id == "6");
    let requests = folded.iter().flat_map(|line| line.requests.clone()).collect();
    let entries = folded.into_iter().flat_map(|line| line.entries);
    let entries = entries.filter(|entry| !is_gone(entry)).collect();
    lines.insert(0, Line { version: version(5), requests, entries, is_summary: true });
}

#[test]
fn folded_history_fits_whatever_was_seen_before() {
    check_good(|_, files| fold(files));
    check_good(|history, files| {
        fold(files);
        history.reads.push(read(6, &["6", "5"]));
        let acknowledged = vec!["id 6".to_owned()];
        history.reads.push(Read { acknowledged, ..read(6, &["6", "5"]) });
        history.reads.push(Read { seen: Some(version(3)), ..read(6, &["6", "5"]) });
    });
}

#[test]
fn folded_history_does_not_hide_what_is_lost() {
    check_found("lost", |_, files| {
        fold(files);
        lines(files)[0].entries.retain(|entry| !matches!(entry, Entry::Deleted { .. }));
    });
    check_found("lost", |_, files| {
        fold(files);
        let gone = |entry: &Entry| matches!(entry, Entry::Posted { id, .. } if id == "5");
        lines(files)[0].entries.retain(|entry| !gone(entry));
    });
    check_found("lost", |_, files| {
        fold(files);
        lines(files)[0].requests.retain(|request| request.0 != "id 5");
    });
    check_found("order reversed", |_, files| {
        fold(files);
        lines(files)[0].requests.swap(1, 4);
    });
    check_found("vanished", |history, files| {
        fold(files);
        history.reads.push(read(13, &["8", "5"]));
    });
    check_found("vanished", |history, files| {
        fold(files);
        history.reads.push(Read { seen: Some(version(99)), ..read(13, &["7", "5"]) });
    });
    check_found("read", |history, files| {
        fold(files);
        history.reads.push(Read { seen: Some(version(6)), ..read(13, &["5"]) });
    });
}
