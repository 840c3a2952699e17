//! Ways that people take between pages: back from where they went, on after signing in, to an address as they
//! spell it, to the end of a list.

use super::fake::{
    Browser, check_shows, hidden_fields, location, posts, site, text, textarea, thread,
};
use super::fitting::fitting;
use crate::action::Action;
use crate::user::entry::{Audience, Signup};
use crate::web::request::Method;
use crate::web::response::Response;
use crate::wire::request::{
    Hindered, KeptApart, NewsPage, Outcome, PeoplePage, PostPage, Refusal, Welcome,
};

const TYPED: &str = "The seed swap <b>moves</b> & \"so\" on.\nBring labels!";

/// What one signs in with.
const ADA: [(&str, &str); 2] = [("username", "ada"), ("password", "seven green gloves")];

/// The page's name in its `<title>`.
fn title(response: &Response) -> String {
    let html = text(response);
    let inside = html.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    super::fake::unescape(inside.unwrap_or_else(|| panic!("no title: {html}")))
}

#[test]
fn r0044_text_kept_on_the_way_back_from_pictures_and_polls() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for (page, asks, back) in [
        ("/", "more", "Without pictures"),
        ("/", "ask", "Without a poll"),
        ("/@ben/899", "more", "Without pictures"),
        ("/@ben/899", "ask", "Without a poll"),
    ] {
        let typed = [("text", TYPED), ("note", "Swap"), ("for", "followers"), (asks, "")];
        let room = ada.submit(page, "/post", &typed);
        // No picture comes along, and none keeps anybody here.
        let no_files = " formenctype=\"application/x-www-form-urlencoded\" formnovalidate";
        let no_files = if asks == "more" { no_files } else { "" };
        let button = format!("<button class=\"q\" name=\"back\"{no_files}>{back}</button>");
        check_shows(&room, &[&button], &["Go back"]);
        let file = ("picture_1", "a.jpg");
        let typed = [("text", TYPED), ("note", "Swap"), ("for", "followers"), ("back", ""), file];
        let back = ada.resubmit(&room, "/post", &typed);
        assert_eq!((back.status, textarea(&back).as_str()), (200, TYPED), "{page} {asks}");
        let both = ["name=\"more\"", "name=\"ask\"", "value=\"Swap\"", "\"followers\" selected"];
        check_shows(&back, &both, &["type=\"file\"", "option_1", "name=\"back\""]);
        let is_posted = |action: &Action| matches!(action, Action::Post(_) | Action::PostFor(_));
        assert!(!site.asked().iter().any(is_posted));
        // It is the form that it was: one post, in the same place, however often it is sent.
        let key = |page| hidden_fields(page, "/post").into_iter().find(|(name, _)| name == "key");
        assert_eq!(key(&room), key(&back));
        let replies = |page| hidden_fields(page, "/post").iter().any(|(it, _)| it == "reply_id");
        assert_eq!(replies(&back), page != "/");
    }
}

#[test]
fn r0045_not_found_after_session_ended_leads_to_sign_in() {
    let site = site().answering(|_| Ok(Outcome::Refused(Refusal::NotFound)));
    *site.ask.knows_session.lock() = false;
    for address in ["/@ben/899", "/@ben", "/@ben/899/history", "/@ben/followers", "/tag/seeds"] {
        let mut ada = Browser::ada(&site);
        assert_eq!(location(&ada.get(address)), format!("/login?next={address}"));
        assert!(!ada.cookies.contains_key("s"), "a session that is over is forgotten");
    }
    // A picture of a page is no page to come back to.
    let picture = format!("/picture/{}", "0".repeat(64) + ".png");
    for address in [picture.as_str(), "/@ben/face/0a1b2c3d"] {
        assert_eq!(Browser::ada(&site).get(address).status, 404, "{address}");
    }
    // Signed in one is told.
    *site.ask.knows_session.lock() = true;
    let told = Browser::ada(&site).get("/@ben/899");
    assert_eq!(told.status, 404);
    check_shows(&told, &["Go home"], &["/login"]);
}

