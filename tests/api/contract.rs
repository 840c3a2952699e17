//! What apps rely on that no other of these tests comes across.

use serde_json::{Value, json};

use super::app::{App, OUT_OF_BAND, one_machine, rest_of};
use crate::cluster::harness::Cluster;
use crate::web::client::{Client, LOCALHOST};

const STATUSES: &str = "/api/v1/statuses";

/// Apps of people, and the numbers of their accounts.
fn apps<const N: usize>(cluster: &Cluster, names: [&str; N]) -> [(App, String); N] {
    names.map(|name| {
        let app = App::joined(cluster, name);
        let id = app.account();
        (app, id)
    })
}

#[test]
fn lists_go_on_where_their_links_say() {
    let cluster = one_machine();
    let [(ada, of_ada), (ben, of_ben), (cleo, _), (dora, _)] =
        apps(&cluster, ["ada", "ben", "cleo", "dora"]);
    let ids: Vec<String> = (0..3).map(|n| ada.write(&format!("Post {n}"))).collect();
    let list = format!("/api/v1/accounts/{of_ada}/statuses");
    let heard = ada.get(&format!("{list}?limit=2&exclude_replies=true"));
    let address = |cursor: &str| {
        format!("<{}{list}?limit=2&exclude_replies=true&{cursor}>", cluster.address())
    };
    let next = address(&format!("max_id={}", ids[1]));
    let prev = address(&format!("min_id={}", ids[2]));
    let expected = format!("{next}; rel=\"next\", {prev}; rel=\"prev\"");
    assert_eq!(heard.link.as_deref(), Some(expected.as_str()));
    let news = ada.get("/api/v1/notifications?types[]=follow&types[]=mention");
    assert_eq!((news.ids().len(), news.link_to("next")), (0, None));
    // People too, each once.
    for app in [&ben, &cleo, &dora] {
        assert_eq!(app.post(&format!("/api/v1/accounts/{of_ada}/follow"), &json!({})).status, 200);
    }
    let mut next = Some(format!("/api/v1/accounts/{of_ada}/followers?limit=2"));
    let mut pages = Vec::new();
    while let Some(path) = next {
        let heard = ben.get(&path);
        next = heard.link_to("next");
        let names = heard.value.as_array().cloned().unwrap_or_default();
        pages.push(names.iter().map(|it| it["acct"].clone()).collect::<Vec<_>>());
    }
    assert_eq!(pages, [vec![json!("ben"), json!("cleo")], vec![json!("dora")]]);
    // Home is of those one follows, from when one does until one does not.
    assert_eq!(ben.get("/api/v1/timelines/home").ids().len(), 3);
    ben.post(&format!("/api/v1/accounts/{of_ada}/unfollow"), &json!({}));
    assert!(ben.get("/api/v1/timelines/home").ids().is_empty());
    // Answers to others can be left out, those to oneself stay.
    let answer = |app: &App, to: &str| {
        let says = json!({ "status": "Yes", "in_reply_to_id": to });
        app.post(STATUSES, &says).text("id")
    };
    let (other, own) = (answer(&ben, &ids[0]), ben.write("Hm"));
    let on = answer(&ben, &own);
    assert_eq!(ben.post(&format!("{STATUSES}/{}/reblog", ids[0]), &json!({})).status, 200);
    let of_ben =
        |query: &str| ada.get(&format!("/api/v1/accounts/{of_ben}/statuses?{query}")).ids();
    assert_eq!(of_ben("exclude_reblogs=true"), [on.clone(), own.clone(), other]);
    assert_eq!(of_ben("exclude_reblogs=true&exclude_replies=true"), [on, own]);
    assert_eq!(of_ben("").len(), 4);
}

