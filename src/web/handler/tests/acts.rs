//! Every form: what is asked for, where one goes, and what comes back when it was not done.

use super::fake::{
    Browser, TOKEN, cluster, hidden_fields, location, name, own_fields, site, text, textarea,
};
use super::fitting::fitting;
use crate::action::{Action, Problem};
use crate::id::PostId;
use crate::user::entry::PostRef;
use crate::web::ask::AskError;
use crate::web::response::Response;
use crate::wire::request::MachineState::{Behind, Down, InStep};
use crate::wire::request::{Field, FieldProblem, Outcome, Refusal, Saved};

const TYPED: &str = "The seed swap <b>moves</b> & \"so\" on.\nBring labels!";

#[track_caller]
fn check(response: &Response, status: u16, words: &[&str]) {
    let html = text(response);
    assert_eq!(response.status, status, "{html}");
    assert!(status < 400 || html.contains("<title>Error: "), "{html}");
    for words in words {
        assert!(html.contains(words), "{words:?} is not in {html}");
    }
}

fn invalid(field: Field, problem: Problem) -> Refusal {
    Refusal::Invalid { problems: vec![FieldProblem { field, problem }] }
}

#[test]
fn post_saved_goes_home_and_is_named() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let response = ada.submit("/", "/post", &[("text", TYPED)]);
    assert_eq!(location(&response), "/?posted=904");
    let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
    assert_eq!((post.text.as_str(), post.reply_to), (TYPED, None));
    assert_eq!(post.key.ops, 12);
}

#[test]
fn reply_saved_goes_to_its_thread() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let response = ada.submit("/@ben/899", "/post", &[("text", TYPED)]);
    assert_eq!(location(&response), "/@ben/899?posted=904#p904");
    let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
    assert_eq!(post.reply_to, Some(PostRef { user: name("ben"), id: PostId::from_raw(899) }));
}

#[test]
fn reply_box_names_whom_one_answers() {
    let site = site();
    let mut ada = Browser::ada(&site);
    // The fake shows ada's post everywhere; the address says whose it is.
    assert_eq!(textarea(&ada.get("/@ben/899")), "@ben ");
    assert_eq!(textarea(&ada.get("/@ada/901")), "");
}

#[test]
fn join_opens_a_session_and_goes_home() {
    let site = site();
    let mut rose = Browser::stranger(&site);
    let typed = [("username", "Rose_Bay"), ("password", "seven green gloves")];
    let response = rose.submit("/join", "/join", &typed);
    assert_eq!(location(&response), "/");
    assert!(rose.cookies["s"].starts_with("rose_bay."));
    assert_eq!(rose.cookies["v"], "1.1.1.1.1");
    let asked = site.ask.asked.lock();
    let (about, request) = asked.last().unwrap();
    assert_eq!(*about, Some(name("rose_bay")));
    assert_eq!(request.session, None);
    let Action::Join(join) = &request.action else { panic!("no join asked for") };
    assert_eq!((join.opening.token.len(), join.opening.address.as_str()), (43, "192.0.2.7"));
    assert!(join.opening.device.contains("Firefox"));
    assert_eq!(join.display_name, "");
}

#[test]
fn login_goes_where_one_was_going() {
    let site = site();
    let mut ada = Browser::stranger(&site);
    let typed = [("username", "ada"), ("password", "seven green gloves")];
    assert_eq!(
        location(&ada.submit("/login?next=/settings/leave", "/login", &typed)),
        "/settings/leave"
    );
    let mut ada = Browser::stranger(&site);
    let evil = [("username", "ada"), ("password", "x"), ("next", "//evil.example")];
    assert_eq!(location(&ada.submit("/login", "/login", &evil)), "/");
    assert_ne!(ada.cookies["s"], format!("ada.{TOKEN}"), "each sign-in has a token of its own");
}

#[test]
fn s16_logout_forgets_session_and_cached_pages() {
    let site = site();
    for page in ["/@ada", "/settings/profile", "/settings/devices"] {
        let mut ada = Browser::ada(&site);
        let response = ada.submit(page, "/logout", &[]);
        assert_eq!(location(&response), "/");
        assert!(response.clear_cache && ada.cookies.is_empty(), "{page}");
    }
}

