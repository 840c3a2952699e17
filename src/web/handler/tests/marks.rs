//! What may be done to a post: which buttons stand where, where they lead, what comes back.

use super::fake::{
    Browser, check_shows, hidden_fields, history, location, name, posts, site, text, textarea,
};
use super::fitting::fitting;
use crate::action::{Action, Mark, Problem};
use crate::id::PostId;
use crate::user::entry::PostRef;
use crate::web::response::Response;
use crate::wire::request::{Field, FieldProblem, Outcome, PostPage, Refusal};

#[test]
fn buttons_stand_under_others_posts_and_for_members() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let of_ben = ["action=\"/@ben/899/unlike\"", "action=\"/@ben/899/repost\"", ">Liked</button>"];
    check_shows(
        &ada.get("/"),
        &of_ben,
        &["/@ada/900/like", "/bookmark\"", "/pin\"", "/delete\"", "/mute\""],
    );
    let own = [
        "action=\"/@ada/901/bookmark\"",
        "action=\"/@ada/901/pin\"",
        "action=\"/@ada/901/mute\">Mute thread</button>",
        "href=\"/@ada/901/edit\"",
        "href=\"/@ada/901/delete\"",
        "action=\"/@ben/902/like\"",
    ];
    check_shows(&ada.get("/@ada/901"), &own, &["/@ada/901/like", "/@ada/901/repost"]);
    check_shows(&ada.get("/bookmarks"), &["action=\"/@ben/899/bookmark\""], &[]);
    check_shows(&ada.get("/@ada"), &["href=\"/bookmarks\""], &[]);
    check_shows(&ada.get("/@ben"), &[], &["href=\"/bookmarks\""]);
    let acts = ["/mute\"", "like\"", "repost\"", "bookmark\"", "/pin\"", "/edit\""];
    for page in ["/", "/public", "/@ben", "/@ada/901"] {
        check_shows(&Browser::stranger(&site).get(page), &[], &acts);
    }
}

#[test]
fn buttons_go_back_to_their_page_and_post() {
    let site = site();
    let mut ada = Browser::ada(&site);
    for (page, back) in [
        ("/", "/#p899"),
        ("/?before=896", "/?before=896#p899"),
        ("/public?before=896", "/public?before=896#p899"),
        ("/@ben", "/@ben#p899"),
        ("/@ben?before=896", "/@ben?before=896#p899"),
        ("/bookmarks?before=896", "/bookmarks?before=896#p899"),
    ] {
        let response = ada.submit(page, "/@ben/899/unlike", &[]);
        assert_eq!(location(&response), back);
        let Some(Action::Mark(set)) = site.last_asked() else { panic!("no mark asked for") };
        let post = PostRef { user: name("ben"), id: PostId::from_raw(899) };
        assert_eq!((set.post, set.mark, set.on, set.key.ops), (post, Mark::Like, false, 12));
    }
    let response = ada.submit("/@ada/901", "/@ada/901/pin", &[]);
    assert_eq!(location(&response), "/@ada/901#p901");
    for away in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"] {
        let response = ada.submit("/", "/@ben/899/repost", &[("next", away)]);
        assert_eq!(location(&response), "/@ben/899#p899", "{away}");
    }
}

#[test]
fn buttons_of_a_page_share_its_key_and_are_acts_of_their_own() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get("/");
    let mut press = |action: &str| {
        location(&ada.resubmit(&page, action, &[]));
        let Some(Action::Mark(set)) = site.last_asked() else { panic!("no mark asked for") };
        (set.key.ops, set.key.id)
    };
    let actions = ["/@ben/899/unlike", "/@ben/899/repost", "/@mina/898/like", "/@mina/898/repost"];
    let keys: std::collections::BTreeSet<_> = actions.map(&mut press).into();
    assert_eq!(keys.len(), actions.len());
    assert!(keys.contains(&press(actions[2])), "pressed again it is the same act");
}

#[test]
fn button_before_the_upgrade_is_finished_says_so() {
    let site = site().refusing(Refusal::NotYet);
    let response = Browser::ada(&site).submit("/", "/@ben/899/repost", &[]);
    assert_eq!(response.status, 503);
    check_shows(&response, &["Not before the upgrade is finished.", ">Repost</button>"], &[]);
    assert!(hidden_fields(&response, "/@ben/899/repost").contains(&("next".into(), "/".into())));
}

#[test]
fn reposted_edited_folded_and_liked_posts_say_so() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let reposted = "<p class=\"to via\"><a href=\"/@ben\"><bdi>Ben Kroll</bdi></a> reposted</p>";
    let edited = "<a href=\"/@ben/899/history\">Edited · <time";
    let folded = "<details class=\"fold\"><summary dir=\"auto\">Weather</summary>";
    check_shows(&ada.get("/"), &[reposted, edited, folded], &["Liked by"]);
    let liked = "Liked by <a href=\"/@ben\"><bdi>Ben Kroll</bdi></a>, \
                 <a href=\"/@mina\"><bdi>Mina Okafor</bdi></a> and 3 more</p>";
    let above = "<summary dir=\"auto\">Not only gloves</summary>";
    check_shows(&ada.get("/@ada/901"), &[liked, above, "name=\"note\" value=\"Gloves\""], &[]);
    let said = ["Is it mien, <a href=\"/@ben\">@ben</a>?", "Is it mine?", "Gloves</summary>"];
    check_shows(&ada.get("/@ada/901/history"), &said, &[]);
    assert_eq!(history().texts.len(), 2);
}

