//! How an app comes by its token, and how it loses it.

use serde_json::json;

use super::app::{App, Heard, OUT_OF_BAND, one_machine, shown_code};
use crate::cluster::harness::{Cluster, Options};

/// A verifier and its challenge. Source: RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[test]
fn app_let_in_acts_within_its_scopes_until_it_is_ended() {
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let app = App::of(&cluster, &mut ada, "read write:statuses");
    let myself = app.get("/api/v1/accounts/verify_credentials");
    assert_eq!((myself.status, myself.text("acct").as_str()), (200, "ada"));
    assert_eq!(app.get("/api/v1/apps/verify_credentials").text("name"), "Fen for phones");
    let id = app.write("By an app");
    let like = app.post(&format!("/api/v1/statuses/{id}/favourite"), &json!({}));
    assert_eq!(like.status, 403, "{like:?}");
    assert_eq!(app.get(&format!("/api/v1/statuses/{id}")).value["favourited"], json!(false));
    // A token is no cookie, and a cookie no token.
    let token = app.token.clone().unwrap_or_default();
    let mut thief = cluster.person("ada");
    let stamp = ada.cookie("u").unwrap_or_default();
    thief.keep_session(&format!("s={token}; u={stamp}"));
    assert_eq!(thief.get("/settings/devices").status, 303, "an app's token opens pages");
    let cookie = ada.cookie("s").unwrap_or_default().to_owned();
    let other = App { token: Some(cookie), ..App::introduce(&app.base, "read", OUT_OF_BAND) };
    assert_eq!(other.get("/api/v1/accounts/verify_credentials").status, 401);
    // It stands among the devices, and ends there.
    let devices = ada.get("/settings/devices");
    assert!(devices.body.contains("Fen for phones"), "{}", devices.body);
    let end = json!({ "client_id": app.id, "client_secret": app.secret, "token": token });
    assert_eq!(app.post("/oauth/revoke", &end).status, 200);
    assert_eq!(app.get("/api/v1/accounts/verify_credentials").status, 401);
    assert_eq!(app.post("/oauth/revoke", &end).status, 200);
    // So it does with the button.
    let app = App::of(&cluster, &mut ada, "read");
    assert_eq!(app.get("/api/v1/timelines/home").status, 200);
    let devices = ada.get("/settings/devices");
    let end = devices.forms().into_iter().find(|form| form.value("id").is_some());
    ada.submit(&end.unwrap_or_else(|| panic!("no button")), &[]);
    assert_eq!(app.get("/api/v1/timelines/home").status, 401);
}

#[test]
fn code_taken_once_by_its_app_with_its_verifier() {
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let mut app = App::introduce(&cluster.address(), "read write", OUT_OF_BAND);
    let other = App::introduce(&cluster.address(), "read write", OUT_OF_BAND);
    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let refused = |heard: Heard| {
        assert_eq!((heard.status, heard.text("error").as_str()), (400, "invalid_grant"));
    };
    let code = app.code(&mut ada, "read", &challenge);
    let heard = app.redeem(&code, Some(VERIFIER));
    assert_eq!((heard.status, heard.text("scope").as_str()), (200, "read"), "{heard:?}");
    refused(app.redeem(&code, Some(VERIFIER)));
    // Who shows a code of another's, or without what it was made for, ends it.
    let code = app.code(&mut ada, "read", &challenge);
    refused(app.redeem(&code, Some(&VERIFIER.replace('d', "e"))));
    refused(app.redeem(&code, Some(VERIFIER)));
    let code = app.code(&mut ada, "read", "");
    refused(other.redeem(&code, None));
    refused(app.redeem(&code, None));
    // Nor does another redirect address of the same app, or another person's name, get it anything.
    let two = App::introduce(&app.base, "read", &format!("{OUT_OF_BAND}\nfen-app://back"));
    let code = two.code(&mut ada, "read", "");
    let says = json!({
        "grant_type": "authorization_code", "client_id": two.id, "client_secret": two.secret,
        "code": code, "redirect_uri": "fen-app://back",
    });
    refused(two.post("/oauth/token", &says));
    refused(two.redeem(&code, None));
    let code = app.code(&mut ada, "read", "");
    refused(app.redeem(&code.replacen("ada.", "ben.", 1), None));
    assert_eq!(app.redeem(&code, None).status, 200);
    // A challenge cannot be left out when the code is brought.
    let code = app.code(&mut ada, "read", &challenge);
    refused(app.redeem(&code, None));
    refused(app.redeem("ada.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", None));
    refused(app.redeem("nonsense", None));
    // All at once, one gets it at most, and nothing by it: the code came again.
    let code = app.code(&mut ada, "read", "");
    let heard: Vec<Heard> = std::thread::scope(|scope| {
        let ask = || app.redeem(&code, None);
        let threads: Vec<_> = (0..4)
            .map(|n| std::thread::Builder::new().name(format!("app-{n}")).spawn_scoped(scope, ask))
            .collect();
        threads.into_iter().filter_map(Result::ok).filter_map(|it| it.join().ok()).collect()
    });
    let (given, not): (Vec<_>, Vec<_>) = heard.into_iter().partition(|heard| heard.status == 200);
    assert!(given.len() <= 1 && given.len() + not.len() == 4, "{given:?}");
    not.into_iter().for_each(refused);
    for heard in given {
        app.token = Some(heard.text("access_token"));
        assert_eq!(app.get("/api/v1/timelines/home").status, 401);
    }
    let secret =
        App { secret: other.secret.clone(), ..App::introduce(&app.base, "read", OUT_OF_BAND) };
    let heard = secret.redeem(&code, None);
    assert_eq!((heard.status, heard.text("error").as_str()), (401, "invalid_client"));
}