#[test]
fn buttons_go_back_where_they_were() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert_eq!(location(&ada.submit("/@ben", "/@ben/follow", &[])), "/@ben");
    assert_eq!(location(&ada.submit("/@ada/followers", "/@ben/unfollow", &[])), "/@ada/followers");
    let away = [("next", "https://evil.example/")];
    assert_eq!(location(&ada.submit("/@ben", "/@ben/follow", &away)), "/@ben");
    assert_eq!(
        location(&ada.submit("/@ada/901/delete", "/@ada/901/delete", &[])),
        "/@ada?deleted=1"
    );
    let Some(Action::DeletePost(deleted)) = site.last_asked() else {
        panic!("no delete asked for")
    };
    assert_eq!(deleted.id, PostId::from_raw(901));
}

#[test]
fn mute_and_block_asked_from_profile_and_undone_from_settings() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert_eq!(location(&ada.submit("/@ben", "/@ben/mute", &[])), "/@ben");
    assert!(matches!(site.last_asked(), Some(Action::Mute(whom)) if whom.username == name("ben")));
    assert_eq!(location(&ada.submit("/@ben", "/@ben/block", &[])), "/@ben");
    assert!(matches!(site.last_asked(), Some(Action::Block(whom)) if whom.username == name("ben")));
    let here = "/settings/people?after=aa";
    assert_eq!(location(&ada.submit(here, "/@ben/unmute", &[])), here);
    assert!(matches!(site.last_asked(), Some(Action::Unmute(_))));
    assert_eq!(location(&ada.submit(here, "/@ben/unblock", &[])), here);
    assert!(matches!(site.last_asked(), Some(Action::Unblock(_))));
    assert!(!text(&ada.get("/@ada")).contains("/@ada/mute"), "nobody mutes themselves");
}

#[test]
fn r0086_follower_is_removed_from_ones_own_list_alone() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let here = "/@ada/followers?after=aa";
    assert_eq!(location(&ada.submit(here, "/@ben/remove-follower", &[])), here);
    let whom = site.last_asked();
    assert!(matches!(whom, Some(Action::RemoveFollower(it)) if it.username == name("ben")));
    let page = text(&ada.get("/@ada/followers"));
    assert!(page.contains("aria-label=\"Remove Ben Kroll from your followers\""), "{page}");
    for other in ["/@ben/followers", "/@ada/following"] {
        assert!(!text(&ada.get(other)).contains("remove-follower"), "{other}");
    }
    assert!(!text(&Browser::stranger(&site).get("/@ada/followers")).contains("remove-follower"));
}

#[test]
fn block_refused_says_so_and_keeps_the_text() {
    let site = site().refusing(Refusal::Blocked);
    let mut ada = Browser::ada(&site);
    let words = "You and they are kept apart by a block.";
    check(&ada.submit("/@ben", "/@ben/follow", &[]), 403, &[words]);
    let reply = ada.submit("/@ben/899", "/post", &[("text", TYPED)]);
    check(&reply, 403, &[words]);
    assert_eq!(textarea(&reply), TYPED);
    let site = site_with(Refusal::NotYet);
    let soon = Browser::ada(&site).submit("/@ben", "/@ben/mute", &[]);
    check(&soon, 503, &["Not before the upgrade is finished."]);
}

fn site_with(refusal: Refusal) -> crate::web::handler::Site<super::fake::Fake> {
    site().refusing(refusal)
}