#[test]
fn not_found_offers_strangers_to_sign_in_whatever_is_there() {
    let of = |refusal: Option<Refusal>, address: &str| {
        let site = site().answering(move |action| {
            Ok(refusal.clone().map_or_else(|| fitting(action), Outcome::Refused))
        });
        Browser::stranger(&site).get(address)
    };
    let there = of(Some(Refusal::NotFound), "/@ben/899");
    let words = ["href=\"/login?next=/@ben/899\">Sign in<", "Go home", "sign in to see it"];
    check_shows(&there, &words, &[]);
    let nowhere = of(None, "/nothing");
    check_shows(&nowhere, &["href=\"/login\">Sign in<", "sign in to see it"], &["nothing\""]);
    let nobody = of(Some(Refusal::NotFound), "/@eve");
    check_shows(&nobody, &["href=\"/login?next=/@eve\">Sign in<", "value=\"eve\""], &[]);
    // What leads elsewhere is not followed.
    let away = of(None, "//evil.example");
    check_shows(&away, &["href=\"/login\">Sign in<"], &["evil"]);
}

#[test]
fn r0046_sign_in_comes_back_to_the_whole_address() {
    let site = site();
    for (asked, next) in [
        ("/mod/act?deed=suspend&username=tomas", "/mod/act%3Fdeed%3Dsuspend%26username%3Dtomas"),
        ("/bookmarks?before=896", "/bookmarks%3Fbefore%3D896"),
        ("/settings/people?after=ben", "/settings/people%3Fafter%3Dben"),
        ("/mentions?before=896", "/mentions%3Fbefore%3D896"),
        ("/settings/devices", "/settings/devices"),
    ] {
        site.answer(|_| Ok(Outcome::Refused(Refusal::SignedOut)));
        *site.ask.knows_session.lock() = false;
        let login = format!("/login?next={next}");
        assert_eq!(location(&Browser::ada(&site).get(asked)), login);
        site.answer(|action| Ok(fitting(action)));
        *site.ask.knows_session.lock() = true;
        let mut ada = Browser::stranger(&site);
        assert_eq!(location(&ada.submit(&login, "/login", &ADA)), asked);
        // Already signed in, in another tab.
        assert_eq!(location(&ada.get(&login)), asked);
    }
    // What `next` may not be it is not, with a query either: then the page alone is.
    site.answer(|_| Ok(Outcome::Refused(Refusal::SignedOut)));
    let odd = Browser::ada(&site).get("/bookmarks?before=\\evil");
    assert_ne!(odd.status, 303, "a query that cannot be read is no address");
    let odd = Browser::ada(&site).get("/bookmarks?q=\\evil");
    assert_eq!(location(&odd), "/login?next=/bookmarks");
}

/// Sends `typed` from `page` with a session that is over, and signs in.
#[track_caller]
fn signed_in_again(page: &str, action: &str, typed: &[(&str, &str)]) -> Response {
    let site = site();
    *site.ask.is_keeper.lock() = true;
    let drawn = Browser::ada(&site).get(page);
    site.refuse(Refusal::SignedOut);
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    let login = ada.resubmit(&drawn, action, typed);
    assert_eq!(login.status, 403);
    // Nothing of it stands in an address: not in the one that is gone on to, nor in a link.
    let next = hidden_fields(&login, "/login").into_iter().find(|(name, _)| name == "next");
    let next = next.map(|(_, next)| next).unwrap_or_default();
    assert!(!next.contains("reason") && !next.contains("Rude"), "{next}");
    check_shows(&login, &[], &["reason=", "Rude%"]);
    site.refuse(Refusal::BadLogin);
    let wrong = ada.resubmit(&login, "/login", &ADA);
    site.answer(|action| Ok(fitting(action)));
    *site.ask.knows_session.lock() = true;
    let back = ada.resubmit(&wrong, "/login", &ADA);
    assert!(matches!(site.last_asked(), Some(Action::Login(_))), "nothing is sent by itself");
    if back.status == 200 {
        let done = ada.resubmit(&back, action, typed);
        assert_eq!(done.status, 303, "{}", text(&done));
    }
    back
}

