//! Forms that are not believed: from elsewhere, of another session, garbled. Nothing is asked of a
//! backend, and what was typed comes back.

use super::fake::{Browser, NOW, hidden_fields, location, site, text, textarea};
use crate::web::csrf::FormKey;
use crate::web::request::Method;

const TYPED: &str = "What I wrote & want back";

/// How many writes were asked for.
fn writes(site: &crate::web::handler::Site<super::fake::Fake>) -> usize {
    site.ask.asked.lock().iter().filter(|(_, request)| request.action.is_write()).count()
}

#[test]
fn s20_post_from_another_site_refused_with_text() {
    for fetch_site in ["cross-site", "same-site"] {
        let site = site();
        let mut ada = Browser::ada(&site);
        let page = ada.get("/");
        ada.fetch_site = Some(fetch_site);
        let response = ada.resubmit(&page, "/post", &[("text", TYPED)]);
        assert_eq!(response.status, 403);
        assert!(text(&response).contains("This form was not sent from this site."));
        assert_eq!(textarea(&response), TYPED);
        assert_eq!(writes(&site), 0);
        // Sent again from here it is believed.
        ada.fetch_site = Some("same-origin");
        assert_eq!(location(&ada.resubmit(&response, "/post", &[])), "/?posted=904");
    }
}

#[test]
fn post_from_another_site_without_cookies_keeps_text_through_sign_in() {
    let site = site();
    let mut stranger = Browser::stranger(&site);
    stranger.fetch_site = Some("cross-site");
    let response = stranger.post("/post", &[("text", TYPED)]);
    assert_eq!(response.status, 403);
    let fields = hidden_fields(&response, "/login");
    assert!(fields.contains(&("text".to_owned(), TYPED.to_owned())));
    assert_eq!(writes(&site), 0);
}

#[test]
fn s20_post_without_fetch_site_needs_token_alone() {
    let site = site();
    let mut ada = Browser::ada(&site);
    ada.fetch_site = None;
    assert_eq!(location(&ada.submit("/", "/post", &[("text", TYPED)])), "/?posted=904");
}

#[test]
fn post_with_wrong_token_refused_with_text() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let follow = hidden_fields(&ada.get("/@ben"), "/@ben/follow");
    let of_other_form = &follow.iter().find(|(name, _)| name == "token").unwrap().1;
    for token in ["", "x", of_other_form] {
        let response = ada.post("/post", &[("text", TYPED), ("token", token)]);
        assert_eq!(response.status, 403);
        assert!(text(&response).contains("This form is no longer valid."));
        assert_eq!(textarea(&response), TYPED);
    }
    assert_eq!(writes(&site), 0);
}

#[test]
fn s20_post_with_token_of_another_session_refused() {
    let site = site();
    let page = Browser::ada(&site).get("/");
    let mut other = Browser::ada(&site);
    let token = "A".repeat(43);
    let stamp = FormKey::new([7; 32]).stamp(&token, NOW.0 / 86_400_000);
    other.cookies.insert("s".to_owned(), format!("ada.{token}"));
    other.cookies.insert("u".to_owned(), stamp);
    assert_eq!(other.resubmit(&page, "/post", &[("text", TYPED)]).status, 403);
    assert_eq!(writes(&site), 0);
}

#[test]
fn s21_join_and_login_need_the_cookie_they_were_drawn_with() {
    for address in ["/join", "/login"] {
        let site = site();
        let mut victim = Browser::stranger(&site);
        let page = Browser::stranger(&site).get(address);
        let typed = [("username", "eve"), ("password", "secret words")];
        let response = victim.resubmit(&page, address, &typed);
        assert_eq!(response.status, 403, "{address}");
        assert!(text(&response).contains("value=\"eve\""));
        assert!(!text(&response).contains("secret words"));
        assert_eq!(writes(&site), 0);
        // The page that came back brought the cookie.
        assert_eq!(victim.resubmit(&response, address, &typed).status, 303, "{address}");
    }
}

#[test]
fn form_garbled_refused_with_text() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get("/");
    let hidden: Vec<_> = hidden_fields(&page, "/post")
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let hidden = hidden.join("&");
    for (body, kept) in [
        (format!("{hidden}&text=100%"), "100%".to_owned()),
        (format!("{hidden}&text=a%FFb"), "a\u{fffd}b".to_owned()),
        (format!("{hidden}&text=one&text=two"), "one".to_owned()),
        (format!("{hidden}&text=one&reply_user=No&reply_id=1"), "one".to_owned()),
        (format!("{hidden}&text=one&reply_user=ben"), "one".to_owned()),
        (format!("text=one&{hidden}{}", "&x=1".repeat(60)), "one".to_owned()),
    ] {
        let response = ada.send(Method::Post, "/post", body.into_bytes());
        assert_eq!(response.status, 400, "{kept}");
        assert_eq!(textarea(&response), kept);
    }
    assert_eq!(writes(&site), 0);
}

#[test]
fn form_with_unknown_field_is_as_without() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let typed = [("text", TYPED), ("is_admin", "1")];
    assert_eq!(location(&ada.submit("/", "/post", &typed)), "/?posted=904");
}