#[test]
fn settings_saved_say_so() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let profile = [("display_name", "Ada L."), ("bio", "Seeds.")];
    let response = ada.submit("/settings/profile", "/settings/profile", &profile);
    assert_eq!(location(&response), "/settings/profile?saved=1");
    let passwords = [("current", "old password"), ("new", "new password")];
    let response = ada.submit("/settings/password", "/settings/password", &passwords);
    assert_eq!(location(&response), "/settings/password?ended=2");
    let Some(Action::ChangePassword(change)) = site.last_asked() else { panic!("no change") };
    assert_eq!((change.current.as_str(), change.new.as_str()), ("old password", "new password"));
    let devices = ada.get("/settings/devices");
    let end = hidden_fields(&devices, "/settings/devices");
    let id = &end.iter().find(|(name, _)| name == "id").unwrap().1;
    assert_eq!(*id, "b".repeat(64));
    let response = ada.resubmit(&devices, "/settings/devices", &[]);
    assert_eq!(location(&response), "/settings/devices?ended=1");
    let Some(Action::EndSession(ended)) = site.last_asked() else { panic!("no session ended") };
    assert_eq!(ended.id, *id);
}

#[test]
fn leaving_forgets_everything() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let typed = [("username", "ada"), ("password", "seven green gloves")];
    let response = ada.submit("/settings/leave", "/settings/leave", &typed);
    assert_eq!(location(&response), "/?left=1");
    assert!(response.clear_cache && ada.cookies.is_empty());
}

#[test]
fn post_refused_gives_the_text_back() {
    let over = invalid(Field::Text, Problem::TooLong { over: 23 });
    let cases = [
        (over, 422, "23 characters too many."),
        (invalid(Field::Text, Problem::Empty), 422, "Write something first."),
        (Refusal::Conflict, 409, "You already posted from this form"),
        (Refusal::Expired, 409, "too old to tell"),
        (Refusal::Full, 422, "Your account is full."),
        (Refusal::TooMany { retry_after_s: 30 }, 429, "Try again in 30 seconds."),
        (Refusal::Busy { retry_after_s: 3 }, 503, "Try again in 3 seconds."),
        (
            Refusal::NoMajority { reachable: 1, members: 3, needed: 2 },
            503,
            "Only 1 of 3 machines can be reached.",
        ),
        (Refusal::Unknown, 503, "We don’t know yet if it was saved."),
        (Refusal::NotFound, 404, "There is no such thing."),
        (Refusal::Gone, 410, "It was deleted meanwhile."),
        (Refusal::BadRequest { detail: "d".to_owned() }, 400, "makes no sense"),
    ];
    for (refusal, status, words) in cases {
        for page in ["/", "/@ben/899"] {
            let site = site().refusing(refusal.clone());
            let mut ada = Browser::ada(&site);
            let response = ada.submit(page, "/post", &[("text", TYPED)]);
            check(&response, status, &[words, "role=\"alert\" tabindex=\"-1\" autofocus"]);
            assert_eq!(textarea(&response), TYPED, "{words}");
            // What comes back can be sent again as it is.
            let healthy = site.answering(|action| Ok(fitting(action)));
            let again = Browser::ada(&healthy).resubmit(&response, "/post", &[("text", TYPED)]);
            assert!(location(&again).contains("posted=904"), "{words}");
        }
    }
}

#[test]
fn post_keeps_its_key_unless_it_is_spent() {
    let key_after = |refusal: Refusal| {
        let site = site().refusing(refusal);
        let mut ada = Browser::ada(&site);
        let page = ada.get("/");
        let key = |page| hidden_fields(page, "/post").into_iter().find(|(name, _)| name == "key");
        let before = key(&page).unwrap();
        let response = ada.resubmit(&page, "/post", &[("text", TYPED)]);
        (before, key(&response).unwrap())
    };
    for refusal in [Refusal::Unknown, Refusal::NoMajority { reachable: 1, members: 3, needed: 2 }] {
        let (before, after) = key_after(refusal);
        assert_eq!(before, after);
    }
    for refusal in [Refusal::Conflict, Refusal::Expired] {
        let (before, after) = key_after(refusal);
        assert_ne!(before, after);
        assert!(after.1.starts_with("12."), "{}", after.1);
    }
}

