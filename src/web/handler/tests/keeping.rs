//! Pages of a kept community: the first page, joining, invitations, reports and what keepers do.

use super::fake::{
    ACCEPT_LANGUAGE, Browser, Fake, hidden_fields, location, name, posts, site, text, textarea,
};
use super::fitting::fitting;
use crate::action::{Action, KeepersDeed, Problem, code_hash};
use crate::id::PostId;
use crate::user::entry::{CodeHash, House, PostRef, Signup};
use crate::web::handler::Site;
use crate::wire::request::{Field, FieldProblem, Hindered, Invitations, Outcome, Refusal, Welcome};

fn welcoming(signup: Signup, shows_posts: bool) -> Site<Fake> {
    site().answering(move |action| {
        Ok(match action {
            Action::Welcome => Outcome::Welcome(Welcome {
                signup,
                words: "Be <kind>.".to_owned(),
                posts: shows_posts.then(posts),
            }),
            other => fitting(other),
        })
    })
}

#[test]
fn landing_says_what_the_keeper_wants_said() {
    let open = text(&Browser::stranger(&welcoming(Signup::Open, true)).get("/"));
    assert!(open.contains("Be &#60;kind&#62;.") && open.contains("href=\"/join\">Join</a> <a"));
    assert!(open.contains("left glove"));
    let closed = text(&Browser::stranger(&welcoming(Signup::Closed, false)).get("/"));
    assert!(closed.contains("New members are invited by the keeper."), "{closed}");
    assert!(!closed.contains("class=\"btn\" href=\"/join\"") && !closed.contains("left glove"));
}

#[test]
fn log_says_what_keepers_did_in_whole_sentences() {
    let site = site();
    let html = text(&Browser::ada(&site).get("/mod/log"));
    for words in [
        "hid a post by <a href=\"/@ben/899\">@ben</a>.",
        "suspended <a href=\"/@ben\">@ben</a> until it is lifted.",
    ] {
        assert!(html.contains(words), "{words} is not in {html}");
    }
    ACCEPT_LANGUAGE.set(Some("de"));
    let html = text(&Browser::ada(&site).get("/mod/log"));
    for words in [
        "hat einen Beitrag von <a href=\"/@ben/899\">@ben</a> verborgen.",
        "hat <a href=\"/@ben\">@ben</a> stillgelegt, bis es aufgehoben wird.",
    ] {
        assert!(html.contains(words), "{words} is not in {html}");
    }
}

#[test]
fn landing_of_an_earlier_backend_is_open() {
    let detail = String::new();
    let site = site().answering(move |action| {
        Ok(match action {
            Action::Welcome => Outcome::Refused(Refusal::BadRequest { detail: detail.clone() }),
            other => fitting(other),
        })
    });
    let html = text(&Browser::stranger(&site).get("/"));
    assert!(html.contains("href=\"/join\">Join</a>") && html.contains("left glove"), "{html}");
    assert_eq!(Browser::stranger(&site).get("/join").status, 200);
}

#[test]
fn join_asks_for_a_code_by_invitation_alone() {
    let invited = welcoming(Signup::Invited, false);
    let page = text(&Browser::stranger(&invited).get("/join?code=gull-tern"));
    assert!(page.contains("name=\"code\" value=\"gull-tern\""), "{page}");
    let mut eve = Browser::stranger(&invited);
    let typed = [("username", "eve"), ("password", "seven green gloves"), ("code", "gull-tern")];
    assert_eq!(location(&eve.submit("/join", "/join", &typed)), "/");
    let Some(Action::Join(join)) = invited.last_asked() else { panic!("no join") };
    assert_eq!(join.code, "gull-tern");
    for (signup, words) in
        [(Signup::Open, "Create account"), (Signup::Approved, "A keeper lets new members in")]
    {
        let page = text(&Browser::stranger(&welcoming(signup, false)).get("/join"));
        assert!(page.contains(words) && !page.contains("name=\"code\""), "{page}");
    }
    let closed = Browser::stranger(&welcoming(Signup::Closed, false)).get("/join");
    assert!(text(&closed).contains("New members are invited by the keeper."));
    assert!(!text(&closed).contains("name=\"username\""));
}

#[test]
fn join_with_a_bad_code_told_by_its_field() {
    for (problem, words) in [
        (Problem::Wrong, "There is no such code."),
        (Problem::Used, "As many as may have joined with this code."),
        (Problem::Past, "The time of this code is over."),
        (Problem::Empty, "Enter the code of your invitation."),
    ] {
        let problems = vec![FieldProblem { field: Field::Code, problem }];
        let site = site().refusing(Refusal::Invalid { problems });
        let typed = [("username", "eve"), ("password", "seven green gloves"), ("code", "gull")];
        let page = Browser::stranger(&site).submit("/join", "/join", &typed);
        let html = text(&page);
        assert_eq!(page.status, 422);
        assert!(html.contains(words) && html.contains("href=\"#i\""), "{html}");
        assert!(html.contains("name=\"code\" value=\"gull\""), "{html}");
    }
}