#[test]
fn r0047_reason_stands_in_no_address() {
    let report = "/@ben/899/report";
    let back = signed_in_again(report, report, &[("reason", "Rude & <loud>.")]);
    assert_eq!((back.status, textarea(&back).as_str()), (200, "Rude & <loud>."));
    check_shows(&back, &["Nothing has been sent yet.", "Report this post"], &[]);
    let act = "/mod/act?deed=suspend&username=ben";
    let typed = [("hours", "24"), ("reason", "Rude."), ("password", "her own password")];
    let back = signed_in_again(act, "/mod/act", &typed);
    assert_eq!((back.status, textarea(&back).as_str()), (200, "Rude."));
    check_shows(&back, &["value=\"24\" selected"], &["her own password"]);
    // Where nothing was typed there is only the way back.
    let back = signed_in_again(act, "/mod/act", &[("hours", ""), ("reason", "")]);
    assert_eq!(location(&back), act);
    // A link fills in nothing.
    let site = site();
    let linked = Browser::ada(&site).get(&format!("{report}?reason=Rude"));
    assert_eq!(textarea(&linked), "");
    let linked = Browser::ada(&site).get(&format!("{act}&hours=24&reason=Rude"));
    assert_eq!(textarea(&linked), "");
}

#[test]
fn r0048_list_past_its_end_is_not_said_to_be_empty() {
    let site = site().answering(|action| {
        let nobody = || super::fake::person("ada", "Ada Lind");
        Ok(match fitting(action) {
            Outcome::Posts(_) => {
                Outcome::Posts(PostPage { posts: Vec::new(), older: None, ..posts() })
            }
            Outcome::Profile(mut profile) => {
                profile.page = PostPage { posts: Vec::new(), older: None, ..posts() };
                Outcome::Profile(profile)
            }
            Outcome::People(_) => {
                Outcome::People(PeoplePage { of: nobody(), people: Vec::new(), more_after: None })
            }
            Outcome::News(news) => {
                Outcome::News(NewsPage { news: Vec::new(), older: None, ..news })
            }
            Outcome::KeptApart(_) => {
                Outcome::KeptApart(KeptApart { people: Vec::new(), more_after: None })
            }
            other => other,
        })
    });
    let mut ada = Browser::ada(&site);
    for (page, cursor, empty) in [
        ("/", "before=1", "Nothing yet."),
        ("/public", "before=1", "Nothing posted yet."),
        ("/@ada", "before=1", "Nothing posted yet."),
        ("/bookmarks", "before=1", "Nothing bookmarked yet."),
        ("/tag/seeds", "before=1", "No post has this tag yet."),
        ("/@ada/followers", "after=zzz", "No one yet."),
        ("/@ada/following", "after=zzz", "No one yet."),
        ("/settings/people", "after=zzz", "No one."),
        ("/mentions", "before=1", "When someone writes"),
    ] {
        let past = ada.get(&format!("{page}?{cursor}"));
        let back = format!("<a class=\"btn q\" href=\"{page}\">Back to the beginning</a>");
        check_shows(&past, &["That’s everything.", &back], &[empty]);
        let first = ada.get(page);
        check_shows(&first, &[], &["That’s everything.", "Back to the beginning"]);
    }
}

#[test]
fn whoever_keeps_passwords_is_led_to_the_page_that_changes_one() {
    let site = site();
    let address = "/.well-known/change-password";
    for (mut browser, status) in [(Browser::ada(&site), 200), (Browser::stranger(&site), 303)] {
        let to = browser.get(address);
        assert_eq!((to.status, location(&to)), (303, "/settings/password"));
        assert_eq!(browser.get("/settings/password").status, status);
        assert_eq!(browser.post(address, &[]).status, 404);
        assert_eq!(browser.get(&format!("{address}s")).status, 404, "all else there is for apps");
    }
}

