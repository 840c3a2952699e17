//! Handlers: what is written, what is refused, and that refused and idempotent acts write nothing;
//! and what an action is told apart by.

use serde_json::{Value, json};

use super::*;
use crate::clock::Wall;
use crate::id::{Hash128, RequestId};
use crate::limits::{
    APART_MAX, BOOKMARKS_MAX, DEVICE_CHARS_MAX, EDITS_MAX, FOLLOWS_MAX, SESSION_DAYS_MAX,
    SESSIONS_MAX,
};
use crate::user::entry::{Audience, Entry, SessionId};
use crate::user::{Place, Receipt, Status, User};

const NOW: Wall = Wall(1_700_000_000_000);

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn post_id(raw: u64) -> PostId {
    PostId::from_raw(raw)
}

fn new_session(label: &str) -> NewSession {
    let (device, address) = ("Firefox".into(), "192.0.2.1".into());
    NewSession { id: SessionId(label.to_owned()), device, address, app: None }
}

/// Does a change as the backend would: handles it, then applies what it says.
fn act(user: &mut User, session: &str, change: &Change) -> Result<Plan, ActionError> {
    let who = Who { session: Some(SessionId(session.to_owned())) };
    let plan = handle(user, &who, change, NOW)?;
    for entry in &plan.entries {
        user.apply(entry, Place::default());
    }
    Ok(plan)
}

/// A member with password `hash`, signed in under `s0`.
fn ada() -> User {
    let mut user = User::absent(name("ada"));
    act(&mut user, "", &join()).unwrap();
    user
}

fn join() -> Change {
    let (display_name, password_hash) = (" Ada ".to_owned(), "hash".to_owned());
    let admission = Admission::Free;
    Change::Join { display_name, password_hash, admission, session: new_session("s0") }
}

fn open(verified: &str, label: &str, rehashed: Option<&str>) -> Change {
    Change::OpenSession {
        verified_hash: verified.to_owned(),
        session: new_session(label),
        rehashed: rehashed.map(str::to_owned),
    }
}

fn post(id: u64, text: &str, reply_to: Option<(&str, u64)>) -> Change {
    let reply_to = reply_to.map(|(user, id)| PostRef { user: name(user), id: post_id(id) });
    let (id, text, note, poll) = (post_id(id), text.to_owned(), String::new(), None);
    let (audience, pictures, sent) = (Some(Audience::Everyone), Vec::new(), Vec::new());
    Change::Post { id, audience, text, reply_to, note, pictures, sent, sensitive: false, poll }
}

fn follow(whom: &str) -> Change {
    Change::Follow { user: name(whom), removed_at: None }
}

fn labels(user: &User) -> Vec<&str> {
    user.sessions.iter().map(|session| session.id.0.as_str()).collect()
}

/// The change is refused for this reason.
fn check_refused(user: &User, session: &str, change: &Change, expected: &ActionError) {
    assert_eq!(act(&mut user.clone(), session, change).as_ref(), Err(expected));
}

/// The change is done by writing nothing.
fn check_idle(user: &User, change: &Change) {
    let plan = act(&mut user.clone(), "s0", change).unwrap();
    assert!(!plan.changes_file(), "{plan:?}");
}

fn invalid(field: Field, problem: Problem) -> ActionError {
    ActionError::Invalid(vec![FieldProblem { field, problem }])
}

#[test]
fn join_makes_account_and_signs_in() {
    let user = ada();
    assert_eq!((user.status, user.joined_at), (Status::Active, NOW));
    assert_eq!((user.display_name.as_str(), user.password.as_str()), ("Ada", "hash"));
    assert_eq!(labels(&user), ["s0"]);
}

#[test]
fn s37_join_name_in_use_or_left_taken() {
    let mut user = ada();
    check_refused(&user, "s0", &join(), &ActionError::Taken);
    act(&mut user, "s0", &Change::Leave { verified_hash: "hash".into() }).unwrap();
    check_refused(&user, "", &join(), &ActionError::Taken);
}