#[test]
fn post_no_majority_in_full() {
    let site = site().refusing(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    let response = Browser::ada(&site).submit("/", "/post", &[("text", TYPED)]);
    check(
        &response,
        503,
        &[
            "<h1 dir=\"auto\">Nothing was saved</h1>",
            "A post is saved when 2 agree. Your text is kept below; nothing is lost and nothing was posted.",
            "<button>Try again</button>",
            "Read Home meanwhile",
        ],
    );
    assert_eq!(response.retry_after_s, Some(10));
}

#[test]
fn post_unanswered_is_unknown_only_if_asked() {
    for (asked, words) in
        [(true, "We don’t know yet if it was saved."), (false, "No machine can be reached.")]
    {
        let site = site().answering(move |action| match action {
            Action::Post(_) => Err(AskError::Unreachable { asked }),
            other => Ok(fitting(other)),
        });
        let response = Browser::ada(&site).submit("/", "/post", &[("text", TYPED)]);
        check(&response, 503, &[words]);
        assert_eq!(textarea(&response), TYPED);
        assert_eq!(text(&response).contains("Nothing was saved"), !asked);
    }
}

#[test]
fn reply_to_deleted_post_can_stand_alone() {
    let site = site().refusing(Refusal::Gone);
    let response = Browser::ada(&site).submit("/@ben/899", "/post", &[("text", TYPED)]);
    assert!(hidden_fields(&response, "/post").iter().all(|(name, _)| !name.starts_with("reply_")));
    let site = site_with_conflict();
    let response = Browser::ada(&site).submit("/@ben/899", "/post", &[("text", TYPED)]);
    assert!(hidden_fields(&response, "/post").contains(&("reply_id".to_owned(), "899".to_owned())));
}

fn site_with_conflict() -> crate::web::handler::Site<super::fake::Fake> {
    site().refusing(Refusal::Conflict)
}

#[test]
fn post_after_session_ended_rides_along_and_comes_back() {
    for has_cookie in [true, false] {
        let site = site();
        let mut ada = Browser::ada(&site);
        let page = ada.get("/@ben/899");
        site.refuse(Refusal::SignedOut);
        *site.ask.knows_session.lock() = false;
        let mut ada = if has_cookie { Browser::ada(&site) } else { Browser::stranger(&site) };
        let response = ada.resubmit(&page, "/post", &[("text", TYPED)]);
        check(
            &response,
            403,
            &["You are signed out.", "Your text is safe: sign in and it comes back."],
        );
        assert!(!ada.cookies.contains_key("s"));
        let ride = hidden_fields(&response, "/login");
        assert!(ride.contains(&("text".to_owned(), TYPED.to_owned())));

        // A wrong password loses nothing either.
        site.refuse(Refusal::BadLogin);
        let wrong = ada.resubmit(&response, "/login", &[("username", "ada"), ("password", "no")]);
        check(&wrong, 422, &["That name and password don’t match."]);

        site.answer(|action| Ok(fitting(action)));
        *site.ask.knows_session.lock() = true;
        let typed = [("username", "ada"), ("password", "seven green gloves")];
        let back = ada.resubmit(&wrong, "/login", &typed);
        check(&back, 200, &["Your text has not been posted."]);
        assert_eq!(textarea(&back), TYPED);
        assert!(matches!(site.last_asked(), Some(Action::Login(_))), "nothing is posted by itself");
        let posted = ada.resubmit(&back, "/post", &[("text", TYPED)]);
        assert_eq!(location(&posted), "/@ben/899?posted=904#p904");
        // Under the key that it was first sent with: had that been saved, it would not be twice.
        let key =
            |fields: Vec<(String, String)>| fields.into_iter().find(|(name, _)| name == "key");
        assert_eq!(key(hidden_fields(&back, "/post")), key(hidden_fields(&page, "/post")));
    }
}

/// A box that was ticked.
const ONLY_MEMBERS: &str = "name=\"members_only\" value=\"1\" checked>";

#[test]
fn profile_after_session_ended_comes_back() {
    let site = site();
    let page = Browser::ada(&site).get("/settings/profile");
    site.refuse(Refusal::SignedOut);
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    let typed = [("display_name", "Ada & Co"), ("bio", TYPED), ("members_only", "1")];
    let response = ada.resubmit(&page, "/settings/profile", &typed);
    check(&response, 403, &["What you typed is safe"]);
    site.answer(|action| Ok(fitting(action)));
    *site.ask.knows_session.lock() = true;
    let back = ada.resubmit(&response, "/login", &[("username", "ada"), ("password", "x")]);
    check(&back, 200, &["Nothing has been changed yet.", "value=\"Ada &#38; Co\"", ONLY_MEMBERS]);
    assert_eq!(textarea(&back), TYPED);
    let saved = ada.resubmit(&back, "/settings/profile", &typed);
    assert_eq!(location(&saved), "/settings/profile?saved=1");
}

#[test]
fn join_refused_keeps_all_but_the_password() {
    let suggestion = Some(name("rose_bay"));
    let problems = vec![
        FieldProblem {
            field: Field::Username,
            problem: Problem::BadChar { found: '.', suggestion },
        },
        FieldProblem { field: Field::Password, problem: Problem::Common },
    ];
    let site = site().refusing(Refusal::Invalid { problems });
    let mut rose = Browser::stranger(&site);
    let typed =
        [("username", "Rose.Bay"), ("display_name", "Rose <Bay>"), ("password", "password1")];
    let response = rose.submit("/join", "/join", &typed);
    check(
        &response,
        422,
        &[
            "<strong>Two things to fix</strong>",
            "<a href=\"#u\">Username</a>, <a href=\"#p\">Password</a>",
            "value=\"Rose.Bay\"",
            "value=\"Rose &#60;Bay&#62;\"",
            "A dot can’t be used. How about rose_bay?",
            "on every guessing list",
            "aria-invalid=\"true\" aria-describedby=\"uh ue\"",
        ],
    );
    assert!(!text(&response).contains("password1"));
    assert_eq!(text(&response).matches("aria-invalid").count(), 2);
}

#[test]
fn join_unknown_keeps_its_key_and_asks_to_check() {
    let site = site().refusing(Refusal::Unknown);
    let mut rose = Browser::stranger(&site);
    let page = rose.get("/join");
    let response =
        rose.resubmit(&page, "/join", &[("username", "rose"), ("password", "secret words")]);
    check(
        &response,
        503,
        &["We don’t know yet if it was saved.", "<button>Check</button>", "value=\"rose\""],
    );
    assert_eq!(own_fields(&page, "/join"), own_fields(&response, "/join"));
    assert!(!text(&response).contains("secret words"));
}

#[test]
fn settings_refused_keep_what_was_typed() {
    let no_majority = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
    let site = site().refusing(no_majority);
    let mut ada = Browser::ada(&site);
    let typed = [("display_name", "Ada & Co"), ("bio", TYPED), ("members_only", "1")];
    let response = ada.submit("/settings/profile", "/settings/profile", &typed);
    check(
        &response,
        503,
        &[
            "value=\"Ada &#38; Co\"",
            ONLY_MEMBERS,
            "Nothing was changed.",
            "<button>Try again</button>",
        ],
    );
    assert_eq!(textarea(&response), TYPED);

    let site = site_with_wrong_password();
    let mut ada = Browser::ada(&site);
    let typed = [("current", "hush hush"), ("new", "hush again")];
    let response = ada.submit("/settings/password", "/settings/password", &typed);
    check(&response, 422, &["This is not your password.", "id=\"pe\""]);
    let typed = [("username", "ada"), ("password", "hush hush")];
    let leave = ada.submit("/settings/leave", "/settings/leave", &typed);
    check(&leave, 422, &["This is not your password.", "value=\"ada\""]);
    for response in [response, leave] {
        assert!(!text(&response).contains("hush"), "a password came back");
    }
}

fn site_with_wrong_password() -> crate::web::handler::Site<super::fake::Fake> {
    site().refusing(invalid(Field::Password, Problem::Wrong))
}

#[test]
fn button_refused_can_be_pressed_again() {
    let site = site().refusing(Refusal::Unknown);
    let mut ada = Browser::ada(&site);
    for (page, action) in [
        ("/@ada/followers", "/@ben/unfollow"),
        ("/@ben", "/@ben/follow"),
        ("/@ada/901/delete", "/@ada/901/delete"),
        ("/@ada", "/logout"),
        ("/settings/devices", "/settings/devices"),
    ] {
        let drawn = ada.get(page);
        let response = ada.resubmit(&drawn, action, &[]);
        check(&response, 503, &["We don’t know yet if it was saved.", ">Check</button>"]);
        assert_eq!(own_fields(&drawn, action), own_fields(&response, action), "{action}");
        assert_eq!(ada.cookies.len(), 3, "{action}");
    }
}

#[test]
fn follow_beyond_the_most_gives_reason() {
    let site = site().refusing(invalid(Field::Username, Problem::Full { max: 5_000 }));
    let response = Browser::ada(&site).submit("/@ben", "/@ben/follow", &[]);
    check(&response, 422, &["You have 5000 already, and that is the most."]);
}

#[test]
fn keyless_post_gets_a_fresh_key() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let token = hidden_fields(&ada.get("/"), "/post").into_iter().find(|(name, _)| name == "token");
    let mut keys = Vec::new();
    for key in [None, Some("garbage")] {
        let mut fields = vec![("text", "a"), ("token", token.as_ref().unwrap().1.as_str())];
        fields.extend(key.map(|key| ("key", key)));
        location(&ada.post("/post", &fields));
        let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
        keys.push(post.key.id);
    }
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn saved_without_session_signs_out() {
    let site = site().answering(|action| {
        Ok(match action {
            Action::Post(_) => Outcome::Saved(Saved { post: None, sessions_ended: 0 }),
            other => fitting(other),
        })
    });
    let page = Browser::ada(&site).get("/");
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    assert_eq!(location(&ada.resubmit(&page, "/post", &[("text", "a")])), "/");
    assert!(ada.cookies.is_empty());
}

#[test]
fn post_to_machine_cut_off_is_not_saved_and_signs_nobody_out() {
    let site = site().refusing(Refusal::SignedOut);
    let mut ada = Browser::ada(&site);
    let page = ada.get("/");
    *site.ask.knows_session.lock() = false;
    *site.ask.cluster.lock() = cluster(&[InStep, Down, Down]);
    site.ask.cluster.lock().stale_since = Some(crate::clock::Wall(1));
    let response = ada.resubmit(&page, "/post", &[("text", TYPED)]);
    check(&response, 503, &["Only 1 of 3 machines can be reached.", "nothing was posted"]);
    assert_eq!(textarea(&response), TYPED);
    assert!(ada.cookies.contains_key("s") && ada.cookies.contains_key("v"));
}

/// One whose copy is old because its disk is full is in touch, and has asked.
#[test]
fn r0180_post_to_machine_left_behind_by_who_was_signed_out_is_told_as_that() {
    let site = site().refusing(Refusal::SignedOut);
    let mut ada = Browser::ada(&site);
    let page = ada.get("/");
    *site.ask.knows_session.lock() = false;
    *site.ask.cluster.lock() = cluster(&[Behind, InStep, Down]);
    site.ask.cluster.lock().stale_since = Some(crate::clock::Wall(1));
    let response = ada.resubmit(&page, "/post", &[("text", TYPED)]);
    check(&response, 403, &["You are signed out.", "Bring labels!"]);
}

#[test]
fn refusal_before_anybody_looked_signs_nobody_out() {
    let no_majority = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
    for refusal in [no_majority, Refusal::Unknown, Refusal::Busy { retry_after_s: 1 }] {
        let site = site().refusing(refusal);
        let mut ada = Browser::ada(&site);
        let page = ada.get("/");
        *site.ask.knows_session.lock() = false;
        let response = ada.resubmit(&page, "/post", &[("text", TYPED)]);
        assert_eq!((response.status, textarea(&response).as_str()), (503, TYPED));
        assert!(ada.cookies.contains_key("s") && ada.cookies.contains_key("v"));
    }
}
