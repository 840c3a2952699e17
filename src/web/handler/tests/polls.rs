//! Polls in pages: how they are shown, and what a vote asks for.

use super::fake::{Browser, NOW, check_shows, location, of_ben, post, posts, site, text};
use super::fitting::fitting;
use crate::action::{Action, Problem};
use crate::clock::Wall;
use crate::web::ask::AskError;
use crate::web::response::Response;
use crate::wire::request::{
    Field, FieldProblem, OptionView, Outcome, PollView, PostPage, PostView, Refusal,
};

/// What ben asks, with so many votes for each, where they are told.
pub(super) fn asks(votes: [Option<u32>; 2]) -> PollView {
    let option = |title: &str, votes| OptionView { title: title.to_owned(), votes };
    let [tea, cake] = votes;
    PollView {
        options: vec![option("Tea <3", tea), option("Cake", cake)],
        until: Wall(NOW.0 + 600_000),
        is_over: false,
        many: false,
        voters: 3,
        votes: 3,
        chosen: None,
    }
}

fn told() -> PollView {
    asks([Some(1), Some(2)])
}

/// A home with a poll of somebody.
fn home(of: &str, poll: PollView) -> impl Fn(&Action) -> Result<Outcome, AskError> {
    let asked = PostView { poll: Some(Box::new(poll)), ..post(899, of, "Ben Kroll", 5, "Which?") };
    move |action| match action {
        Action::Home(_) => Ok(Outcome::Posts(PostPage { posts: vec![asked.clone()], ..posts() })),
        other => Ok(fitting(other)),
    }
}

const FORM: &str = "action=\"/@ben/899/vote\"";
const END: &str = " title=\"14 November 2023, 22:23 UTC\">";
const IN_WORDS: &str = ">10 minutes from now</time>";

#[test]
fn poll_shown_as_a_form_until_one_voted_and_then_as_it_stands() {
    let before = site().answering(home("ben", told()));
    let radio = "<input type=\"radio\" name=\"choice\" value=\"1\" required> <bdi>Cake</bdi>";
    let form = [FORM, radio, "Tea &#60;3", "Choose one<", "3 people voted · Ends", END, IN_WORDS];
    check_shows(&Browser::ada(&before).get("/"), &form, &["<progress", "33 %", "Tea <3"]);

    let many = site().answering(home("ben", PollView { many: true, ..told() }));
    let boxes = ["<input type=\"checkbox\" name=\"choice_2\" value=\"1\">", "one or several"];
    check_shows(&Browser::ada(&many).get("/"), &boxes, &["radio"]);

    let chosen = Some([1].into_iter().collect());
    let voted = site().answering(home("ben", PollView { chosen, ..told() }));
    let results = [
        "<bdi>Tea &#60;3</bdi> <span>33 % (1 vote)</span><progress max=\"100\" value=\"33\"",
        "<bdi>Cake</bdi> <span>67 % (2 votes)</span> <b>your choice</b>",
        "Ends",
    ];
    check_shows(&Browser::ada(&voted).get("/"), &results, &[FORM]);
    let over = site().answering(home("ben", PollView { is_over: true, ..told() }));
    check_shows(
        &Browser::ada(&over).get("/"),
        &["67 %", "3 people voted · Ended · <time"],
        &[FORM, "Ends"],
    );
    // Whoever asks is shown how it stands.
    let own = site().answering(home("ada", told()));
    check_shows(&Browser::ada(&own).get("/"), &["67 %"], &["/vote\""]);
    let secret = PollView { chosen, ..asks([None, None]) };
    let secret = site().answering(home("ben", secret));
    let words = ["<b>your choice</b>", "Results are shown when it has ended."];
    check_shows(&Browser::ada(&secret).get("/"), &words, &[FORM, "<progress", " %"]);
}

#[test]
fn vote_asks_for_what_is_chosen_and_goes_back() {
    let site = site().answering(home("ben", PollView { many: true, ..told() }));
    let mut ada = Browser::ada(&site);
    let vote = |fields: &[(&str, &str)], ada: &mut Browser<'_>| {
        let response = ada.submit("/", "/@ben/899/vote", fields);
        assert_eq!(location(&response), "/#p899");
        let Some(Action::Vote(vote)) = site.last_asked() else { panic!("no vote asked for") };
        assert_eq!((vote.post, vote.key.ops), (of_ben(899), 12));
        vote.choices
    };
    assert_eq!(vote(&[("choice", "1")], &mut ada), [1]);
    assert_eq!(vote(&[("choice_1", "0"), ("choice_2", "1")], &mut ada), [0, 1]);
    assert!(vote(&[], &mut ada).is_empty());
    // What no form of ours says is not passed on.
    let count = site.asked().len();
    for bad in ["-1", "one", "", "4294967296"] {
        let response = ada.submit("/", "/@ben/899/vote", &[("choice", bad)]);
        assert_eq!(response.status, 400, "{bad}");
    }
    assert!(site.asked().iter().skip(count).all(|asked| !matches!(asked, Action::Vote(_))));
}