#[test]
fn join_display_name_too_long_refused() {
    let Change::Join { password_hash, session, .. } = join() else { unreachable!() };
    let admission = Admission::Free;
    let change = Change::Join { display_name: "x".repeat(41), password_hash, admission, session };
    let expected = invalid(Field::DisplayName, Problem::TooLong { over: 1 });
    check_refused(&User::absent(name("ada")), "", &change, &expected);
}

#[test]
fn open_session_needs_the_verified_password_still() {
    let mut user = ada();
    check_refused(&user, "", &open("older", "s1", None), &ActionError::BadLogin);
    check_refused(&User::absent(name("ada")), "", &open("", "s1", None), &ActionError::BadLogin);
    act(&mut user, "", &open("hash", "s1", Some("stronger"))).unwrap();
    assert_eq!(labels(&user), ["s0", "s1"]);
    assert_eq!(user.password, "stronger");
    act(&mut user, "s1", &Change::Leave { verified_hash: "stronger".into() }).unwrap();
    check_refused(&user, "", &open("", "s2", None), &ActionError::BadLogin);
}

#[test]
fn open_session_beyond_limit_ends_the_oldest_and_the_over_aged() {
    let mut user = ada();
    for number in 1..=SESSIONS_MAX {
        act(&mut user, "", &open("hash", &format!("s{number}"), None)).unwrap();
    }
    assert_eq!(user.sessions.len(), SESSIONS_MAX);
    assert_eq!((labels(&user)[0], labels(&user)[1]), ("s1", "s2"));

    let later = Wall(NOW.0 + SESSION_DAYS_MAX * 24 * 60 * 60 * 1000);
    let plan = handle(&user, &Who::default(), &open("hash", "late", None), later).unwrap();
    plan.entries.iter().for_each(|entry| user.apply(entry, Place::default()));
    assert_eq!(labels(&user), ["late"]);
}

#[test]
fn open_session_device_cleaned_and_cut() {
    let mut user = ada();
    let mut session = new_session("s1");
    session.device = format!("a\n\u{202e}b{}", "x".repeat(500));
    session.address = "1".repeat(500);
    let change = Change::OpenSession { verified_hash: "hash".into(), session, rehashed: None };
    act(&mut user, "", &change).unwrap();
    let opened = user.session(&SessionId("s1".into())).unwrap();
    assert!(opened.device.starts_with("abx"));
    assert_eq!((opened.device.len(), opened.address.len()), (DEVICE_CHARS_MAX, 64));
}

#[test]
fn every_other_act_without_open_session_signed_out() {
    let user = ada();
    let hash = || "hash".to_owned();
    let session = new_session("s1");
    let changes = [
        Change::CloseSession { id: SessionId("s0".into()) },
        Change::CloseOtherSessions,
        post(1, "hi", None),
        Change::DeletePost { id: post_id(1), gives_pictures: false },
        follow("ben"),
        Change::Unfollow { user: name("ben") },
        Change::Mute { user: name("ben"), until: None },
        Change::Unmute { user: name("ben") },
        Change::Block { user: name("ben") },
        Change::Unblock { user: name("ben"), follows_since: None },
        edit_profile("", "", false),
        Change::ChangePassword { verified_hash: hash(), new_hash: hash(), session },
        Change::Leave { verified_hash: hash() },
    ];
    let over_age = Wall(NOW.0 + SESSION_DAYS_MAX * 24 * 60 * 60 * 1000);
    for change in changes {
        check_refused(&user, "ended", &change, &ActionError::SignedOut);
        assert_eq!(handle(&user, &Who::default(), &change, NOW), Err(ActionError::SignedOut));
        let who = Who { session: Some(SessionId("s0".into())) };
        assert_eq!(handle(&user, &who, &change, over_age), Err(ActionError::SignedOut));
    }
}

