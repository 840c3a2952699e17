//! Who may read a post: chosen where it is written, kept on every way, and said where it stands.

use super::fake::{
    Browser, Fake, hidden_fields, location, post, posts, site, text, textarea, thread,
};
use super::fitting::fitting;
use crate::action::{Action, PostFor};
use crate::user::entry::Audience;
use crate::web::handler::Site;
use crate::web::response::Response;
use crate::wire::request::{Outcome, PostView, Refusal, ThreadPage};

const FEW: [(&str, Audience); 3] =
    [("quiet", Audience::Quiet), ("followers", Audience::Followers), ("named", Audience::Named)];

/// What is chosen on a page, if there is a choice.
#[track_caller]
fn chosen(page: &Response) -> Option<String> {
    let html = text(page);
    let (_, select) = html.split_once("<select id=\"ca\" name=\"for\">")?;
    let (options, _) = select.split_once("</select>").unwrap();
    assert_eq!(options.matches("<option").count(), 4, "{options}");
    let (before, _) = options.split_once("\" selected>").expect("something is chosen");
    Some(before.rsplit_once("value=\"").unwrap().1.to_owned())
}

#[track_caller]
fn check_asked(site: &Site<Fake>, expected: Audience) {
    match site.last_asked() {
        Some(Action::Post(post)) => {
            assert_eq!((Audience::Everyone, post.for_everybody), (expected, true));
        }
        Some(Action::PostFor(PostFor { audience, post })) => {
            assert_eq!((audience, post.text.as_str()), (expected, "To @ben"));
        }
        _ => panic!("no post asked for"),
    }
}

fn of(audience: Audience) -> PostView {
    PostView { audience, ..post(899, "ben", "Ben Kroll", 5, "To @ada") }
}

#[test]
fn post_is_for_whom_one_chose() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for page in ["/", "/public"] {
        assert_eq!(chosen(&ada.get(page)).as_deref(), Some(""), "{page}");
    }
    for (word, audience) in FEW.into_iter().chain([("", Audience::Everyone)]) {
        let sent = ada.submit("/", "/post", &[("text", "To @ben"), ("for", word)]);
        assert_eq!(location(&sent), "/?posted=904", "{word}");
        check_asked(&site, audience);
    }
    // An edit does not ask: it stays for whom it was.
    assert_eq!(chosen(&ada.get("/@ada/901/edit")), None);
}

#[test]
fn choice_comes_back_whatever_happens() {
    for refusal in [
        Refusal::NoMajority { reachable: 1, members: 3, needed: 2 },
        Refusal::Unknown,
        Refusal::Conflict,
        Refusal::NotYet,
        Refusal::NotFound,
        Refusal::Gone,
    ] {
        let site = site().refusing(refusal);
        let mut ada = Browser::ada(&site);
        for (word, _) in FEW {
            for page in ["/", "/@ben/899"] {
                let typed = [("text", "To @ben"), ("for", word)];
                let back = ada.submit(page, "/post", &typed);
                assert_eq!(
                    (chosen(&back).as_deref(), textarea(&back)),
                    (Some(word), "To @ben".to_owned())
                );
            }
        }
    }
    let site = site();
    let mut ada = Browser::ada(&site);
    let typed = [("text", "To @ben"), ("for", "named"), ("more", "")];
    let room = ada.submit("/", "/post", &typed);
    assert_eq!(chosen(&room).as_deref(), Some("named"));
    ada.resubmit(&room, "/post", &[("text", "To @ben"), ("for", "named")]);
    check_asked(&site, Audience::Named);
}

#[test]
fn choice_rides_along_while_one_signs_in() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get("/@ben/899");
    site.refuse(Refusal::SignedOut);
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    let login = ada.resubmit(&page, "/post", &[("text", "To @ben"), ("for", "followers")]);
    let rides = hidden_fields(&login, "/login");
    assert!(rides.contains(&("for".to_owned(), "followers".to_owned())), "{rides:?}");
    site.answer(|action| Ok(fitting(action)));
    *site.ask.knows_session.lock() = true;
    let typed = [("username", "ada"), ("password", "seven green gloves")];
    let back = ada.resubmit(&login, "/login", &typed);
    assert_eq!(
        (chosen(&back).as_deref(), textarea(&back)),
        (Some("followers"), "To @ben".to_owned())
    );
}