#[test]
fn page_that_lets_in_leads_back_to_the_app_alone() {
    let cluster = Cluster::start(Options::default());
    let back = "https://app.example/cb";
    let app = App::introduce(&cluster.address(), "read", back);
    let mut ada = cluster.person("ada");
    let asks = app.asks(back, "read", "&state=a%26b&lang=None");
    // Signing in happens right there, with a slash as well, and leads on.
    let page = ada.get(&asks.replacen('?', "/?", 1));
    assert!(page.body.contains("type=\"password\""), "{}", page.body);
    assert_eq!(page.header("cross-origin-opener-policy"), Some("unsafe-none"));
    ada.join();
    let page = ada.get(&asks);
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    let answer = App::allow(&mut ada, &asks);
    assert_eq!(answer.status, 302);
    let to = answer.header("location").unwrap_or_default().to_owned();
    assert!(
        to.starts_with("https://app.example/cb?code=ada.") && to.ends_with("&state=a%26b"),
        "{to}"
    );
    // No.
    let form = ada.get(&asks).form("/oauth/authorize");
    let field = |name: &str| (name.to_owned(), form.value(name).unwrap_or_default().to_owned());
    let mut fields = ["app", "key", "token"].map(field).to_vec();
    fields.push(("deny".to_owned(), "1".to_owned()));
    let denied =
        ada.try_send("/oauth/authorize", &fields).unwrap_or_else(|error| panic!("{error}"));
    let to = denied.header("location").unwrap_or_default();
    assert_eq!(to, "https://app.example/cb?error=access_denied&state=a%26b");
    // Without its token the form lets nobody in.
    let forged = [("app".to_owned(), fields[0].1.clone()), fields[1].clone()];
    let answer =
        ada.try_send("/oauth/authorize", &forged).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.header("location"), None, "{}", answer.body);
    for wrong in [app.asks("https://evil.example/", "read", ""), asks.replace(&app.id, "nobody.x")]
    {
        let page = ada.get(&wrong);
        assert_eq!((page.status, page.header("location")), (400, None));
    }
}

#[test]
fn code_asked_for_without_an_address_is_taken_without_one() {
    let cluster = one_machine();
    let mut ada = cluster.person("ada");
    ada.join();
    let both = format!("{OUT_OF_BAND}\nfen-app://back");
    let app = App::introduce(&cluster.address(), "read", &both);
    let said = format!("&redirect_uri={OUT_OF_BAND}");
    let mut token = |asks: &str, redirect: Option<&str>| {
        let code = shown_code(&App::allow(&mut ada, asks));
        let mut says = json!({
            "grant_type": "authorization_code", "client_id": app.id, "client_secret": app.secret,
            "code": code,
        });
        if let Some(redirect) = redirect {
            says["redirect_uri"] = json!(redirect);
        }
        app.post("/oauth/token", &says).status
    };
    let asks = app.asks(OUT_OF_BAND, "read", "");
    assert_eq!(token(&asks.replace(&said, ""), None), 200);
    assert_eq!(token(&asks.replace(&said, "&redirect_uri="), Some("")), 200);
    // The one that it was sent to may come with it, and no other.
    assert_eq!(token(&asks.replace(&said, ""), Some(OUT_OF_BAND)), 200);
    assert_eq!(token(&asks.replace(&said, ""), Some("fen-app://back")), 400);
    // Who asked with one brings it.
    assert_eq!(token(&asks, None), 400);
    assert_eq!(token(&asks, Some(OUT_OF_BAND)), 200);
}