#[test]
fn close_session_ends_it_and_again_is_idle() {
    let mut user = ada();
    act(&mut user, "", &open("hash", "s1", None)).unwrap();
    let close = |label: &str| Change::CloseSession { id: SessionId(label.into()) };
    let plan = act(&mut user, "s0", &close("s1")).unwrap();
    assert_eq!((labels(&user), plan.result.sessions_ended()), (vec!["s0"], 1));
    check_idle(&user, &close("s1"));
    let plan = act(&mut user, "s0", &close("s0")).unwrap();
    assert_eq!((labels(&user).len(), plan.result), (0, Receipt::Done));
}

#[test]
fn close_other_sessions_keeps_this_and_counts() {
    let mut user = ada();
    for label in ["s1", "s2", "s3"] {
        act(&mut user, "", &open("hash", label, None)).unwrap();
    }
    let plan = act(&mut user, "s2", &Change::CloseOtherSessions).unwrap();
    assert_eq!((labels(&user), plan.result), (vec!["s2"], Receipt::SessionsEnded(3)));
    let plan = act(&mut user, "s2", &Change::CloseOtherSessions).unwrap();
    assert!(!plan.changes_file());
}

#[test]
fn post_written_and_its_number_told() {
    let mut user = ada();
    let plan = act(&mut user, "s0", &post(7, "hi\r\nthere ", Some(("ben", 3)))).unwrap();
    assert_eq!(plan.result, Receipt::Post(post_id(7)));
    let Entry::Posted { text, reply_to, .. } = &plan.entries[0] else { unreachable!() };
    assert_eq!((text.as_str(), reply_to.as_ref().unwrap().id), ("hi\nthere", post_id(3)));
}

#[test]
fn post_unfit_refused() {
    let mut user = ada();
    act(&mut user, "s0", &post(7, "hi", None)).unwrap();
    act(&mut user, "s0", &post(9, "hi", None)).unwrap();
    act(&mut user, "s0", &Change::DeletePost { id: post_id(9), gives_pictures: false }).unwrap();
    check_refused(&user, "s0", &post(10, " ", None), &invalid(Field::Text, Problem::Empty));
    let long = invalid(Field::Text, Problem::TooLong { over: 23 });
    check_refused(&user, "s0", &post(10, &"x".repeat(523), None), &long);
    for stale in [1, 9] {
        let expected = ActionError::StaleId { above: post_id(9) };
        check_refused(&user, "s0", &post(stale, "hi", None), &expected);
    }
    check_refused(&user, "s0", &post(10, "hi", Some(("ada", 9))), &ActionError::Gone);
    check_refused(&user, "s0", &post(10, "hi", Some(("ada", 8))), &ActionError::NotFound);
    act(&mut user, "s0", &post(10, "hi", Some(("ada", 7)))).unwrap();
}

#[test]
fn delete_post_once_then_idle_missing_not_found() {
    let mut user = ada();
    act(&mut user, "s0", &post(7, "hi", None)).unwrap();
    let delete = |id| Change::DeletePost { id: post_id(id), gives_pictures: false };
    check_refused(&user, "s0", &delete(6), &ActionError::NotFound);
    assert!(act(&mut user, "s0", &delete(7)).unwrap().changes_file());
    assert!(user.posts.is_empty());
    check_idle(&user, &delete(7));
}

#[test]
fn follow_once_then_idle_and_unfollow_likewise() {
    let mut user = ada();
    let unfollow = Change::Unfollow { user: name("ben") };
    check_idle(&user, &unfollow);
    assert!(act(&mut user, "s0", &follow("ben")).unwrap().changes_file());
    check_idle(&user, &follow("ben"));
    assert!(act(&mut user, "s0", &unfollow).unwrap().changes_file());
    assert!(user.follows.is_empty());
}

#[test]
fn follow_oneself_or_too_many_refused() {
    let mut user = ada();
    check_refused(&user, "s0", &follow("ada"), &invalid(Field::Username, Problem::Wrong));
    for number in 0..FOLLOWS_MAX {
        user.follows.insert(name(&format!("u{number}")), Wall(1));
    }
    let full = invalid(Field::Username, Problem::Full { max: 5_000 });
    check_refused(&user, "s0", &follow("ben"), &full);
    check_idle(&user, &follow("u7"));
}

