//! Taking in what was taken along, at each edge: what is wrong is found, and again changes nothing.

use super::*;
use crate::limits::{NOTE_CHARS_MAX, POST_CHARS_MAX};
use crate::user::{Place, Recorded};

const NOW: Wall = Wall(1_767_225_600_000);

fn id(n: u64) -> PostId {
    PostId::from_raw((NOW.0 - 1_000 + n) << 16 | 0x3001)
}

fn saying(text: &str) -> Saying {
    Saying { at: NOW, text: text.to_owned(), note: None }
}

fn old(n: u64) -> OldPost {
    let (id, last) = (id(n), saying("Tea?"));
    let at = Wall(id.at_ms());
    let (audience, earlier) = (Audience::Everyone, Vec::new());
    OldPost { id, at, is_edited: false, audience, reply_to: None, earlier, last }
}

fn checked(n: u64, reply_to: Option<PostRef>) -> Checked {
    OldPost { reply_to, ..old(n) }.check(NOW).unwrap()
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

fn of(user: &str, n: u64) -> PostRef {
    PostRef { user: name(user), id: id(n) }
}

fn apply(user: &mut User, plan: &Plan) {
    plan.entries.iter().for_each(|entry| user.apply(entry, Place::default()));
}

fn newcomer(display_name: &str) -> Newcomer {
    let (display_name, bio) = (display_name.to_owned(), String::new());
    let (members_only, posts_for) = (true, Audience::Followers);
    Newcomer { display_name, bio, members_only, posts_for, joined_at: Wall(7) }
}

/// Ada as an import has begun her.
fn ada() -> User {
    let mut ada = User::absent(name("ada"));
    let plan = begin(&ada, &newcomer("Ada"), "hash", NOW).unwrap();
    ada.record(Recorded { id: Step::Begun.key(FILE).id, digest: FILE, result: plan.result });
    apply(&mut ada, &plan);
    ada
}

const FILE: Hash128 = Hash128([9; 16]);

#[test]
fn account_begun_remembers_its_file_alone() {
    let ada = ada();
    assert_eq!((ada.joined_at, ada.display_name.as_str()), (Wall(7), "Ada"));
    assert!(ada.members_only, "what was not for strangers there is not for strangers here");
    assert_eq!(ada.posts_for, Audience::Followers);
    assert_eq!(check_under_way(&ada, FILE), Ok(()));
    assert_eq!(check_under_way(&ada, Hash128([8; 16])), Err(ActionError::Taken));
    assert!(!Step::Done.is_done(&ada, FILE));
    assert_eq!(begin(&ada, &newcomer(""), "", NOW), Err(ActionError::Taken));
    let other = User::absent(name("ben"));
    assert_eq!(check_under_way(&other, FILE), Err(ActionError::Taken));
}

#[test]
fn post_flaws_found() {
    let check = |post: OldPost, flaw| assert_eq!(post.check(NOW), Err(flaw));
    check(OldPost { at: Wall(1), ..old(0) }, Flaw::OtherTime);
    check(OldPost { is_edited: true, ..old(0) }, Flaw::HalfEdited);
    check(OldPost { earlier: vec![saying("T")], ..old(0) }, Flaw::HalfEdited);
    let often = vec![saying("T"); EDITS_MAX + 1];
    check(OldPost { is_edited: true, earlier: often, ..old(0) }, Flaw::ManyEdits);
    check(OldPost { last: saying(" \n"), ..old(0) }, Flaw::Empty);
    let long = "ß".repeat(POST_CHARS_MAX + 2);
    check(OldPost { last: saying(&long), ..old(0) }, Flaw::LongText { over: 2 });
    let note = Some("n".repeat(NOTE_CHARS_MAX + 1));
    check(OldPost { last: Saying { note, ..saying("T") }, ..old(0) }, Flaw::LongNote { over: 1 });
    let late = PostId::floor_of(NOW.0 + IMPORT_AHEAD_MS + 1);
    check(OldPost { id: late, at: Wall(late.at_ms()), ..old(0) }, Flaw::Ahead);
    check(
        OldPost { last: Saying { at: Wall(late.at_ms()), ..saying("T") }, ..old(0) },
        Flaw::Ahead,
    );
    let highest = PostId::from_raw(u64::MAX);
    check(OldPost { id: highest, at: Wall(highest.at_ms()), ..old(0) }, Flaw::Ahead);
    assert!(OldPost { id: PostId::from_raw(0), at: Wall(0), ..old(0) }.check(NOW).is_ok());
}

#[test]
fn post_edited_keeps_what_it_said() {
    let earlier = vec![Saying { at: Wall(5), ..saying("Te") }];
    let post = OldPost { is_edited: true, earlier, ..old(0) }.check(NOW).unwrap();
    let said: Vec<_> = post
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Posted { at, text, .. } => (*at, text.as_str(), 0),
            Entry::PostEdited { at, text, .. } => (*at, text.as_str(), 1),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, [(Wall(5), "Te", 0), (NOW, "Tea?", 1)]);
}