#[test]
fn waiting_member_is_told_so_at_home() {
    let site = site().answering(|action| {
        Ok(match action {
            Action::Home(_) => Outcome::Refused(Refusal::Hindered(Hindered::Waiting)),
            other => fitting(other),
        })
    });
    let page = Browser::ada(&site).get("/");
    assert_eq!(page.status, 200);
    assert!(text(&page).contains("A keeper has yet to let you in."), "{}", text(&page));
}

#[test]
fn keepers_page_after_session_ended_leads_to_sign_in_and_strangers_find_nothing() {
    let site = site().answering(|_| Ok(Outcome::Refused(Refusal::NotFound)));
    assert_eq!(Browser::ada(&site).get("/mod/log").status, 404, "no keeper");
    assert_eq!(Browser::stranger(&site).get("/mod/log").status, 404);
    *site.ask.knows_session.lock() = false;
    let away = Browser::ada(&site).get("/mod/log");
    assert_eq!(location(&away), "/login?next=/mod/log");
}

#[test]
fn keeper_is_asked_once_and_the_reason_comes_back() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let here = "/mod/act?deed=suspend&username=ben";
    let asks = text(&ada.get(here));
    assert!(asks.contains("Suspend this member?") && asks.contains("@ben can write nothing"));
    let typed = [("hours", "24"), ("reason", "Too loud.")];
    assert_eq!(location(&ada.submit(here, "/mod/act", &typed)), "/mod/members");
    let Some(Action::Keep(keep)) = site.last_asked() else { panic!("nothing done") };
    assert_eq!(keep.deed, KeepersDeed::Suspend { user: name("ben"), hours: Some(24) });
    assert_eq!(keep.reason, "Too loud.");
    for (deed, expected) in [
        ("hide", KeepersDeed::Hide(PostRef { user: name("ben"), id: PostId::from_raw(899) })),
        ("close", KeepersDeed::Close(PostRef { user: name("ben"), id: PostId::from_raw(899) })),
    ] {
        let here = format!("/mod/act?deed={deed}&username=ben&id=899");
        assert_eq!(location(&ada.submit(&here, "/mod/act", &[("reason", "x")])), "/mod");
        assert!(matches!(site.last_asked(), Some(Action::Keep(keep)) if keep.deed == expected));
    }
    site.refuse(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    let again =
        ada.submit("/mod/act?deed=hide&username=ben&id=899", "/mod/act", &[("reason", "So <b>")]);
    assert_eq!((again.status, textarea(&again).as_str()), (503, "So <b>"));
    let kept = hidden_fields(&again, "/mod/act");
    assert!(kept.contains(&("id".to_owned(), "899".to_owned())), "{kept:?}");
    assert_eq!(ada.get("/mod/act?deed=dance&username=ben").status, 404);
}

#[test]
fn s18_keeper_who_is_asked_for_the_password_loses_nothing_else() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let problems = vec![FieldProblem { field: Field::Password, problem: Problem::Empty }];
    site.refuse(Refusal::Invalid { problems });
    let act = "/mod/act?deed=suspend&username=ben";
    let typed = [("hours", "24"), ("reason", "Too loud."), ("password", "her own password")];
    let again = ada.submit(act, "/mod/act", &typed);
    let Some(Action::Keep(keep)) = site.last_asked() else { panic!("nothing asked") };
    assert_eq!(keep.password, "her own password");
    assert_eq!((again.status, textarea(&again).as_str()), (422, "Too loud."));
    let html = text(&again);
    assert!(html.contains("Enter a password.") && !html.contains("her own password"), "{html}");
    let words = [("signup", "closed"), ("words", "Be kind."), ("password", "her own password")];
    let again = ada.submit("/mod/settings", "/mod/settings", &words);
    let Some(Action::SetHouse(set)) = site.last_asked() else { panic!("nothing asked") };
    assert_eq!(set.password, "her own password");
    assert_eq!((again.status, textarea(&again).as_str()), (422, "Be kind."));
    let html = text(&again);
    assert!(html.contains("Enter a password.") && !html.contains("her own password"), "{html}");
}

#[test]
fn moderation_is_not_found_for_others() {
    let site = site().answering(|_| Ok(Outcome::Refused(Refusal::NotFound)));
    for page in ["/mod", "/mod/joining", "/mod/members", "/mod/log", "/mod/settings"] {
        assert_eq!(Browser::ada(&site).get(page).status, 404, "{page}");
        assert_eq!(Browser::stranger(&site).get(page).status, 404, "{page}");
    }
    let here = "/mod/act?deed=hide&username=ben&id=899";
    assert_eq!(Browser::ada(&site).get(here).status, 404);
}