#[test]
fn mute_and_block_once_then_idle_and_undone_likewise() {
    let mut user = ada();
    let mute = Change::Mute { user: name("ben"), until: None };
    let unmute = Change::Unmute { user: name("ben") };
    let block = Change::Block { user: name("ben") };
    let unblock = Change::Unblock { user: name("ben"), follows_since: None };
    check_idle(&user, &unmute);
    check_idle(&user, &unblock);
    for (change, undo) in [(&mute, &unmute), (&block, &unblock)] {
        assert_eq!(act(&mut user, "s0", change).unwrap().entries.len(), 1);
        check_idle(&user, change);
        assert!(act(&mut user, "s0", undo).unwrap().changes_file());
        assert!(user.mutes.is_empty() && user.blocks.is_empty());
    }
}

#[test]
fn block_ends_following_and_answering() {
    let mut user = ada();
    act(&mut user, "s0", &follow("ben")).unwrap();
    let plan = act(&mut user, "s0", &Change::Block { user: name("ben") }).unwrap();
    assert!(matches!(plan.entries[..], [Entry::Blocked { .. }, Entry::Unfollowed { .. }]));
    assert!(user.follows.is_empty() && user.blocks.contains(&name("ben")));
    check_refused(&user, "s0", &follow("ben"), &ActionError::Blocked);
    check_refused(&user, "s0", &post(1, "hi", Some(("ben", 1))), &ActionError::Blocked);
    // Muting keeps nobody from answering.
    act(&mut user, "s0", &Change::Mute { user: name("cleo"), until: None }).unwrap();
    act(&mut user, "s0", &post(2, "hi", Some(("cleo", 1)))).unwrap();
}

#[test]
fn mute_and_block_oneself_or_too_many_refused() {
    let mut user = ada();
    let both = |whom: &str| {
        [Change::Mute { user: name(whom), until: None }, Change::Block { user: name(whom) }]
    };
    for change in &both("ada") {
        check_refused(&user, "s0", change, &invalid(Field::Username, Problem::Wrong));
    }
    for number in 0..APART_MAX {
        user.mutes.insert(name(&format!("u{number}")), None);
        user.blocks.insert(name(&format!("u{number}")));
    }
    let full = invalid(Field::Username, Problem::Full { max: 5_000 });
    for change in &both("ben") {
        check_refused(&user, "s0", change, &full);
    }
    for change in &both("u7") {
        check_idle(&user, change);
    }
}

fn edit_profile(display_name: &str, bio: &str, members_only: bool) -> Change {
    let (display_name, bio) = (display_name.to_owned(), bio.to_owned());
    let (avatar, untouched) = (Avatar::Keep, Untouched::default());
    let posts_for = None;
    Change::EditProfile { display_name, bio, members_only, posts_for, avatar, untouched }
}

#[test]
fn edit_profile_written_once_and_all_problems_told() {
    let mut user = ada();
    let edit = |display_name: &str, bio: &str| edit_profile(display_name, bio, false);
    act(&mut user, "s0", &edit("", "Hi\r\nyou")).unwrap();
    assert_eq!((user.display_name.as_str(), user.bio.as_str()), ("ada", "Hi\nyou"));
    check_idle(&user, &edit(" ada", "Hi\nyou "));
    let hidden = edit_profile("ada", "Hi\nyou", true);
    act(&mut user, "s0", &hidden).unwrap();
    assert!(user.members_only);
    act(&mut user, "s0", &edit("", "Hi\nyou")).unwrap();
    assert!(!user.members_only);
    let wrong = |field, over| FieldProblem { field, problem: Problem::TooLong { over } };
    let both = ActionError::Invalid(vec![wrong(Field::DisplayName, 1), wrong(Field::Bio, 2)]);
    check_refused(&user, "s0", &edit(&"x".repeat(41), &"x".repeat(202)), &both);
    let one = ActionError::Invalid(vec![wrong(Field::Bio, 2)]);
    check_refused(&user, "s0", &edit("Ada", &"x".repeat(202)), &one);
}