/// Source: RFC 6749, section 4.1.2. Nobody who lacks anything that the code takes can do that.
#[test]
fn code_brought_twice_ends_the_token_that_it_gave() {
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let mut app = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    let other = App::introduce(&app.base, "read", OUT_OF_BAND);
    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    for (more, verifier) in [("", None), (challenge.as_str(), Some(VERIFIER))] {
        let code = app.code(&mut ada, "read", more);
        let given = app.redeem(&code, verifier);
        app.token = Some(given.text("access_token"));
        let works = || app.get("/api/v1/timelines/home").status == 200;
        // Not so who lacks anything that it takes.
        let mut says = json!({
            "grant_type": "authorization_code", "client_id": app.id, "client_secret": app.secret,
            "code": code, "redirect_uri": "fen-app://back",
        });
        if let Some(verifier) = verifier {
            says["code_verifier"] = json!(verifier);
        }
        assert_eq!(other.redeem(&code, verifier).status, 400);
        assert_eq!(other.post("/oauth/token", &says).status, 400);
        says["redirect_uri"] = json!(OUT_OF_BAND);
        says["client_secret"] = json!(other.secret);
        assert_eq!(other.post("/oauth/token", &says).status, 401);
        assert_eq!(app.redeem(&code, Some(&VERIFIER.replace('d', "e"))).status, 400);
        let another = app.code(&mut ada, "read", more);
        assert_eq!(app.redeem(&another, verifier).status, 200);
        assert!(works(), "{more}");
        let again = app.redeem(&code, verifier);
        assert_eq!((again.status, again.text("error").as_str()), (400, "invalid_grant"));
        assert!(!works(), "{more}");
        assert_eq!(app.redeem(&code, verifier).status, 400);
        app.token = None;
    }
}

#[test]
fn app_that_asks_nonsense_sends_nobody_away() {
    let cluster = one_machine();
    let back = "https://evil.example/cb";
    let app = App::introduce(&cluster.address(), "read", back);
    let asks = app.asks(back, "read", "");
    let bad = [
        asks.replace("response_type=code", "response_type=x"),
        asks.replace("scope=read", "scope=admin"),
        format!("{asks}&code_challenge={CHALLENGE}&code_challenge_method=plain"),
    ];
    let mut ada = cluster.person("ada");
    for asks in &bad {
        let page = ada.get(asks);
        assert_eq!((page.status, page.header("location")), (200, None), "{asks}");
        assert!(page.body.contains("type=\"password\""), "{}", page.body);
        assert!(!page.body.contains("href=\"https://evil.example"), "{}", page.body);
    }
    ada.join();
    for (asks, error) in
        bad.iter().zip(["unsupported_response_type", "invalid_scope", "invalid_request"])
    {
        let page = ada.get(asks);
        assert_eq!((page.status, page.header("location")), (400, None), "{asks}");
        let link = format!("href=\"{back}?error={error}\"");
        assert!(page.body.contains(&link) && page.body.contains("Fen for phones"), "{}", page.body);
    }
    // What is said to an address that others can read along with is not made a link.
    let app = App::introduce(&app.base, "read", "http://127.0.0.1:8000/cb");
    let page = ada.get(&app.asks("http://127.0.0.1:8000/cb", "admin", ""));
    assert_eq!(page.status, 400);
    assert!(!page.body.contains("href=\"http://127.0.0.1:8000/cb"), "{}", page.body);
    for uri in ["ms-msdt:/id", "search-ms:x", "view-source:https://x", "mailto:x", "fen:x"] {
        let says = json!({ "client_name": "x", "redirect_uris": uri });
        assert_eq!(app.post("/api/v1/apps", &says).status, 422, "{uri}");
    }
}

#[test]
fn app_without_anybody_sees_what_strangers_do() {
    let cluster = Cluster::start(Options::default());
    let mut app = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    let mut says = json!({
        "grant_type": "client_credentials", "client_id": app.id, "client_secret": app.secret,
    });
    let heard = app.post("/oauth/token", &says);
    assert_eq!((heard.status, heard.text("token_type").as_str()), (200, "Bearer"), "{heard:?}");
    app.token = Some(heard.text("access_token"));
    assert_eq!(app.get("/api/v1/timelines/public").status, 200);
    assert_eq!(app.get("/api/v1/apps/verify_credentials").text("name"), "Fen for phones");
    assert_eq!(app.get("/api/v1/timelines/home").status, 422);
    app.token = None;
    says["grant_type"] = json!("password");
    let heard = app.post("/oauth/token", &says);
    assert_eq!((heard.status, heard.text("error").as_str()), (400, "unsupported_grant_type"));
    for path in ["/api/v1/instance", "/api/v1/instance/", "/api/v2/instance/"] {
        let instance = app.get(path);
        assert_eq!(instance.text("version").split(' ').next(), Some("4.2.0"));
        assert_eq!(instance.header("access-control-allow-origin"), Some("*"));
        assert!(instance.value["configuration"]["statuses"]["max_characters"].is_u64());
    }
    let links = app.get("/.well-known/nodeinfo");
    let href = links.value["links"][0]["href"].as_str().unwrap_or_default().to_owned();
    let nodeinfo = app.get(href.trim_start_matches(&app.base));
    assert_eq!(nodeinfo.value["software"]["name"], json!("tern"));
    let sign_in = app.get("/.well-known/oauth-authorization-server");
    assert_eq!(sign_in.value["code_challenge_methods_supported"], json!(["S256"]));
    let heard = app.post("/api/v1/apps", &json!({ "client_name": "x" }));
    assert_eq!(heard.status, 422, "{heard:?}");
}