#[test]
fn community_set_as_ticked_and_typed() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let typed = [("signup", "approved"), ("words", "Hello.\nBe kind."), ("shows_log", "1")];
    assert_eq!(
        location(&ada.submit("/mod/settings", "/mod/settings", &typed)),
        "/mod/settings?saved=1"
    );
    let Some(Action::SetHouse(set)) = site.last_asked() else { panic!("nothing set") };
    let expected = House {
        signup: Signup::Approved,
        members_invite: false,
        words: "Hello.\nBe kind.".to_owned(),
        shows_posts: false,
        shows_log: true,
    };
    assert_eq!(set.house, expected);
}

/// A form of another program, or of a page that was cut short: it opened the community, suspended without
/// end, and emptied a profile.
#[test]
fn forms_with_unknown_or_missing_choices_save_nothing() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let suspend = "/mod/act?deed=suspend&username=ben";
    let house = "/mod/settings";
    for (page, to, typed) in [
        (house, house, [("words", "Hi"), ("shows_log", "1")].as_slice()),
        (house, house, &[("words", "Hi"), ("signup", "Closed")]),
        (house, house, &[("words", "Hi"), ("signup", "clos")]),
        (house, house, &[("words", "Hi"), ("signup", "")]),
        (house, house, &[("signup", "closed")]),
        (suspend, "/mod/act", &[("reason", "Loud."), ("hours", "abc")]),
        (suspend, "/mod/act", &[("reason", "Loud."), ("hours", "-1")]),
        (suspend, "/mod/act", &[("reason", "Loud.")]),
        ("/settings/invitations", "/settings/invitations", &[]),
        ("/settings/invitations", "/settings/invitations", &[("uses", "5"), ("days", "x")]),
        ("/settings/invitations", "/settings/invitations", &[("uses", ""), ("days", "7")]),
        ("/settings/profile", "/settings/profile", &[]),
        ("/settings/profile", "/settings/profile", &[("display_name", "Ada")]),
        ("/settings/profile", "/settings/profile", &[("bio", "Seeds.")]),
    ] {
        let page = ada.get(page);
        let before = site.ask.asked.lock().len();
        let back = ada.resubmit(&page, to, typed);
        assert_eq!(back.status, 400, "{to} {typed:?}");
        assert_eq!(site.ask.asked.lock().len(), before, "{to} {typed:?}");
        // Whoever presses the button of what comes back opens nothing either.
        let opens = text(&back).contains("value=\"open\" selected");
        assert!(!opens, "{to} {typed:?}");
    }
    let typed = [("reason", "Loud."), ("hours", "")];
    assert_eq!(location(&ada.submit(suspend, "/mod/act", &typed)), "/mod/members");
    let Some(Action::Keep(keep)) = site.last_asked() else { panic!("nothing done") };
    assert_eq!(keep.deed, KeepersDeed::Suspend { user: name("ben"), hours: None });
}

#[test]
fn invitation_code_shown_once_to_who_made_it() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let typed = [("uses", "5"), ("days", "30")];
    let to = ada.submit("/settings/invitations", "/settings/invitations", &typed);
    let to = location(&to).to_owned();
    let Some(Action::Invite(invite)) = site.last_asked() else { panic!("nothing made") };
    assert_eq!((invite.uses, invite.days), (5, 30));
    // The fake knows of other codes alone.
    assert!(!text(&ada.get(&to)).contains("class=\"code\""));
    let code = invite.code.clone();
    let standing = move |code: &CodeHash| match fitting(&Action::Invitations) {
        Outcome::Invitations(mut all) => {
            all.rows[0].code = code.clone();
            Outcome::Invitations(Invitations { ..all })
        }
        other => other,
    };
    site.answer(move |action| {
        Ok(match action {
            Action::Invitations => standing(&code),
            other => fitting(other),
        })
    });
    let html = text(&ada.get(&to));
    let shown = html.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(code_hash(shown), invite.code, "{shown}");
    assert!(html.contains(&format!("/join?code={shown}")));
    assert!(!text(&ada.get("/settings/invitations")).contains("class=\"code\""));
}

#[test]
fn report_asks_why_and_says_that_it_was_sent() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert!(text(&ada.get("/@ben/899")).contains("href=\"/@ben/899/report\""));
    assert!(!text(&ada.get("/@ada/901")).contains("/report"));
    let to = ada.submit("/@ben/899/report", "/@ben/899/report", &[("reason", "Rude.")]);
    assert_eq!(location(&to), "/@ben/899?reported=1");
    let Some(Action::Report(report)) = site.last_asked() else { panic!("not reported") };
    assert_eq!((report.post.user, report.reason.as_str()), (name("ben"), "Rude."));
    assert!(text(&ada.get("/@ben/899?reported=1")).contains("A keeper will look."));
}