#[test]
fn r0049_address_in_another_spelling_leads_to_its_page() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for (asked, canonical) in [
        ("/@Ada", "/@ada"),
        ("/@ADA/901", "/@ada/901"),
        ("/@Ada.atom", "/@ada.atom"),
        ("/@ada/", "/@ada"),
        ("/@Ada/followers/?after=ben", "/@ada/followers?after=ben"),
        ("/public/?before=896", "/public?before=896"),
        ("/%40Ada", "/@ada"),
        ("/settings", "/settings/profile"),
        ("/settings/", "/settings/profile"),
        ("/mod/act/?deed=hide&username=ben&id=1", "/mod/act?deed=hide&username=ben&id=1"),
    ] {
        for method in [Method::Get, Method::Head] {
            let to = ada.send(method, asked, Vec::new());
            let place = to.location.as_ref().map(|place| place.as_str().to_owned());
            assert_eq!((to.status, place.as_deref()), (308, Some(canonical)), "{asked}");
        }
        assert_ne!(ada.post(asked, &[]).status, 308, "{asked}");
    }
    for asked in [
        "//",
        "//evil.example",
        "//evil.example/",
        "//public/",
        "/public//",
        "/%2Fevil.example/",
        "/@Ada/../x",
        "/@Ada//",
        "/@",
        "/@/",
        "/s/style.css/",
        "/post/",
        "/@Ben/follow",
        "/api/",
        "/oauth/token/",
    ] {
        let to = ada.get(asked);
        assert!(to.location.is_none() && to.status >= 400, "{asked}: {}", to.status);
    }
    // One-time links stay secret on the way.
    assert!(ada.get("/reset/?link=ada.secret").hides_address);
}

#[test]
fn r0050_box_to_write_in_not_offered_to_whom_it_is_refused() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let reason = "Too loud.".to_owned();
    for (why, words) in [
        (Hindered::Waiting, "A keeper has yet to let you in."),
        (Hindered::Suspended { until: None, reason }, "Too loud."),
    ] {
        *site.ask.hindered.lock() = Some(why);
        for page in ["/", "/public", "/@ben/899"] {
            check_shows(&ada.get(page), &[words], &["<textarea", "Sign in to reply"]);
        }
    }
    *site.ask.hindered.lock() = None;
    for page in ["/", "/public", "/@ben/899"] {
        check_shows(&ada.get(page), &["<textarea"], &["has yet to let you in"]);
    }
}

#[test]
fn joining_closed_not_offered_once_a_backend_was_asked() {
    let site = site().answering(|action| {
        Ok(match action {
            Action::Welcome => {
                let words = String::new();
                Outcome::Welcome(Welcome { signup: Signup::Closed, words, posts: None })
            }
            other => fitting(other),
        })
    });
    site.ask.cluster.lock().is_closed = true;
    // The form to sign in is drawn without a word from a backend, after pages that are not.
    let pages = ["/", "/join", "/public", "/search?q=tea", "/@ben", "/@ben/899", "/login"];
    for page in pages {
        check_shows(&Browser::stranger(&site).get(page), &["/login"], &["href=\"/join\""]);
    }
}

#[test]
fn form_sent_from_two_tabs_says_what_to_press() {
    for page in ["/", "/@ben/899"] {
        let site = site().refusing(Refusal::Conflict);
        let mut ada = Browser::ada(&site);
        let told = ada.submit(page, "/post", &[("text", TYPED)]);
        let words = [
            "<strong>You already posted from this form, perhaps in another tab.</strong>",
            "This text has not been posted. Press Post to send it too.",
            "<button>Post</button>",
        ];
        assert_eq!((told.status, textarea(&told).as_str()), (409, TYPED));
        check_shows(&told, &words, &["for something else", "nothing was posted"]);
        site.answer(|action| Ok(fitting(action)));
        let sent = ada.resubmit(&told, "/post", &[("text", TYPED)]);
        assert!(location(&sent).contains("posted=904"));
    }
    // What is no new post keeps its words.
    let site = site().refusing(Refusal::Conflict);
    let edit = Browser::ada(&site).submit("/@ada/901/edit", "/@ada/901/edit", &[("text", TYPED)]);
    check_shows(&edit, &["already used for something else"], &["another tab"]);
}