#[test]
fn choice_that_is_none_of_ours_is_not_everybody() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for word in ["everyone ", "Named", "neighbours", "private"] {
        let back = ada.submit("/", "/post", &[("text", "To @ben"), ("for", word)]);
        assert!((400..500).contains(&back.status), "{word}");
        assert!(!site.asked().iter().any(|it| matches!(it, Action::Post(_) | Action::PostFor(_))));
        assert_eq!(
            (chosen(&back).as_deref(), textarea(&back)),
            (Some("named"), "To @ben".to_owned())
        );
    }
}

#[test]
fn post_for_those_named_names_somebody() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let back = ada.submit("/", "/post", &[("text", "To ben"), ("for", "named")]);
    let html = text(&back);
    assert_eq!((back.status, textarea(&back).as_str()), (422, "To ben"));
    assert!(
        html.contains("names nobody. Name them with @") && html.contains("id=\"ce\""),
        "{html}"
    );
    assert_eq!(chosen(&back).as_deref(), Some("named"));
    assert!(!site.asked().iter().any(|it| matches!(it, Action::PostFor(_))));
}

#[test]
fn answer_is_for_as_few_and_names_them() {
    for (word, audience, named) in [
        ("", Audience::Everyone, "@ben "),
        ("quiet", Audience::Quiet, "@ben "),
        ("followers", Audience::Followers, "@ben @mina "),
        ("named", Audience::Named, "@ben @mina "),
    ] {
        let site = site().answering(move |action| {
            Ok(match action {
                Action::Thread(_) => {
                    let mut thread = thread();
                    thread.post = of(audience);
                    // Whoever is named in it, ada herself and its author among them.
                    thread.post.mentions =
                        ["ada", "ben", "mina"].map(|name| name.parse().unwrap()).to_vec();
                    Outcome::Thread(thread)
                }
                other => fitting(other),
            })
        });
        let page = Browser::ada(&site).get("/@ben/899");
        assert_eq!((chosen(&page).as_deref(), textarea(&page).as_str()), (Some(word), named));
        assert_eq!(text(&page).contains("/@ben/899/repost"), !audience.is_few(), "{word}");
    }
}

/// A form begins as its author wants it, and says so; what is chosen in it holds, for everybody too. An answer
/// is for no more than what it answers.
#[test]
fn r0257_form_begins_with_whom_ones_posts_are_for() {
    let parents = [("", Audience::Everyone)].into_iter().chain(FEW);
    for (usual_word, usual) in [("", Audience::Everyone)].into_iter().chain(FEW).take(3) {
        for (word, parent) in parents.clone() {
            let site = site().answering(move |action| {
                Ok(match action {
                    Action::Thread(_) => {
                        Outcome::Thread(ThreadPage { post: of(parent), ..thread() })
                    }
                    other => fitting(other),
                })
            });
            *site.ask.posts_for.lock() = usual;
            let mut ada = Browser::ada(&site);
            for page in ["/", "/public"] {
                assert_eq!(chosen(&ada.get(page)).as_deref(), Some(usual_word), "{page}");
            }
            let narrower = if parent > usual { word } else { usual_word };
            assert_eq!(chosen(&ada.get("/@ben/899")).as_deref(), Some(narrower));
            ada.submit("/", "/post", &[("text", "To @ben"), ("for", word)]);
            check_asked(&site, parent);
            // A form that does not ask says nothing: not that it is for everybody.
            ada.submit("/", "/post", &[("text", "To @ben")]);
            let asked = site.last_asked().unwrap();
            assert_eq!(asked.written().map(|(audience, ..)| audience), Some(None));
            // As it was sent, it comes back.
            let typed = [("text", "To @ben"), ("for", word), ("more", "")];
            assert_eq!(chosen(&ada.submit("/", "/post", &typed)).as_deref(), Some(word));
        }
    }
}

const SETTINGS: &str = "/settings/profile";

/// What is chosen among the settings, if they ask.
fn usual(page: &Response) -> Option<String> {
    let html = text(page);
    let (_, select) = html.split_once("name=\"posts_for\"")?;
    let (options, _) = select.split_once("</select>").unwrap();
    let values = options.split("value=\"").skip(1).map(|it| it.split('"').next().unwrap());
    assert_eq!(values.collect::<Vec<_>>(), ["everyone", "quiet", "followers"]);
    let (before, _) = options.split_once("\" selected>").expect("something is chosen");
    Some(before.rsplit_once("value=\"").unwrap().1.to_owned())
}