#[test]
fn numbers_of_one_kind_are_of_no_other() {
    let cluster = one_machine();
    let [(ada, of_ada)] = apps(&cluster, ["ada"]);
    let post = ada.write("Tea");
    let media = ada.send_picture(&super::media::small(), "");
    let many = "9".repeat(60);
    for number in [&of_ada, &media, &many] {
        for path in ["", "/context", "/source", "/history"] {
            assert_eq!(
                ada.get(&format!("{STATUSES}/{number}{path}")).status,
                404,
                "{number}{path}"
            );
        }
        for act in ["favourite", "reblog", "bookmark", "pin"] {
            let path = format!("{STATUSES}/{number}/{act}");
            assert_eq!(ada.post(&path, &json!({})).status, 404, "{path}");
        }
    }
    for number in [&post, &media, &many] {
        for path in ["", "/statuses", "/followers"] {
            let path = format!("/api/v1/accounts/{number}{path}");
            assert_eq!(ada.get(&path).status, 404, "{path}");
        }
        assert_eq!(ada.get(&format!("/api/v1/notifications/{number}")).status, 404, "{number}");
    }
    for number in [&post, &of_ada, &many] {
        let path = format!("/api/v1/media/{number}");
        assert_eq!(ada.get(&path).status, 404, "{path}");
        assert_eq!(ada.send("PUT", &path, &json!({ "description": "x" }), None).status, 404);
        assert_eq!(
            ada.post(STATUSES, &json!({ "status": "x", "media_ids": [number] })).status,
            422,
            "{number}"
        );
    }
    assert_eq!(ada.get("/api/v1/timelines/list/1").status, 404);
    for (name, status) in
        [("ada", 200), ("@ada", 200), ("nobody", 404), ("ada@elsewhere.example", 404)]
    {
        let path = format!("/api/v1/accounts/lookup?acct={name}");
        assert_eq!(ada.get(&path).status, status, "{name}");
    }
}

#[test]
fn r0267_several_asked_for_together_and_what_one_may_not_see_left_out() {
    let cluster = one_machine();
    let [(ada, of_ada), (ben, of_ben)] = apps(&cluster, ["ada", "ben"]);
    let says = |text: &str, visibility: &str| {
        ada.post(STATUSES, &json!({ "status": text, "visibility": visibility })).text("id")
    };
    let (loud, direct, quiet) =
        (says("Tea", "public"), says("For me", "direct"), says("Cake", "unlisted"));
    let gone = ada.write("Gone");
    assert_eq!(ada.send("DELETE", &format!("{STATUSES}/{gone}"), &json!(null), None).status, 200);
    let stranger = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    let asks = |path: &str, ids: &[&String]| {
        let ids: Vec<_> = ids.iter().map(|id| format!("id[]={id}")).collect();
        format!("{path}?{}", ids.join("&"))
    };
    let other = "7".to_owned();
    let posts = asks(STATUSES, &[&quiet, &of_ada, &direct, &other, &gone, &quiet, &loud]);
    assert_eq!(ada.get(&posts).ids(), [&quiet, &direct, &loud].map(String::as_str));
    for app in [&ben, &stranger] {
        assert_eq!(app.get(&posts).ids(), [&quiet, &loud].map(String::as_str));
    }
    let people = asks("/api/v1/accounts", &[&of_ben, &loud, &other, &of_ada, &of_ben]);
    for app in [&ada, &stranger] {
        assert_eq!(app.get(&people).ids(), [&of_ben, &of_ada].map(String::as_str));
    }
    let bad = App {
        token: Some("ada.nothing".to_owned()),
        ..App::introduce(&ada.base, "read", OUT_OF_BAND)
    };
    for (path, most) in [(STATUSES, 20), ("/api/v1/accounts", 40)] {
        let many: Vec<_> = (1..=most + 1).map(|n| n.to_string()).collect();
        let some: Vec<_> = many.iter().skip(1).collect();
        assert_eq!(ada.get(&asks(path, &some)).value, json!([]), "{path}");
        assert_eq!(ada.get(&asks(path, &many.iter().collect::<Vec<_>>())).status, 422, "{path}");
        assert_eq!((ada.get(path).value, bad.get(path).status), (json!([]), 401), "{path}");
    }
}