#[test]
fn titles_name_the_tab() {
    let site = site();
    *site.ask.is_keeper.lock() = true;
    let mut ada = Browser::ada(&site);
    for (address, name) in [
        ("/settings/profile", "Profile · Settings"),
        ("/settings/password", "Password · Settings"),
        ("/settings/devices", "Devices · Settings"),
        ("/settings/language", "Language · Settings"),
        ("/settings/people", "Muted · Settings"),
        ("/settings/invitations", "Invitations · Settings"),
        ("/settings/keys", "Keys · Settings"),
        ("/settings/data", "Your data · Settings"),
        ("/settings/leave", "Leave · Settings"),
        ("/mod", "Reports · Moderation"),
        ("/mod/joining", "Joining · Moderation"),
        ("/mod/members", "Members · Moderation"),
        ("/mod/log", "Log · Moderation"),
        ("/mod/settings", "Settings · Moderation"),
    ] {
        let page = ada.get(address);
        assert_eq!(title(&page), format!("{name} · Fen Lane"), "{address}");
        let heading = name.rsplit(" · ").next().unwrap();
        check_shows(&page, &[&format!("<h1 dir=\"auto\">{heading}</h1>")], &[]);
    }
}

#[test]
fn title_of_a_thread_begins_with_its_words_unless_they_are_not_for_all() {
    let of = |said: &'static str, note: Option<&'static str>, audience| {
        let site = site().answering(move |action| {
            Ok(match fitting(action) {
                Outcome::Thread(_) => {
                    let mut page = thread();
                    said.clone_into(&mut page.post.text);
                    page.post.note = note.map(str::to_owned);
                    page.post.audience = audience;
                    Outcome::Thread(page)
                }
                other => other,
            })
        });
        let strangers = title(&Browser::stranger(&site).get("/@ada/901"));
        assert_eq!(strangers, "Post by Ada Lind · Fen Lane", "previews tell no words");
        let page = Browser::ada(&site).get("/@ada/901");
        check_shows(&page, &["<h1 dir=\"auto\">Post by Ada Lind</h1>"], &[]);
        title(&page)
    };
    let all = Audience::Everyone;
    let named = |words: &str| format!("Ada Lind: {words} · Fen Lane");
    assert_eq!(of("Is it mine?", None, all), named("Is it mine?"));
    assert_eq!(of("Is it <b>\nmine?", None, Audience::Quiet), named("Is it <b> mine?"));
    let long = "The seed swap is on Saturday at ten, in the old chapel. Bring labels.";
    assert_eq!(of(long, None, all), named("The seed swap is on Saturday at ten, in the old…"));
    let unbroken = "ä".repeat(60).leak();
    assert_eq!(of(unbroken, None, all), named(&format!("{}…", "ä".repeat(50))));
    let plain = "Post by Ada Lind · Fen Lane";
    assert_eq!(of("", None, all), plain);
    assert_eq!(of(" \n ", None, all), plain);
    assert_eq!(of("Behind it", Some("Gloves"), all), plain);
    assert_eq!(of("To @ben", None, Audience::Named), plain);
    assert_eq!(of("To you", None, Audience::Followers), plain);
}

#[test]
fn followers_told_to_be_anybody_where_one_writes_for_them() {
    let site = site();
    let mut ada = Browser::ada(&site);
    check_shows(&ada.get("/"), &[">Whoever follows me<"], &[]);
    let words = "Any member can follow you and then read what you write for your followers.";
    check_shows(&ada.get("/settings/profile"), &[words], &[]);
    check_shows(&ada.get("/@ada/followers"), &[words], &[]);
    check_shows(&ada.get("/@ben/followers"), &[], &[words]);
    check_shows(&ada.get("/@ada/following"), &[], &[words]);
}