#[test]
fn pinned_post_stands_first_once_and_on_the_first_page_alone() {
    let site = site().answering(|action| {
        let mut outcome = fitting(action);
        if let Outcome::Profile(profile) = &mut outcome {
            profile.pinned = profile.page.posts.last().cloned();
        }
        Ok(outcome)
    });
    let html = text(&Browser::ada(&site).get("/@yuki"));
    assert_eq!((html.matches("id=\"p896\"").count(), html.matches(">Pinned</p>").count()), (1, 1));
    assert!(html.find("id=\"p896\"").unwrap() < html.find("id=\"p900\"").unwrap());
    let html = text(&Browser::ada(&site).get("/@yuki?before=999"));
    assert_eq!((html.matches("id=\"p896\"").count(), html.matches(">Pinned</p>").count()), (1, 0));
}

#[test]
fn page_of_nothing_but_gone_reposts_leads_on() {
    let empty = PostPage { posts: Vec::new(), ..posts() };
    let site = site().answering(move |action| {
        Ok(match action {
            Action::Home(_) => Outcome::Posts(empty.clone()),
            other => fitting(other),
        })
    });
    check_shows(&Browser::ada(&site).get("/"), &["/?before=896"], &["Nothing yet."]);
}

#[test]
fn note_and_text_come_back_whatever_happens() {
    let typed = [("text", "It was the gardener."), ("note", "Ends the <book>")];
    let no_majority = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
    let problem = Problem::TooLong { over: 2 };
    let long = Refusal::Invalid { problems: vec![FieldProblem { field: Field::Note, problem }] };
    for refusal in [no_majority, Refusal::Unknown, Refusal::Conflict, Refusal::NotYet, long] {
        for (page, action) in
            [("/", "/post"), ("/@ada/901", "/post"), ("/@ada/901/edit", "/@ada/901/edit")]
        {
            let site = site().refusing(refusal.clone());
            let response = Browser::ada(&site).submit(page, action, &typed);
            assert!(response.status >= 400, "{refusal:?}");
            assert_eq!(textarea(&response), typed[0].1, "{action} {refusal:?}");
            let kept = "name=\"note\" value=\"Ends the &#60;book&#62;\"";
            check_shows(&response, &[&format!("action=\"{action}\""), kept, "fold\" open>"], &[]);
        }
    }
}

#[test]
fn edit_while_signed_out_comes_back_after_signing_in_as_an_edit() {
    let site = site();
    let page = Browser::ada(&site).get("/@ada/901/edit");
    let mut stranger = Browser::stranger(&site);
    let typed = [("text", "Mine, I think."), ("note", "Gloves")];
    let sent = stranger.resubmit(&page, "/@ada/901/edit", &typed);
    assert_eq!(sent.status, 403, "{}", text(&sent));
    let password = [("username", "ada"), ("password", "seven green gloves")];
    let back = stranger.resubmit(&sent, "/login", &password);
    assert_eq!(textarea(&back), "Mine, I think.");
    check_shows(
        &back,
        &["value=\"Gloves\"", ">Save</button>", "Press Save"],
        &["action=\"/post\""],
    );
    let key =
        |page: &Response, action| hidden_fields(page, action).into_iter().find(|f| f.0 == "key");
    assert_eq!(key(&back, "/@ada/901/edit"), key(&page, "/@ada/901/edit"));
    assert_eq!(location(&stranger.resubmit(&back, "/@ada/901/edit", &typed)), "/@ada/901");
    let Some(Action::EditPost(edit)) = site.last_asked() else { panic!("no edit asked for") };
    assert_eq!(
        (edit.id, edit.text.as_str(), edit.note.as_str()),
        (PostId::from_raw(901), "Mine, I think.", "Gloves")
    );
}

#[test]
fn edit_of_anothers_post_asks_nobody() {
    let site = site();
    let mut ada = Browser::ada(&site);
    assert_eq!(ada.get("/@ben/901/edit").status, 403);
    let page = ada.get("/@ada/901/edit");
    let fields: Vec<_> = hidden_fields(&page, "/@ada/901/edit");
    let mut fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.push(("text", "x"));
    site.ask.asked.lock().clear();
    assert_eq!(ada.post("/@ben/901/edit", &fields).status, 404);
    assert!(site.ask.asked.lock().is_empty());
    assert_eq!(
        location(&Browser::stranger(&site).get("/@ada/901/edit")),
        "/login?next=/@ada/901/edit"
    );
}
