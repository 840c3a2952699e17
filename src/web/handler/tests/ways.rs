//! Ways that people take between pages: back from where they went, on after signing in, to an address as they
//! spell it, to the end of a list.

use super::fake::{Browser, check_shows, hidden_fields, site, text, textarea};
use crate::action::Action;

const TYPED: &str = "The seed swap <b>moves</b> & \"so\" on.\nBring labels!";

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
        let button = format!("<button class=\"q\" name=\"back\">{back}</button>");
        check_shows(&room, &[&button], &["Go back"]);
        let typed = [("text", TYPED), ("note", "Swap"), ("for", "followers"), ("back", "")];
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