#[test]
fn s06_change_password_ends_all_sessions_and_opens_one() {
    let mut user = ada();
    act(&mut user, "", &open("hash", "s1", None)).unwrap();
    let change = |verified: &str| Change::ChangePassword {
        verified_hash: verified.to_owned(),
        new_hash: "new".into(),
        session: new_session("s2"),
    };
    check_refused(&user, "s0", &change("older"), &ActionError::BadLogin);
    let plan = act(&mut user, "s0", &change("hash")).unwrap();
    assert_eq!((labels(&user), plan.result), (vec!["s2"], Receipt::SessionsEnded(1)));
    assert_eq!(user.password, "new");
}

#[test]
fn leave_is_a_tombstone_alone() {
    let mut user = ada();
    let leave = |verified: &str| Change::Leave { verified_hash: verified.to_owned() };
    check_refused(&user, "s0", &leave("older"), &ActionError::BadLogin);
    let plan = act(&mut user, "s0", &leave("hash")).unwrap();
    assert_eq!((plan.entries.len(), plan.is_tombstone()), (1, true));
    assert_eq!(user.status, Status::Left(NOW));
    assert!(!Plan::default().is_tombstone());
}

fn key(byte: u8) -> RequestKey {
    RequestKey { ops: 3, id: RequestId([byte; 16]) }
}

fn login(username: &str, password: &str, token: &str) -> Action {
    Action::Login(Login {
        key: key(1),
        username: username.to_owned(),
        password: password.to_owned(),
        opening: Opening { token: token.to_owned(), device: token.to_owned(), address: "x".into() },
    })
}

fn new_post(byte: u8, text: &str, reply_to: Option<u64>) -> Action {
    let reply_to = reply_to.map(|id| PostRef { user: name("ada"), id: post_id(id) });
    let (text, note, pictures, sent) = (text.to_owned(), String::new(), Vec::new(), Vec::new());
    let (key, sensitive, for_everybody) = (key(byte), false, false);
    Action::Post(NewPost { key, text, reply_to, note, pictures, sent, sensitive, for_everybody })
}

#[test]
fn digest_same_act_same_whatever_the_secrets() {
    assert_eq!(login("ada", "one", "t1").digest(), login("ada", "two", "t2").digest());
    assert_eq!(new_post(1, "hi", None).digest(), new_post(2, "hi", None).digest());
}

#[test]
fn digest_other_act_differs() {
    let whom = || Whom { key: key(1), username: name("ada") };
    let edit = |display_name: &str, bio: &str| {
        let untouched = Untouched { bio: bio == "as is", ..Untouched::default() };
        let edit = json!({ "key": key(1), "display_name": display_name, "bio": bio, "untouched": untouched });
        Action::EditProfile(serde_json::from_value(edit).unwrap())
    };
    let end = |id: &str| Action::EndSession(EndSession { key: key(1), id: id.to_owned() });
    let acts = [
        login("ada", "x", "t"),
        login("ben", "x", "t"),
        new_post(1, "hi", None),
        new_post(1, "ho", None),
        new_post(1, "hi", Some(1)),
        new_post(1, "hi", Some(2)),
        Action::Follow(whom()),
        Action::Unfollow(whom()),
        Action::Mute(whom()),
        Action::Unmute(whom()),
        Action::Block(whom()),
        Action::Unblock(whom()),
        Action::DeletePost(OnePost { key: key(1), id: post_id(1) }),
        Action::DeletePost(OnePost { key: key(1), id: post_id(2) }),
        edit("ab", "c"),
        edit("a", "bc"),
        end("s0"),
        end("s1"),
        Action::Logout(Keyed { key: key(1) }),
        Action::EndOtherSessions(Keyed { key: key(1) }),
    ];
    let digests: std::collections::BTreeSet<Hash128> = acts.iter().map(Action::digest).collect();
    assert_eq!(digests.len(), acts.len());
}