#[test]
fn posts_stay_what_they_are() {
    let cluster = one_machine();
    let [(ada, of_ada), (ben, of_ben)] = apps(&cluster, ["ada", "ben"]);
    assert_eq!(ada.post(STATUSES, &json!({ "status": "ü".repeat(500) })).status, 200);
    assert_eq!(ada.post(STATUSES, &json!({ "status": "ü".repeat(501) })).status, 422);
    let post = ada.post(STATUSES, &json!({ "status": "<b>1 & 2</b>", "unknown": 1 }));
    let path = format!("{STATUSES}/{}", post.text("id"));
    let edited = ada.send("PUT", &path, &json!({ "status": "<i>3</i>" }), None);
    assert_eq!(edited.value["created_at"], post.value["created_at"]);
    let (status, kind, page) = ada.fetch(&post.text("url"));
    let page = String::from_utf8_lossy(&page);
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.contains("&lt;i&gt;3&lt;/i&gt;") || page.contains("&#60;i&#62;3"), "{page}");
    let says = json!({ "status": "Yes", "in_reply_to_id": post.value["id"] });
    let reply = ben.post(STATUSES, &says).text("id");
    assert_eq!(ada.send("DELETE", &path, &Value::Null, None).status, 200);
    assert_eq!(ada.get(&path).status, 404);
    let everyone = ada.get("/api/v1/timelines/public").ids();
    assert!(everyone.contains(&reply) && !everyone.contains(&post.text("id")));
    // Whoever is blocked neither answers nor likes.
    let post = ada.write("Quiet");
    assert_eq!(ada.post(&format!("/api/v1/accounts/{of_ben}/block"), &json!({})).status, 200);
    let says = json!({ "status": "Loud", "in_reply_to_id": post });
    for (path, says) in [
        (STATUSES.to_owned(), says),
        (format!("{STATUSES}/{post}/favourite"), json!({})),
        (format!("{STATUSES}/{post}/reblog"), json!({})),
        (format!("/api/v1/accounts/{of_ada}/follow"), json!({})),
    ] {
        let status = ben.post(&path, &says).status;
        assert!([403, 404].contains(&status), "{path} {status}");
    }
}

#[test]
fn searches_find_addresses_and_break_of_nothing() {
    let cluster = one_machine();
    let [(ada, of_ada)] = apps(&cluster, ["ada"]);
    ada.write("Tea #Green");
    let find = |query: &str| ada.get(&format!("/api/v2/search?{query}"));
    let url = format!("{}/@ada", cluster.address());
    for query in ["q=ad", "q=@ada", &format!("q={url}&resolve=true"), "q=ADA&type=accounts"] {
        assert_eq!(find(query).value["accounts"][0]["id"], json!(of_ada), "{query}");
    }
    let tags = find("q=%23green&type=hashtags").value;
    assert_eq!((&tags["hashtags"][0]["name"], &tags["accounts"]), (&json!("green"), &json!([])));
    for odd in ["q=", "q=%00", "q=%22%27%3C%5C", "q=%F0%9F%8D%B5&type=statuses", "q=a&offset=x"] {
        let heard = find(odd);
        assert!([200, 422].contains(&heard.status), "{odd} {heard:?}");
    }
    let path = format!("/api/v1/accounts/{of_ada}/featured_tags");
    assert_eq!(ada.get(&path).value, json!([]));
}

#[test]
fn apps_in_browsers_are_let_in_and_bad_bodies_told() {
    let cluster = one_machine();
    let [(ada, _)] = apps(&cluster, ["ada"]);
    let asked = ada.send("OPTIONS", STATUSES, &Value::Null, None);
    assert_eq!(asked.status, 200);
    for (header, words) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("access-control-allow-headers", "Authorization, Content-Type, Idempotency-Key"),
        ("access-control-expose-headers", "Link, X-RateLimit-Limit, X-RateLimit-Remaining"),
    ] {
        let said = asked.header(header).unwrap_or_default();
        assert!(said.starts_with(words), "{header}: {said}");
    }
    let send = |path: &str, kind: &str, more: (&str, &str), body: &str| {
        let request = ureq::http::Request::builder().method("POST");
        let request = request.uri(format!("{}{path}", ada.base)).header("Content-Type", kind);
        let request = request.header(more.0, more.1).body(body.to_owned());
        let answer = request.map_err(ureq::Error::from).and_then(|it| ada.agent.run(it));
        let mut answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        let value = serde_json::from_str::<Value>(&body);
        (answer.status().as_u16(), value.unwrap_or_else(|_| panic!("{path}: {body}")))
    };
    let token = format!("Bearer {}", ada.token.clone().unwrap_or_default());
    for (kind, body) in [
        ("application/json", "{"),
        ("application/json", "[]"),
        ("application/x-www-form-urlencoded", "status=%ff"),
        ("multipart/form-data; boundary=x", "--y"),
        ("multipart/form-data", "x"),
        ("text/plain", "x"),
    ] {
        let (status, value) = send(STATUSES, kind, ("Authorization", &token), body);
        assert!(status == 422 && value["error"].is_string(), "{kind} {status} {value}");
    }
    // A form as well, and the secret by HTTP Basic.
    let form = "application/x-www-form-urlencoded";
    let app = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    let encoded = |part: &str| part.replace(':', "%3A").replace('+', "%2B").replace('=', "%3D");
    let basic = format!("{}:{}", encoded(&app.id), encoded(&app.secret));
    let basic = format!("Basic {}", base64(basic.as_bytes()));
    let (status, value) =
        send("/oauth/token", form, ("Authorization", &basic), "grant_type=client_credentials");
    assert_eq!((status, &value["token_type"]), (200, &json!("Bearer")), "{value}");
    assert!(value["created_at"].is_u64() && value["scope"].is_string(), "{value}");
    let (status, value) = send("/oauth/token", form, ("Accept", "*/*"), "grant_type=sorcery");
    assert_eq!(status, 400, "{value}");
    // A stream's token may stand in its address: programs in browsers cannot send it otherwise.
    let stranger = App { token: None, ..App::introduce(&ada.base, "read", OUT_OF_BAND) };
    let token = ada.token.clone().unwrap_or_default();
    let stream = stranger.listen(&format!("/api/v1/streaming/user?access_token={token}"));
    let end = json!({ "client_id": ada.id, "client_secret": ada.secret, "token": token });
    assert_eq!(ada.post("/oauth/revoke", &end).status, 200);
    assert!(rest_of(stream).starts_with(":thump"));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// What an app sets was answered 200, and its person's next post was for everybody.