#[test]
fn vote_not_taken_says_why_and_can_be_sent_again_as_it_was() {
    let refused = |problem| {
        let problems = vec![FieldProblem { field: Field::Choice, problem }];
        Outcome::Refused(Refusal::Invalid { problems })
    };
    for (problem, words) in [
        (Problem::Past, "The poll has ended."),
        (Problem::Used, "You have voted here before; a vote stands."),
        (Problem::Own, "You cannot vote in your own poll."),
        (Problem::Empty, "Choose something first."),
    ] {
        let shown = home("ben", told());
        let site = site().answering(move |action| match action {
            Action::Vote(_) => Ok(refused(problem.clone())),
            other => shown(other),
        });
        let response = Browser::ada(&site).submit("/", "/@ben/899/vote", &[("choice", "1")]);
        assert_eq!(response.status, 422);
        // Pressed again it would say the same.
        check_shows(&response, &[words, "href=\"/@ben/899\">Go back<"], &[FORM]);
    }
    let shown = home("ben", told());
    let site = site().answering(move |action| match action {
        Action::Vote(_) => {
            Ok(Outcome::Refused(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 }))
        }
        other => shown(other),
    });
    let response = Browser::ada(&site).submit("/", "/@ben/899/vote", &[("choice", "1")]);
    assert_eq!(response.status, 503);
    check_shows(&response, &[FORM, "name=\"choice\" value=\"1\"", "Nothing was saved"], &[]);
}

#[test]
fn poll_in_a_feed_says_what_can_be_chosen() {
    let quiet = PostView { text: String::new(), ..post(899, "ben", "Ben Kroll", 5, "") };
    let asked = PostView { poll: Some(Box::new(told())), ..quiet };
    let site = site().answering(move |action| match action {
        Action::Everyone(_) => {
            Ok(Outcome::Posts(PostPage { posts: vec![asked.clone()], ..posts() }))
        }
        other => Ok(fitting(other)),
    });
    let feed = Browser::stranger(&site).get("/public.atom");
    check_shows(&feed, &["<title>• Tea &#60;3</title>", "• Tea &#60;3<br/>• Cake"], &["/vote"]);
}

/// What stands in the fields for a poll on a page: values of the options, what is chosen of the rest.
#[track_caller]
fn check_fields(response: &Response, options: [&str; 4], lasts: &str, several: bool) {
    let html = text(response);
    for (number, value) in (1..).zip(options) {
        let field = format!("<input name=\"option_{number}\" value=\"{value}\"");
        assert!(html.contains(&field), "{field} is not in {html}");
    }
    let chosen = format!("<option value=\"{lasts}\" selected>");
    assert!(html.contains(&chosen), "{chosen} is not in {html}");
    assert_eq!(html.contains("name=\"several\" value=\"1\" checked>"), several, "{html}");
}

const TYPED: [(&str, &str); 7] = [
    ("text", "Which?"),
    ("for", "followers"),
    ("option_1", "Tea <3"),
    ("option_2", " "),
    ("option_3", "Cake"),
    ("lasts", "604800"),
    ("several", "1"),
];

#[test]
fn poll_asked_on_a_page_with_room_for_it() {
    let site = site();
    let mut ada = Browser::ada(&site);
    check_shows(&ada.get("/"), &["<button class=\"q\" name=\"ask\">Poll</button>"], &["option_1"]);
    let page = ada.submit("/", "/post", &[("text", "Which?"), ("note", "Tea"), ("ask", "")]);
    assert_eq!(page.status, 200);
    check_shows(
        &page,
        &["Which?</textarea>", "value=\"Tea\"", "1 hour<", "30 days<"],
        &["name=\"ask\"", "type=\"file\""],
    );
    check_fields(&page, ["", "", "", ""], "86400", false);
    assert!(!site.asked().iter().any(|it| it.written().is_some()), "nothing is posted yet");
    location(&ada.resubmit(&page, "/post", &TYPED));
    let asked = site.last_asked().unwrap();
    let (audience, post, poll) = asked.written().unwrap();
    assert_eq!((audience.unwrap().as_str(), post.text.as_str()), ("followers", "Which?"));
    let poll = poll.unwrap();
    assert_eq!(
        (&poll.options[..], poll.lasts_s, poll.many),
        (&["Tea <3".to_owned(), "Cake".to_owned()][..], 604_800, true)
    );
    // Room that nobody used asks nothing, whatever it says of the end.
    location(&ada.resubmit(&page, "/post", &[("text", "No"), ("lasts", "x")]));
    assert!(site.last_asked().unwrap().written().unwrap().2.is_none());
}