#[test]
fn digest_stays_what_files_hold() {
    // Kept in files: changing how it is made would answer CONFLICT to honest repetitions.
    let digest = new_post(1, "hi", Some(1)).digest().to_string();
    assert_eq!(digest, "3de022b41f49f11f1e46b7cf6dc8783e");
}

#[test]
fn action_name_is_its_wire_name() {
    let page = Page::default;
    for action in
        [login("a", "b", "c"), new_post(1, "x", None), Action::CheckSession, Action::Home(page())]
    {
        let json = match serde_json::to_value(&action).unwrap() {
            Value::Object(fields) => fields.into_iter().map(|(name, _)| name).next(),
            name => name.as_str().map(str::to_owned),
        };
        assert_eq!(json.as_deref(), Some(action.name()));
    }
}

#[test]
fn action_key_and_user_by_kind() {
    assert_eq!(new_post(1, "x", None).key(), Some(key(1)));
    assert!(new_post(1, "x", None).is_write() && !Action::Sessions.is_write());
    assert_eq!(Action::CheckSession.key(), None);
    assert_eq!(login(" Ada ", "x", "t").key().map(|key| key.ops), Some(u64::MAX));
    assert_eq!(login(" Ada ", "x", "t").user(), Some(name("ada")));
    assert_eq!(login("../etc", "x", "t").user(), None);
    assert_eq!(new_post(1, "x", None).user(), None);
}

fn of(user: &str, id: u64) -> PostRef {
    PostRef { user: name(user), id: post_id(id) }
}

fn mark(mark: Mark, user: &str, id: u64) -> Change {
    Change::Mark { mark, post: of(user, id) }
}

fn unmark(mark: Mark, user: &str, id: u64) -> Change {
    Change::Unmark { mark, post: of(user, id) }
}

fn edit(id: u64, text: &str, note: &str) -> Change {
    let (text, note, sensitive, descriptions) = (text.into(), note.into(), None, None);
    Change::EditPost { id: post_id(id), text, note, sensitive, descriptions }
}

#[test]
fn mark_set_once_and_taken_back_once() {
    let mut user = ada();
    act(&mut user, "s0", &post(7, "mine", None)).unwrap();
    for (kind, whose, id) in [
        (Mark::Like, "ben", 5),
        (Mark::Repost, "ben", 5),
        (Mark::Bookmark, "ben", 5),
        (Mark::Pin, "ada", 7),
    ] {
        check_refused(&user, "gone", &mark(kind, whose, id), &ActionError::SignedOut);
        check_idle(&user, &unmark(kind, whose, id));
        assert_eq!(act(&mut user, "s0", &mark(kind, whose, id)).unwrap().entries.len(), 1);
        check_idle(&user, &mark(kind, whose, id));
        assert_eq!(
            act(&mut user.clone(), "s0", &unmark(kind, whose, id)).unwrap().entries.len(),
            1
        );
        check_refused(&user, "gone", &unmark(kind, whose, id), &ActionError::SignedOut);
    }
    assert!(user.likes.contains_key(&of("ben", 5)) && user.reposts.contains_key(&of("ben", 5)));
    assert_eq!((user.bookmarks.len(), user.pinned), (1, Some(post_id(7))));
    act(&mut user, "s0", &unmark(Mark::Pin, "ada", 7)).unwrap();
    assert_eq!(user.pinned, None);
}

#[test]
fn mark_of_own_post_that_does_not_stand_refused() {
    let mut user = ada();
    act(&mut user, "s0", &post(7, "mine", None)).unwrap();
    act(&mut user, "s0", &Change::DeletePost { id: post_id(7), gives_pictures: false }).unwrap();
    for kind in [Mark::Like, Mark::Repost, Mark::Bookmark, Mark::Pin] {
        check_refused(&user, "s0", &mark(kind, "ada", 7), &ActionError::Gone);
        check_refused(&user, "s0", &mark(kind, "ada", 8), &ActionError::NotFound);
    }
    check_refused(&user, "s0", &mark(Mark::Pin, "ben", 5), &ActionError::NotFound);
}