#[test]
fn posts_taken_in_again_change_nothing() {
    let mut ada = ada();
    let all = [checked(1, None), checked(2, Some(of("ada", 1))), checked(3, Some(of("ben", 1)))];
    // Broken off after the first, and one that stands was deleted since.
    let plan = posts(&ada, &all[..1], false).0;
    apply(&mut ada, &plan);
    let (plan, taken) = posts(&ada, &all, false);
    assert_eq!(taken, Taken { written: 2, there: 1, ..Taken::default() });
    apply(&mut ada, &plan);
    ada.apply(&Entry::PostDeleted { at: NOW, id: id(3), few: false }, Place::default());
    let (plan, taken) = posts(&ada, &all, false);
    assert_eq!((plan.entries.len(), taken.there), (0, 3));
    assert!(ada.posts.iter().map(|post| post.id).eq([id(1), id(2)]));
    assert_eq!(ada.reply_to(id(2)), Some(&of("ada", 1)));
}

#[test]
fn posts_older_than_those_there_find_their_places() {
    let mut ada = ada();
    for post in [checked(5, None), checked(2, None), checked(3, None)] {
        let plan = posts(&ada, &[post], false).0;
        apply(&mut ada, &plan);
    }
    assert!(ada.posts.iter().map(|post| post.id).eq([id(2), id(3), id(5)]));
    assert_eq!(ada.post_id_max, Some(id(5)));
}

#[test]
fn reply_to_an_own_post_that_is_gone_stands_alone() {
    let ada = ada();
    let reply = [checked(2, Some(of("ada", 1)))];
    let (plan, taken) = posts(&ada, &reply, false);
    assert_eq!(taken, Taken { written: 1, loosened: 1, ..Taken::default() });
    assert!(matches!(plan.entries.as_slice(), [Entry::Posted { reply_to: None, .. }]));
    assert_eq!(posts(&ada, &reply, true).1.loosened, 0, "a part before it would bring it");
    assert_eq!(
        posts(&ada, &[checked(2, Some(of("ada", 2)))], false).1.loosened,
        1,
        "its own answer"
    );
}

#[test]
fn ties_and_marks_taken_in_once() {
    let mut ada = ada();
    let names = ["ben", "ada", "cleo", "ben"].map(name);
    let plan = ties(&ada, Tie::Block, &[name("cleo")], NOW).0;
    apply(&mut ada, &plan);
    let (plan, taken) = ties(&ada, Tie::Follow, &names, NOW);
    assert_eq!(taken, Taken { written: 1, there: 1, left_out: 2, loosened: 0 });
    apply(&mut ada, &plan);
    assert_eq!(ada.follows.keys().collect::<Vec<_>>(), [&name("ben")]);
    let plan = posts(&ada, &[checked(1, None)], false).0;
    apply(&mut ada, &plan);
    let all = [(of("ben", 4), Wall(9)), (of("ada", 1), Wall(8)), (of("ada", 2), Wall(8))];
    for (list, left) in
        [(ExportList::Likes, 1), (ExportList::Reposts, 1), (ExportList::Bookmarks, 1)]
    {
        let (plan, taken) = marks(&ada, list, &all, false);
        assert_eq!((taken.written, taken.left_out), (2, left), "{list:?}");
        apply(&mut ada, &plan);
        assert_eq!(marks(&ada, list, &all, false).1.there, 2, "{list:?}");
    }
    assert_eq!(ada.reposts.get(&of("ben", 4)), Some(&Wall(9)));
    assert_eq!(end(&ada, Some(id(2)), NOW).entries, [Entry::Unpinned { at: NOW }]);
    assert_eq!(end(&ada, Some(id(1)), NOW).entries, [Entry::Pinned { at: NOW, id: id(1) }]);
}
