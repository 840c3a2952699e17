//! What entries make of a user, valid and contradictory, and what is remembered of requests.

use proptest::prelude::*;

use super::aside::Poll;
use super::entry::{App, Audience, Entry, PostRef, SessionId};
use super::*;
use crate::id::{Hash128, PictureKind, PictureName, RequestId, RequestKey};
use crate::limits::{APP_CODE_MS, REQUESTS_KEPT, REQUESTS_LEAST, REQUESTS_MS};

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn session_id(byte: u8) -> SessionId {
    SessionId(format!("{byte:02x}").repeat(32))
}

fn posted(id: u64, reply_to: Option<PostRef>) -> Entry {
    Entry::Posted {
        at: Wall(id),
        id: PostId::from_raw(id),
        text: "hello".into(),
        reply_to,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn posted_for(id: u64, audience: Audience) -> Entry {
    let (at, id, text) = (Wall(id), PostId::from_raw(id), "to @ben".to_owned());
    Entry::PostedFor {
        at,
        id,
        audience,
        text,
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn asked(id: u64) -> Entry {
    let (at, id, text) = (Wall(id), PostId::from_raw(id), "tea or cake, @ben?".to_owned());
    let (reply_to, note, audience) = (None, None, Audience::Quiet);
    let options = vec!["tea".to_owned(), "cake".to_owned()];
    let poll = Poll { options, until: Wall(900), many: false, hides_votes: false };
    Entry::PostedPoll { at, id, audience, text, reply_to, note, poll, sensitive: false }
}

fn voted(id: u64, places: &[usize]) -> Entry {
    Entry::Voted { at: Wall(9), post: of_ben(id), choices: places.iter().copied().collect() }
}

fn deleted(id: u64) -> Entry {
    Entry::PostDeleted { at: Wall(id), id: PostId::from_raw(id), few: false }
}

fn opened(byte: u8, at: u64) -> Entry {
    let (device, address) = ("Firefox".to_owned(), "192.0.2.1".to_owned());
    Entry::SessionOpened { at: Wall(at), id: session_id(byte), device, address, app: None }
}

fn user_of(entries: &[Entry]) -> User {
    let mut user = User::absent(name("ada"));
    for (at, entry) in entries.iter().enumerate() {
        user.apply(entry, Place { offset: at as u64, len: 1 });
        user.assert_order();
    }
    user
}

fn ids(user: &User) -> Vec<u64> {
    user.posts.iter().map(|post| post.id.get()).collect()
}

fn recorded(number: u64, result: Receipt) -> Recorded {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Recorded { id: RequestId(id), digest: Hash128([1; 16]), result }
}

#[test]
fn entries_of_an_account_all_taken_in() {
    let user = user_of(&[
        Entry::Joined { at: Wall(5) },
        Entry::Profile {
            at: Wall(5),
            display_name: "Ada".into(),
            bio: "Hi".into(),
            members_only: false,
            posts_for: Audience::Everyone,
            avatar: None,
        },
        Entry::Password { at: Wall(5), hash: "$argon2id$x".into(), reset: None },
        opened(1, 5),
        posted(7, None),
        Entry::Followed { at: Wall(8), user: name("ben") },
        Entry::Followed { at: Wall(8), user: name("cleo") },
        Entry::Unfollowed { at: Wall(9), user: name("ben") },
        posted(9, Some(PostRef { user: name("cleo"), id: PostId::from_raw(3) })),
    ]);
    assert_eq!((user.status, user.joined_at), (Status::Active, Wall(5)));
    assert_eq!((user.display_name.as_str(), user.bio.as_str()), ("Ada", "Hi"));
    assert_eq!(user.password, "$argon2id$x");
    assert_eq!(user.session(&session_id(1)).unwrap().device, "Firefox");
    assert_eq!(user.follows.iter().collect::<Vec<_>>(), [(&name("cleo"), &Wall(8))]);
    assert_eq!(user.post(PostId::from_raw(7)).unwrap().place(), Place { offset: 4, len: 1 });
    assert_eq!(user.reply_to(PostId::from_raw(9)).unwrap().id, PostId::from_raw(3));
    assert_eq!(user.reply_to(PostId::from_raw(7)), None);
    assert_eq!(user.post_id_max, Some(PostId::from_raw(9)));
}

#[test]
fn post_deleted_dropped_but_its_number_stays_used() {
    let user =
        user_of(&[posted(7, None), posted(9, None), deleted(9), deleted(9), posted(9, None)]);
    assert_eq!(ids(&user), [7]);
    assert!(user.has_deleted(PostId::from_raw(9)) && !user.has_deleted(PostId::from_raw(7)));
    assert_eq!(user.post_id_max, Some(PostId::from_raw(9)));
    // A compacted file holds the deletion alone.
    assert_eq!(user_of(&[deleted(12)]).post_id_max, Some(PostId::from_raw(12)));
}

#[test]
fn post_keeps_its_audience_while_it_stands() {
    let id = PostId::from_raw(2);
    let mut user = user_of(&[posted(1, None), posted_for(2, Audience::Followers)]);
    let audiences = |user: &User| [1, 2].map(|id| user.audience(PostId::from_raw(id)));
    assert_eq!(audiences(&user), [Audience::Everyone, Audience::Followers]);
    assert_eq!(
        (user.labels.of(id).len(), user.last_post_for_all()),
        (1, Some(PostId::from_raw(1)))
    );
    user.apply(&edited(2, 9), Place::default());
    assert_eq!(audiences(&user), [Audience::Everyone, Audience::Followers]);
    // The number is in use: whoever says it again changes nothing.
    user.apply(&posted(2, None), Place::default());
    user.apply(&posted_for(1, Audience::Named), Place::default());
    assert_eq!(audiences(&user), [Audience::Everyone, Audience::Followers]);
    user.apply(&deleted(2), Place::default());
    user.apply(&posted_for(2, Audience::Named), Place::default());
    assert_eq!((user.audiences.len(), ids(&user)), (0, vec![1]));
    user.apply(&posted_for(3, Audience::Named), Place::default());
    user.apply(&Entry::Left { at: Wall(4) }, Place::default());
    assert!(user.audiences.is_empty());
}

#[test]
fn post_for_few_is_no_post_to_a_program_that_knows_no_audience() {
    for (audience, word) in
        [(Audience::Quiet, "quiet"), (Audience::Followers, "followers"), (Audience::Named, "named")]
    {
        assert_eq!(audience.as_str(), word);
        let entry = posted_for(7, audience);
        let json = serde_json::to_string(&entry).unwrap();
        let expected =
            format!(r#"{{"e":"posted_for","at":7,"id":"7","for":"{word}","text":"to @ben"}}"#);
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
        // Whom a later program means nobody knows here: it is read by none.
        let later = json.replace(word, "neighbours");
        assert!(serde_json::from_str::<Entry>(&later).is_err());
    }
}

#[test]
fn post_number_repeated_first_one_stands() {
    let user = user_of(&[posted(9, None), posted(7, None), posted(9, None)]);
    assert_eq!(ids(&user), [7, 9]);
    assert_eq!(user.post(PostId::from_raw(9)).unwrap().place().offset, 0);
}

#[test]
fn session_repeated_harmless_and_closed_gone() {
    let close = Entry::SessionClosed { at: Wall(3), id: session_id(1) };
    let user = user_of(&[opened(1, 1), opened(1, 2), opened(2, 2)]);
    assert_eq!(user.session(&session_id(1)).unwrap().opened_at, Wall(1));
    assert_eq!(user.sessions.len(), 2);
    let user = user_of(&[opened(1, 1), opened(2, 2), close.clone(), close]);
    assert!(user.session(&session_id(1)).is_none());
    assert_eq!(user.sessions.len(), 1);
}

#[test]
fn s17_session_open_until_its_last_day() {
    let user = user_of(&[Entry::Joined { at: Wall(0) }, opened(1, 1000)]);
    let life = SESSION_DAYS_MAX * DAY_MS;
    let check = |now, expected| {
        assert_eq!(user.open_session(&session_id(1), Wall(now)).is_some(), expected, "{now}");
    };
    check(1000, true);
    check(1000 + life - 1, true);
    check(1000 + life, false);
    check(0, true);
    assert!(user.open_session(&session_id(2), Wall(1000)).is_none());
}

#[test]
fn left_keeps_what_was_done_as_a_keeper_and_nothing_else_of_it() {
    let suspended = |at| Entry::MemberSuspended {
        at: Wall(at),
        user: name("ben"),
        until: None,
        reason: "loud".to_owned(),
    };
    let mut user = user_of(&[
        Entry::Joined { at: Wall(1) },
        Entry::KeeperMade { at: Wall(2) },
        suspended(3),
        Entry::KeeperEnded { at: Wall(4) },
        Entry::Reported {
            at: Wall(5),
            user: name("ben"),
            id: PostId::from_raw(1),
            reason: "x".into(),
        },
    ]);
    let acts = user.keeping.as_ref().unwrap().acts.clone();
    user.apply(&Entry::Left { at: Wall(6) }, Place::default());
    user.apply(&suspended(7), Place::default());
    assert_eq!(user.keeping, Some(Box::new(keeping::Keeping { acts, ..Default::default() })));
    assert!(user.keeping.unwrap().acts.len() == 1);
}

#[test]
fn left_keeps_name_time_and_last_request_alone() {
    let mut user = user_of(&[
        Entry::Joined { at: Wall(1) },
        Entry::Password { at: Wall(1), hash: "x".into(), reset: None },
        opened(1, 1),
        posted(7, None),
        deleted(8),
        Entry::Followed { at: Wall(2), user: name("ben") },
    ]);
    user.record(recorded(1, Receipt::Done));
    user.record(recorded(2, Receipt::Done));
    user.apply(&Entry::Left { at: Wall(9) }, Place::default());
    user.apply(&posted(10, None), Place::default());
    user.apply(&Entry::Joined { at: Wall(11) }, Place::default());
    assert_eq!((user.status, user.joined_at), (Status::Left(Wall(9)), Wall(0)));
    assert!(user.posts.is_empty() && user.deleted.is_empty() && user.post_id_max.is_none());
    assert!(user.sessions.is_empty() && user.follows.is_empty());
    assert!(user.password.is_empty() && user.display_name.is_empty());
    // The request that deleted the account alone.
    assert_eq!((user.ops, user.requests.len()), (2, 1));
    let last = recorded(2, Receipt::Done);
    assert_eq!(user.answered(&last.id, last.digest), Some(Ok(Receipt::Done)));
}

#[test]
fn record_beyond_window_oldest_forgotten_and_ops_grow() {
    let mut user = User::absent(name("ada"));
    let kept = REQUESTS_KEPT as u64;
    for number in 0..=kept {
        user.record(recorded(number, Receipt::Post(PostId::from_raw(number))));
    }
    assert_eq!((user.ops, user.requests.len()), (kept + 1, REQUESTS_KEPT));
    assert!(user.answered(&recorded(0, Receipt::Done).id, Hash128([0; 16])).is_none());
    assert!(user.answered(&recorded(1, Receipt::Done).id, Hash128([0; 16])).is_some());
    user.raise_ops(3);
    assert_eq!(user.ops, kept + 1);
    user.raise_ops(5000);
    assert_eq!(user.ops, 5000);
}

#[test]
fn seen_tells_new_same_conflict_expired() {
    let mut user = User::absent(name("ada"));
    for number in 0..2000 {
        user.record(recorded(number, Receipt::SessionsEnded(2)));
    }
    let check = |number, ops, digest, expected| {
        let key = RequestKey { ops, id: recorded(number, Receipt::Done).id };
        assert_eq!(user.seen(key, Hash128([digest; 16])), expected, "{number} drawn at {ops}");
    };
    check(1999, 1999, 1, Seen::Same(Receipt::SessionsEnded(2)));
    check(1999, 0, 1, Seen::Same(Receipt::SessionsEnded(2)));
    check(1999, 1999, 2, Seen::Conflict);
    check(3000, 2000, 1, Seen::New);
    check(3000, 2000 - 1024, 1, Seen::New);
    check(3000, 2000 - 1025, 1, Seen::Expired);
    check(0, 0, 1, Seen::Expired);
    check(3000, u64::MAX, 1, Seen::New);
}

/// A request that made a post at this time.
fn made_at(number: u64, ms: u64) -> Recorded {
    recorded(number, Receipt::Post(PostId::floor_of(ms)))
}

#[test]
fn record_of_posts_forgets_what_is_days_older_but_for_the_last() {
    let least = REQUESTS_LEAST as u64;
    let mut user = User::absent(name("ada"));
    let now = 10 * REQUESTS_MS;
    for number in 0..least {
        user.record(made_at(number, number));
    }
    user.record(recorded(least, Receipt::Done));
    assert_eq!(user.requests.len(), REQUESTS_LEAST + 1, "only a post tells the time");
    user.record(made_at(least + 1, now));
    assert_eq!(user.requests.len(), REQUESTS_LEAST);
    // As many within the days before it: none is forgotten, and what nothing says the time of neither.
    for number in least + 2..3 * least {
        user.record(made_at(number, now + REQUESTS_MS));
    }
    assert_eq!(user.requests.len(), 2 * REQUESTS_LEAST);
    assert!(user.answered(&recorded(least + 1, Receipt::Done).id, Hash128([0; 16])).is_some());
    user.record(made_at(3 * least, now + REQUESTS_MS + 1));
    assert!(user.answered(&recorded(least + 1, Receipt::Done).id, Hash128([0; 16])).is_none());
    let key = |number, ops| RequestKey { ops, id: recorded(number, Receipt::Done).id };
    let kept = user.requests.len() as u64;
    assert_eq!(user.seen(key(least + 1, least + 1), Hash128([1; 16])), Seen::Expired);
    assert_eq!(user.seen(key(9_999, user.ops - kept), Hash128([1; 16])), Seen::New);
    assert_eq!(user.seen(key(9_999, user.ops - kept - 1), Hash128([1; 16])), Seen::Expired);
}

#[test]
fn receipt_text_round_trips_and_refuses() {
    for receipt in
        [Receipt::Done, Receipt::Post(PostId::from_raw(u64::MAX)), Receipt::SessionsEnded(49)]
    {
        assert_eq!(receipt.to_string().parse(), Ok(receipt));
    }
    for bad in ["ended:", "ended:-1", "post", " ", "+1"] {
        assert_eq!(bad.parse::<Receipt>(), Err(ReceiptError), "{bad:?}");
    }
}

#[test]
fn reply_to_someone_followed_shares_the_name() {
    let entries = [
        Entry::Followed { at: Wall(1), user: name("ben") },
        posted(2, Some(PostRef { user: name("ben"), id: PostId::from_raw(1) })),
    ];
    let user = user_of(&entries);
    let followed = user.follows.first_key_value().unwrap().0.as_str().as_ptr();
    let replied = user.replies[0].1.user.as_str().as_ptr();
    assert_eq!(followed, replied);
}

fn edited(id: u64, at: u64) -> Entry {
    Entry::PostEdited {
        at: Wall(at),
        id: PostId::from_raw(id),
        text: "hi".into(),
        note: None,
        sensitive: None,
        descriptions: None,
    }
}

fn pinned(id: u64) -> Entry {
    Entry::Pinned { at: Wall(1), id: PostId::from_raw(id) }
}

fn of_ben(id: u64) -> PostRef {
    PostRef { user: name("ben"), id: PostId::from_raw(id) }
}

#[test]
fn edit_says_anew_what_pictures_show_where_it_says_it_of_each() {
    let picture = |n: u8| {
        let file = PictureName::of(PictureKind::Png, &[n]);
        let description = n.to_string();
        Picture { file, thumb: file, width: 4, height: 3, bytes: 9, description, sent_as: None }
    };
    let (mut post, id) = (posted(2, None), PostId::from_raw(2));
    if let Entry::Posted { pictures, .. } = &mut post {
        *pictures = vec![picture(1), picture(2)];
    }
    let mut user = user_of(&[post]);
    let mut shows = |said: Option<&[&str]>| {
        let mut edit = edited(2, 9);
        if let Entry::PostEdited { descriptions, .. } = &mut edit {
            *descriptions = said.map(|said| said.iter().map(|&it| it.to_owned()).collect());
        }
        user.apply(&edit, Place::default());
        user.pictures[&id].iter().map(|it| it.description.clone()).collect::<Vec<_>>()
    };
    assert_eq!(shows(None), ["1", "2"]);
    assert_eq!(shows(Some(&["gull", ""])), ["gull", ""]);
    for other in [&[][..], &["one"], &["one", "two", "three"]] {
        assert_eq!(shows(Some(other)), ["gull", ""]);
    }
}

#[test]
fn post_edited_stays_in_place_and_keeps_what_it_said() {
    let user = user_of(&[posted(7, None), posted(9, None), edited(7, 10), edited(7, 12)]);
    assert_eq!(ids(&user), [7, 9]);
    let post = user.post(PostId::from_raw(7)).unwrap();
    assert_eq!(post.place().offset, 3);
    let edits = &user.edits[&PostId::from_raw(7)];
    let earlier: Vec<_> = edits.earlier.iter().map(|place| place.offset).collect();
    assert_eq!((edits.last_at, earlier), (Wall(12), vec![0, 2]));
    // What does not stand cannot be edited, and is not brought back.
    let user = user_of(&[posted(7, None), edited(7, 8), deleted(7), edited(7, 9), edited(3, 9)]);
    assert!(user.posts.is_empty() && user.edits.is_empty());
}

#[test]
fn pin_takes_the_place_of_another_and_goes_with_its_post() {
    let posts = [posted(7, None), posted(9, None), pinned(7), pinned(9), pinned(3)];
    let mut user = user_of(&posts);
    assert_eq!(user.pinned, Some(PostId::from_raw(9)));
    user.apply(&deleted(7), Place::default());
    assert_eq!(user.pinned, Some(PostId::from_raw(9)));
    user.apply(&deleted(9), Place::default());
    assert_eq!(user.pinned, None);
    let unpinned = [posted(7, None), pinned(7), Entry::Unpinned { at: Wall(2) }];
    assert_eq!(user_of(&unpinned).pinned, None);
}

#[test]
fn marks_repeated_harmless_and_taken_back() {
    let at = Wall;
    let user = user_of(&[
        Entry::Liked { at: at(1), post: of_ben(1) },
        Entry::Liked { at: at(2), post: of_ben(1) },
        Entry::Reposted { at: at(3), post: of_ben(1) },
        Entry::Reposted { at: at(4), post: of_ben(1) },
        Entry::Bookmarked { at: at(5), post: of_ben(2) },
        Entry::Bookmarked { at: at(6), post: of_ben(1) },
        Entry::Unbookmarked { at: at(7), post: of_ben(1) },
        Entry::Unliked { at: at(7), post: of_ben(9) },
    ]);
    assert_eq!(user.likes.iter().collect::<Vec<_>>(), [(&of_ben(1), &at(1))]);
    assert_eq!(user.reposts.iter().collect::<Vec<_>>(), [(&of_ben(1), &at(3))]);
    assert_eq!(user.bookmarks.iter().collect::<Vec<_>>(), [(&of_ben(2), &at(5))]);
    let mut user = user;
    user.apply(&Entry::Unliked { at: at(8), post: of_ben(1) }, Place::default());
    user.apply(&Entry::Unreposted { at: at(8), post: of_ben(1) }, Place::default());
    user.apply(&Entry::Unbookmarked { at: at(8), post: of_ben(2) }, Place::default());
    assert!(user.likes.is_empty() && user.reposts.is_empty() && user.bookmarks.is_empty());
}

#[test]
fn marks_in_a_file_name_their_post_flat() {
    let liked = Entry::Liked { at: Wall(5), post: of_ben(7) };
    let json = r#"{"e":"liked","at":5,"user":"ben","id":"7"}"#;
    assert_eq!(serde_json::to_string(&liked).unwrap(), json);
    assert_eq!(serde_json::from_str::<Entry>(json).unwrap(), liked);
    let later = r#"{"e":"unbookmarked","at":5,"user":"ben","id":"7","why":1}"#;
    let unbookmarked = Entry::Unbookmarked { at: Wall(5), post: of_ben(7) };
    assert_eq!(serde_json::from_str::<Entry>(later).unwrap(), unbookmarked);
}

#[test]
fn poll_stays_as_it_is_until_its_post_goes() {
    let mut user = user_of(&[asked(1), asked(2), asked(1), edited(1, 5)]);
    assert_eq!(user.poll(PostId::from_raw(1)).unwrap().options, ["tea", "cake"]);
    assert_eq!(user.audience(PostId::from_raw(2)), Audience::Quiet);
    assert_eq!(user.labels.of(PostId::from_raw(2)).len(), 1);
    user.apply(&deleted(1), Place::default());
    user.apply(&asked(1), Place::default());
    assert_eq!(user.poll(PostId::from_raw(1)), None);
    user.apply(&Entry::Left { at: Wall(9) }, Place::default());
    assert!(user.aside.is_none());
}

#[test]
fn vote_stands_and_threads_are_muted_until_they_are_not() {
    let thread = |id, is| {
        let (at, post) = (Wall(id), of_ben(id));
        if is { Entry::ThreadMuted { at, post } } else { Entry::ThreadUnmuted { at, post } }
    };
    let user = user_of(&[voted(1, &[1]), voted(1, &[0]), thread(3, true), thread(4, true)]);
    assert_eq!(user.aside().votes[&of_ben(1)], [1].into_iter().collect());
    assert_eq!(user.aside().muted_threads.len(), 2);
    let again = user_of(&[thread(3, true), thread(4, false), thread(3, true), thread(3, false)]);
    assert!(again.aside().is_empty() && again.says_same(&user_of(&[])));
}

#[test]
fn poll_in_a_file_is_a_kind_of_its_own() {
    let json = r#"{"e":"posted_poll","at":7,"id":"7","for":"quiet","text":"tea or cake, @ben?","poll":{"options":["tea","cake"],"until":900}}"#;
    assert_eq!(serde_json::to_string(&asked(7)).unwrap(), json);
    assert_eq!(serde_json::from_str::<Entry>(json).unwrap(), asked(7));
    let json = r#"{"e":"voted","at":9,"user":"ben","id":"7","choices":[0,1]}"#;
    assert_eq!(serde_json::to_string(&voted(7, &[1, 0])).unwrap(), json);
    assert_eq!(serde_json::from_str::<Entry>(json).unwrap(), voted(7, &[0, 1]));
}

fn any_entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        (0..9u64).prop_map(|at| Entry::Joined { at: Wall(at) }),
        (0..9u8, 0..9u64).prop_map(|(byte, at)| opened(byte, at)),
        (0..9u8).prop_map(|byte| Entry::SessionClosed { at: Wall(1), id: session_id(byte) }),
        (0..30u64).prop_map(|id| posted(id, None)),
        (0..30u64).prop_map(|id| posted_for(id, Audience::Named)),
        (0..30u64).prop_map(asked),
        (0..9u64).prop_map(|id| voted(id, &[1])),
        (0..9u64).prop_map(|id| Entry::ThreadMuted { at: Wall(1), post: of_ben(id) }),
        (0..9u64).prop_map(|id| Entry::ThreadUnmuted { at: Wall(1), post: of_ben(id) }),
        (0..30u64).prop_map(deleted),
        Just(Entry::Followed { at: Wall(1), user: name("ben") }),
        Just(Entry::Unfollowed { at: Wall(1), user: name("ben") }),
        prop::option::of(0..9u64).prop_map(|until| Entry::Muted {
            at: Wall(1),
            user: name("ben"),
            until: until.map(Wall)
        }),
        Just(Entry::Unmuted { at: Wall(1), user: name("ben") }),
        Just(Entry::Blocked { at: Wall(1), user: name("ben") }),
        Just(Entry::Unblocked { at: Wall(1), user: name("ben") }),
        (0..9u64).prop_map(|at| Entry::FollowerRemoved { at: Wall(at), user: name("ben") }),
        (0..30u64, 0..9u64).prop_map(|(id, at)| edited(id, at)),
        (0..30u64).prop_map(pinned),
        Just(Entry::Unpinned { at: Wall(1) }),
        (0..9u64).prop_map(|id| Entry::Liked { at: Wall(id), post: of_ben(id) }),
        (0..9u64).prop_map(|id| Entry::Unliked { at: Wall(id), post: of_ben(id) }),
        (0..9u64).prop_map(|id| Entry::Reposted { at: Wall(id), post: of_ben(id) }),
        (0..9u64).prop_map(|id| Entry::Bookmarked { at: Wall(id), post: of_ben(id) }),
        Just(Entry::Left { at: Wall(7) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_in_any_order_keep_invariants(entries in prop::collection::vec(any_entry(), 0..60)) {
        let user = user_of(&entries);
        user.assert_invariants();
        user.assert_order();
    }
}

#[test]
fn code_of_an_app_opens_nothing_and_is_over_after_ten_minutes() {
    let app = |code_for| {
        let client = Hash128([7; 16]);
        let scopes = "read".parse().unwrap();
        let (name, website) = ("Fen".into(), String::new());
        Box::new(App { name, website, client, scopes, code_for, came_of: None })
    };
    let opened = |byte, app| match opened(byte, 5) {
        Entry::SessionOpened { at, id, device, address, .. } => {
            Entry::SessionOpened { at, id, device, address, app: Some(app) }
        }
        other => other,
    };
    let code = opened(1, app(Some(Hash128([8; 16]))));
    let user = user_of(&[code, opened(2, app(None))]);
    let alive = |byte, now| user.session(&session_id(byte)).unwrap().is_alive(Wall(now));
    assert!(alive(1, 5 + APP_CODE_MS - 1) && !alive(1, 5 + APP_CODE_MS));
    assert!(alive(2, u64::MAX));
    assert!(user.open_session(&session_id(1), Wall(6)).is_none());
    assert!(user.open_session(&session_id(2), Wall(6)).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Whatever comes, and with whatever pauses: what a form may still repeat is known or not done.
    #[test]
    fn requests_repeated_are_known_or_expired_never_new(
        acts in prop::collection::vec((0..3_u8, any::<u64>()), 0..1_500),
        // A thousand of them take from two minutes to years.
        pauses in 8..30_u32,
        drawn in 0..1_500_u64,
    ) {
        let (mut user, mut now, mut all) = (User::absent(name("ada")), 0, Vec::new());
        for (number, (kind, pause)) in (0..).zip(acts) {
            now += pause % (1 << pauses);
            let request = match kind {
                0 => made_at(number, now),
                1 => recorded(number, Receipt::Done),
                _ => recorded(number, Receipt::SessionsEnded(7)),
            };
            user.record(request);
            all.push((now, request));
        }
        let last_post = all.iter().rev().find_map(|(at, one)| one.result.post().map(|_| *at));
        for (back, (at, request)) in all.iter().rev().enumerate() {
            let is_young = last_post.is_none_or(|last| at.saturating_add(REQUESTS_MS) >= last);
            let known = user.answered(&request.id, request.digest);
            if back < REQUESTS_LEAST || (is_young && back < REQUESTS_KEPT) {
                prop_assert_eq!(known, Some(Ok(request.result)));
            }
            // Drawn at any time before it was recorded.
            let number = all.len() as u64 - back as u64 - 1;
            let key = RequestKey { ops: drawn.min(number), id: request.id };
            let seen = user.seen(key, request.digest);
            prop_assert!(seen == known.map_or(Seen::Expired, |one| one.map_or(Seen::Conflict, Seen::Same)), "{:?}", seen);
        }
        prop_assert!(user.requests.len() <= REQUESTS_KEPT && user.ops == all.len() as u64);
        // A compacted file tells the last ones alone: the same is remembered.
        let mut again = User::absent(name("ada"));
        all.iter().skip(all.len().saturating_sub(REQUESTS_KEPT)).for_each(|(_, one)| again.record(*one));
        prop_assert!(again.requests == user.requests);
    }
}