#[test]
fn pin_of_another_post_takes_its_place() {
    let mut user = ada();
    act(&mut user, "s0", &post(7, "one", None)).unwrap();
    act(&mut user, "s0", &post(8, "two", None)).unwrap();
    act(&mut user, "s0", &mark(Mark::Pin, "ada", 7)).unwrap();
    act(&mut user, "s0", &mark(Mark::Pin, "ada", 8)).unwrap();
    assert_eq!(user.pinned, Some(post_id(8)));
    check_idle(&user, &unmark(Mark::Pin, "ada", 7));
}

#[test]
fn bookmarks_beyond_the_most_refused() {
    let mut user = ada();
    for id in 0..BOOKMARKS_MAX as u64 {
        user.bookmarks.insert(of("ben", id), NOW);
    }
    let max = u32::try_from(BOOKMARKS_MAX).unwrap();
    let full = invalid(Field::Post, Problem::Full { max });
    check_refused(&user, "s0", &mark(Mark::Bookmark, "cleo", 1), &full);
    check_idle(&user, &mark(Mark::Bookmark, "ben", 1));
    act(&mut user, "s0", &unmark(Mark::Bookmark, "ben", 1)).unwrap();
    act(&mut user, "s0", &mark(Mark::Bookmark, "cleo", 1)).unwrap();
}

#[test]
fn edit_keeps_the_rules_of_a_post() {
    let mut user = ada();
    act(&mut user, "s0", &post(7, "mien", None)).unwrap();
    let plan = act(&mut user, "s0", &edit(7, "mine\r\n", "  Two\n words ")).unwrap();
    let Entry::PostEdited { text, note, .. } = &plan.entries[0] else { unreachable!() };
    assert_eq!((text.as_str(), note.as_deref()), ("mine", Some("Two words")));
    check_refused(&user, "gone", &edit(7, "x", ""), &ActionError::SignedOut);
    check_refused(&user, "s0", &edit(8, "x", ""), &ActionError::NotFound);
    let at = |field, problem| FieldProblem { field, problem };
    let both = vec![at(Field::Text, Problem::Empty), at(Field::Note, Problem::TooLong { over: 1 })];
    check_refused(&user, "s0", &edit(7, " ", &"n".repeat(101)), &ActionError::Invalid(both));
    for time in 1..EDITS_MAX {
        act(&mut user, "s0", &edit(7, &format!("{time}"), "")).unwrap();
    }
    let max = u32::try_from(EDITS_MAX).unwrap();
    check_refused(&user, "s0", &edit(7, "x", ""), &invalid(Field::Text, Problem::Full { max }));
    act(&mut user, "s0", &Change::DeletePost { id: post_id(7), gives_pictures: false }).unwrap();
    check_refused(&user, "s0", &edit(7, "x", ""), &ActionError::Gone);
}

#[test]
fn digest_tells_marks_edits_and_notes_apart() {
    let key = RequestKey { ops: 0, id: RequestId([1; 16]) };
    let mark = |mark, on, id| Action::Mark(SetMark { key, post: of("ben", id), mark, on });
    let edit = |text: &str, note: &str| {
        let (text, note) = (text.to_owned(), note.to_owned());
        let (id, sensitive, descriptions) = (post_id(7), None, None);
        Action::EditPost(EditPost { key, id, text, note, sensitive, descriptions })
    };
    let post = |note: &str| match new_post(1, "hi", None) {
        Action::Post(post) => Action::Post(NewPost { note: note.to_owned(), ..post }),
        other => other,
    };
    let all = [
        mark(Mark::Like, true, 1),
        mark(Mark::Like, false, 1),
        mark(Mark::Like, true, 2),
        mark(Mark::Repost, true, 1),
        edit("a", ""),
        edit("a", "b"),
        edit("ab", ""),
        post(""),
        post("b"),
    ];
    let digests: std::collections::BTreeSet<Hash128> = all.iter().map(Action::digest).collect();
    assert_eq!(digests.len(), all.len());
    assert!(all.iter().all(Action::is_write));
}