#[test]
fn r0100_r0268_setting_that_is_not_kept_is_refused() {
    let cluster = one_machine();
    let [(ada, _)] = apps(&cluster, ["ada"]);
    let update =
        |says: &Value| ada.send("PATCH", "/api/v1/accounts/update_credentials", says, None);
    for (name, value, field) in [
        ("source", json!({ "privacy": "direct" }), "privacy"),
        ("source", json!({ "privacy": "followers" }), "privacy"),
        ("source", json!({ "privacy": ["private"] }), "privacy"),
        ("source", json!({ "sensitive": true }), "sensitive"),
        ("locked", json!(true), "locked"),
        ("locked", json!([true]), "locked"),
        ("fields_attributes", json!([{ "name": "Web", "value": "a.example" }]), "fields"),
        ("fields_attributes", json!({ "0": { "name": "Web", "value": "" } }), "fields"),
    ] {
        let refused = update(&json!({ "display_name": "Ada L.", name: value }));
        let error = refused.text("error");
        assert!(refused.status == 422 && error.contains(field), "{value} {error}");
    }
    assert_eq!(ada.get("/api/v1/accounts/verify_credentials").text("display_name"), "ada");
    let as_is = json!({ "privacy": "public", "sensitive": false, "language": null });
    let none = json!([{ "name": "", "value": "" }]);
    let same = json!({
        "display_name": "Ada L.", "source": as_is, "locked": false, "bot": false, "fields_attributes": none,
    });
    let same = update(&same);
    assert_eq!((same.status, same.text("display_name").as_str()), (200, "Ada L."), "{same:?}");
}

/// Both were answered 400: a body that says nothing, and a name with an umlaut.
#[test]
fn r0091_reads_with_a_body_and_heads_beyond_ascii_answered() {
    let cluster = one_machine();
    let [(ada, _)] = apps(&cluster, ["ada"]);
    let token = ada.token.clone().unwrap_or_default();
    let address = cluster.address().replace("http://", "");
    let ask = |line: &str, more: &str, body: &str| {
        let mut client = Client::connect_from(LOCALHOST, address.parse().unwrap());
        let length = body.len();
        client.send(format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        ));
        // What follows the body is another request.
        client.send(format!("GET /api/v1/instance HTTP/1.1\r\nHost: {address}\r\n\r\n"));
        let first = client.reply();
        let second = if first.status == 200 { client.reply().status } else { 0 };
        (first.status, second, first.body)
    };
    for body in ["{}", "{\"limit\":1}", "{", "GET / HTTP/1.1\r\n\r\n"] {
        let (first, second, said) = ask("GET /api/v1/timelines/home", "", body);
        assert_eq!((first, second), (200, 200), "{body} {said}");
    }
    let post = |key: &str| {
        let more = format!("Idempotency-Key: {key}\r\nUser-Agent: Fön\r\nX-Name: Zoë\r\n");
        let (status, _, body) = ask("POST /api/v1/statuses", &more, "{\"status\":\"Tea\"}");
        assert_eq!(status, 200, "{key} {body}");
        serde_json::from_str::<Value>(&body).unwrap()["id"].clone()
    };
    let one = post("Grüße");
    assert_eq!(post("Grüße"), one);
    assert_ne!(post("Größe"), one);
}