/// Who had asked for the fields and filled in none had a plain post, which no poll can be put to afterwards.
#[test]
fn r0251_poll_of_which_nothing_was_filled_in_is_none_and_is_said_to_be() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.submit("/", "/post", &[("text", "Which?"), ("ask", "")]);
    let blank = TYPED.map(|(name, value)| match name {
        "option_1" | "option_3" => (name, ""),
        _ => (name, value),
    });
    // The end is not what is wrong with it.
    for typed in [&blank[..], &blank[..5]] {
        ada.resubmit(&page, "/post", typed);
        let asked = site.last_asked().unwrap();
        let poll = asked.written().unwrap().2.map(|poll| poll.options.len());
        assert_eq!(poll, Some(0), "a backend says what it lacks");
    }
    let typed = [&blank[..], &[("back", "")]].concat();
    check_shows(&ada.resubmit(&page, "/post", &typed), &["Which?</textarea>"], &["option_1"]);
}

/// Of another program, or cut short: it made a poll of a day.
#[test]
fn poll_whose_end_is_unknown_comes_back_as_it_was_typed() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.submit("/", "/post", &[("text", "Which?"), ("ask", "")]);
    for lasts in ["", "0", "1", "-1", "x", "604800 ", "99999999999"] {
        let mut typed = TYPED;
        typed[5].1 = lasts;
        // Left out altogether, too.
        for typed in [&typed[..], &typed[..5]] {
            let back = ada.resubmit(&page, "/post", typed);
            assert_eq!(back.status, 400, "{lasts:?}");
            check_shows(&back, &["Which?</textarea>", "value=\"followers\" selected"], &[]);
            check_fields(&back, ["Tea &#60;3", " ", "Cake", ""], "86400", typed.len() == 7);
            assert!(!site.asked().iter().any(|it| it.written().is_some()), "{lasts:?}");
        }
    }
    // What it answers stays as well.
    let reply = [("reply_user", "ben"), ("reply_id", "904")];
    let typed = [&TYPED[..5], &reply].concat();
    let back = ada.resubmit(&page, "/post", &typed);
    assert_eq!(back.status, 400);
    check_shows(&back, &["name=\"reply_user\" value=\"ben\""], &[]);
}

#[test]
fn poll_that_was_not_posted_comes_back_as_it_was_typed() {
    let fields = ["Tea &#60;3", " ", "Cake", ""];
    let short = vec![FieldProblem { field: Field::Poll, problem: Problem::TooShort { min: 2 } }];
    let no_majority = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
    for (refusal, status, words) in [
        (Refusal::Invalid { problems: short }, 422, "A poll needs at least 2 options."),
        (no_majority, 503, "Nothing was saved"),
    ] {
        let site = site().refusing(refusal);
        let mut ada = Browser::ada(&site);
        let page = ada.submit("/", "/post", &[("text", "Which?"), ("ask", "")]);
        let back = ada.resubmit(&page, "/post", &TYPED);
        assert_eq!(back.status, status);
        check_shows(
            &back,
            &[words, "Which?</textarea>", "value=\"followers\" selected"],
            &["name=\"ask\""],
        );
        check_fields(&back, fields, "604800", true);
    }
    // A stranger's rides along while they sign in, with or without a text.
    for typed in [&TYPED[..], &TYPED[2..]] {
        let site = site();
        let mut browser = Browser::ada(&site);
        let page = browser.submit("/", "/post", &[("ask", "")]);
        site.refuse(Refusal::SignedOut);
        *site.ask.knows_session.lock() = false;
        let login = browser.resubmit(&page, "/post", typed);
        site.answer(|action| Ok(fitting(action)));
        *site.ask.knows_session.lock() = true;
        let typed = [("username", "ada"), ("password", "seven green gloves")];
        let draft = browser.resubmit(&login, "/login", &typed);
        check_fields(&draft, fields, "604800", true);
    }
}

#[test]
fn r0043_option_that_is_too_long_is_named() {
    let problem = Problem::TooLong { over: 7 };
    let problems = vec![FieldProblem { field: Field::Poll, problem }];
    let site = site().refusing(Refusal::Invalid { problems });
    let mut ada = Browser::ada(&site);
    let page = ada.submit("/", "/post", &[("text", "Which?"), ("ask", "")]);
    let long = "y".repeat(57);
    let typed = [("option_1", "Tea"), ("option_3", long.as_str()), ("lasts", "86400")];
    let answer = ada.resubmit(&page, "/post", &typed);
    let words = "Option 3: 7 characters too many. An option has up to 50.";
    assert_eq!(answer.status, 422);
    check_shows(&answer, &[words, &long], &[]);
}