#[test]
fn r0258_settings_ask_for_whom_ones_posts_are() {
    let typed = [("display_name", "Ada"), ("bio", "")];
    let with = |word| [typed[0], typed[1], ("posts_for", word)];
    for audience in Audience::USUAL {
        let site = site();
        *site.ask.posts_for.lock() = audience;
        let mut ada = Browser::ada(&site);
        let page = ada.get(SETTINGS);
        assert_eq!(usual(&page).as_deref(), Some(audience.as_str()));
        assert!(text(&page).contains("Who sees your posts, unless you choose otherwise"));
        for chosen in Audience::USUAL {
            let saved = ada.submit(SETTINGS, SETTINGS, &with(chosen.as_str()));
            assert_eq!(location(&saved), "/settings/profile?saved=1");
            let Some(Action::EditProfile(edit)) = site.last_asked() else { panic!("not asked") };
            assert_eq!(edit.posts_for, Some(chosen));
        }
        // A page of an earlier program does not ask, and so changes nothing of it.
        ada.submit(SETTINGS, SETTINGS, &typed);
        let Some(Action::EditProfile(edit)) = site.last_asked() else { panic!("not asked") };
        assert_eq!(edit.posts_for, None);
        // What nobody is offered says nothing.
        let asked = site.asked().len();
        for word in ["named", "", "Followers", "private"] {
            let back = ada.submit(SETTINGS, SETTINGS, &with(word));
            assert!((400..500).contains(&back.status), "{word}");
            assert_eq!(usual(&back), None, "{word}");
        }
        let edits = site.asked().into_iter().skip(asked);
        assert_eq!(edits.filter(|it| matches!(it, Action::EditProfile(_))).count(), 0);
    }
}

/// Where it could not be saved, or its author was signed out meanwhile.
#[test]
fn r0259_choice_among_the_settings_comes_back_whatever_happens() {
    let typed = [("display_name", "Ada"), ("bio", "Hi"), ("posts_for", "followers")];
    for refusal in [Refusal::NotYet, Refusal::Unknown] {
        let site = site().refusing(refusal);
        let back = Browser::ada(&site).submit(SETTINGS, SETTINGS, &typed);
        assert_eq!((back.status, usual(&back).as_deref()), (503, Some("followers")));
    }
    let site = site();
    let page = Browser::ada(&site).get(SETTINGS);
    site.refuse(Refusal::SignedOut);
    *site.ask.knows_session.lock() = false;
    let mut ada = Browser::ada(&site);
    let login = ada.resubmit(&page, SETTINGS, &typed);
    site.answer(|action| Ok(fitting(action)));
    *site.ask.knows_session.lock() = true;
    let back = ada.resubmit(&login, "/login", &[("username", "ada"), ("password", "x")]);
    assert_eq!(usual(&back).as_deref(), Some("followers"));
}

#[test]
fn post_says_whom_it_is_for() {
    for (audience, words) in [
        (Audience::Everyone, ""),
        (Audience::Quiet, "In no public list"),
        (Audience::Followers, "Followers only"),
        (Audience::Named, "Only those named"),
    ] {
        let site = site().answering(move |action| {
            Ok(match action {
                Action::Home(_) => {
                    let mut page = posts();
                    page.posts = vec![of(audience)];
                    Outcome::Posts(page)
                }
                Action::Thread(_) => {
                    let mut thread = thread();
                    thread.post = of(audience);
                    Outcome::Thread(thread)
                }
                other => fitting(other),
            })
        });
        let mut ada = Browser::ada(&site);
        for page in ["/", "/@ben/899"] {
            let html = text(&ada.get(page));
            let marks: Vec<_> = html.split("few\">").skip(1).collect();
            match words {
                "" => assert!(marks.is_empty(), "{page}: {html}"),
                words => assert!(marks.len() == 1 && marks[0].starts_with(words), "{page}: {html}"),
            }
            let buttons = html.matches("/@ben/899/repost").count();
            assert_eq!(buttons, usize::from(!audience.is_few()), "{page}");
        }
    }
}
