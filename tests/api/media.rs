//! Pictures as apps send, post and show them.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use rustix::process::Signal;
use serde_json::{Value, json};
use tern::limits::{BODY_BYTES_MAX, PICTURE_INPUT_BYTES_MAX};

use super::app::{App, OUT_OF_BAND, one_machine};
use crate::cluster::harness::{Cluster, Options, eventually};

const MEDIA: &str = "/api/v2/media";
const STATUSES: &str = "/api/v1/statuses";
const UPDATE: &str = "/api/v1/accounts/update_credentials";
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

/// A photograph of noise, which takes more bytes than any form of text has if it is large enough.
pub(crate) fn photograph(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let byte = |value: u32| u8::try_from(value.wrapping_mul(2_654_435_761) >> 24).unwrap();
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([byte(x * y + 1), byte(x + 7 * y), byte(3 * x + y)])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(super) fn small() -> Vec<u8> {
    photograph(60, 40, ImageFormat::Png)
}

fn posting(ids: &[&String]) -> Value {
    json!({ "status": "", "media_ids": ids })
}

#[test]
fn picture_sent_described_posted_edited_and_shown() {
    let cluster = Cluster::start(Options::default());
    let (ada, ben) = (App::joined(&cluster, "ada"), App::joined(&cluster, "ben"));
    let file = photograph(300, 240, ImageFormat::Jpeg);
    assert!(file.len() > BODY_BYTES_MAX);
    let says = [("description", "Noise"), ("focus", "0.0,0.5")];
    let sent = ada.send_parts(("POST", MEDIA), &says, &[("file", &file)]).unwrap();
    assert_eq!((sent.status, sent.text("type").as_str()), (200, "image"), "{sent:?}");
    let id = sent.text("id");
    assert_eq!(sent.value["description"], json!("Noise"));
    let expected = json!({ "width": 300, "height": 240, "size": "300x240", "aspect": 1.25 });
    assert_eq!(sent.value["meta"], json!({ "original": expected, "small": expected }));
    // Its app can show it before it is posted; whoever takes the code away cannot.
    for name in ["url", "preview_url"] {
        let address = sent.text(name);
        let (status, kind, bytes) = ada.fetch(&address);
        assert_eq!((status, kind.as_str()), (200, "image/jpeg"), "{address}");
        image::load_from_memory(&bytes).unwrap();
        let bare = address.split('?').next().unwrap();
        let forged = address.replace("for=ada", "for=ben");
        // A name, a day and a code, which may hold what stands between them.
        let parts: Vec<_> = address.splitn(3, '-').collect();
        let uncoded = format!("{}-{}", parts[0], parts[1]);
        let other = parts[2].chars().rev().collect::<String>();
        for other in [bare, &forged, &format!("{uncoded}-{other}"), &uncoded] {
            assert_eq!(ada.fetch(other).0, 404, "{other}");
        }
    }
    // It is its sender's alone.
    let path = format!("/api/v1/media/{id}");
    assert_eq!(ben.get(&path).status, 404);
    assert_eq!(ben.send("PUT", &path, &json!({ "description": "Mine" }), None).status, 404);
    let refused = ben.post(STATUSES, &posting(&[&id]));
    assert_eq!((refused.status, refused.text("error").is_empty()), (422, false));
    assert_eq!(ada.get(&path).value, sent.value);
    let described = ada.send("PUT", &path, &json!({ "description": "Noise, mostly" }), None);
    assert_eq!(described.value["description"], json!("Noise, mostly"), "{described:?}");
    assert_eq!(described.text("id"), id);

    let posted = ada.post(STATUSES, &posting(&[&id]));
    assert_eq!(posted.status, 200, "{posted:?}");
    let post = format!("{STATUSES}/{}", posted.text("id"));
    let seen = eventually("the post", SOON, || Some(ben.get(&post)).filter(|it| it.status == 200));
    let picture = &seen.value["media_attachments"][0];
    for (field, value) in [
        ("id", json!(id)),
        ("type", json!("image")),
        ("description", json!("Noise, mostly")),
        ("remote_url", Value::Null),
        ("blurhash", Value::Null),
    ] {
        assert_eq!(picture.get(field), Some(&value), "{field}");
    }
    let address = picture["url"].as_str().unwrap_or_default();
    assert!(address.starts_with(&format!("{}/picture/", cluster.address())), "{address}");
    assert!(!address.contains('?'), "{address}");
    assert_eq!(ben.fetch(address).0, 200);
    // It is in a post now, and in no other.
    assert_eq!(ada.get(&path).status, 404);
    assert_eq!(ada.post(STATUSES, &posting(&[&id])).status, 422);

    edits_and_takes_back(&ada, &post, &id);
}

fn edits_and_takes_back(ada: &App, post: &str, id: &str) {
    // A new text leaves it as it is, and so do apps that send all of it again.
    let same = json!({ "status": "Look", "media_ids": [id],
        "media_attributes": [{ "id": id, "description": "Noise, mostly", "focus": "0,0" }] });
    let edited = ada.send("PUT", post, &same, None);
    assert_eq!((edited.status, &edited.value["media_attachments"][0]["id"]), (200, &json!(id)));
    assert_eq!(ada.send("PUT", post, &json!({ "status": "" }), None).status, 200);
    let long = "x".repeat(301);
    for other in [
        json!({ "status": "x", "media_ids": ["17"] }),
        json!({ "status": "x", "media_attributes": [{ "id": "17", "description": "Silence" }] }),
        json!({ "status": "x", "media_attributes": [{ "description": "Silence" }] }),
        json!({ "status": "x", "media_attributes": [{ "id": id, "description": long }] }),
    ] {
        assert_eq!(ada.send("PUT", post, &other, None).status, 422, "{other}");
    }
    // What it shows is said anew, in either spelling, and the text stays.
    for (said, shows) in [("Silence", true), ("", true), ("Noise, mostly", false)] {
        let mut item = json!({ "id": id, "description": said });
        if shows {
            item["focus"] = json!("0,0");
        }
        let anew = json!({ "status": "Look", "media_attributes": [item] });
        let edited = ada.send("PUT", post, &anew, None);
        let shown = |answer: &Value| answer["media_attachments"][0]["description"].clone();
        let expected = if said.is_empty() { Value::Null } else { json!(said) };
        assert_eq!((edited.status, shown(&edited.value)), (200, expected.clone()), "{edited:?}");
        assert_eq!(shown(&ada.get(post).value), expected);
    }
    let earlier = ada.get(&format!("{post}/history")).value;
    assert_eq!(earlier[0]["media_attachments"][0]["id"], json!(id));

    // Taken back and written anew, as apps offer.
    let taken = ada.send("DELETE", post, &Value::Null, None);
    assert_eq!(taken.value["media_attachments"][0]["id"], json!(id), "{taken:?}");
    let anew = ada.post(STATUSES, &posting(&[&id.to_owned()]));
    assert_eq!(anew.value["media_attachments"][0]["description"], json!("Noise, mostly"));
}

#[test]
fn posts_with_pictures_bounded_and_made_once() {
    let cluster = Cluster::start(Options { no_restart: true, ..Options::default() });
    let ada = App::joined(&cluster, "ada");
    let picture = small();
    let ids: Vec<String> = (0..5).map(|n| ada.send_picture(&picture, &format!("{n}"))).collect();
    let all: Vec<&String> = ids.iter().collect();
    let over = ada.post(STATUSES, &posting(&all));
    assert_eq!((over.status, over.text("error").contains("up to 4 pictures")), (422, true));
    let nothing = ada.post(STATUSES, &posting(&[]));
    assert_eq!(nothing.status, 422);
    // Each with what it shows, though they are the same picture.
    let four = posting(&all[..4]);
    let first = ada.send("POST", STATUSES, &four, Some("four"));
    let shows: Vec<_> =
        (0..4).map(|n| &first.value["media_attachments"][n]["description"]).collect();
    assert_eq!(shows, ["0", "1", "2", "3"], "{first:?}");
    cluster.kill(1, Signal::KILL);
    for _ in 0..2 {
        let again = ada.send("POST", STATUSES, &four, Some("four"));
        assert_eq!((again.status, again.text("id")), (200, first.text("id")));
    }
    let five = ada.send("POST", STATUSES, &posting(&all[4..]), Some("four"));
    assert_eq!(five.status, 422);
    // However an app spells a list.
    let one = ada.send_parts(("POST", STATUSES), &[("media_ids[]", &ids[4])], &[]).unwrap();
    assert_eq!(one.status, 200, "{one:?}");
    let next = ada.send_picture(&picture, "");
    let next = ada.post(STATUSES, &json!({ "status": "Look", "media_ids": next }));
    assert_eq!(next.value["media_attachments"][0]["description"], Value::Null, "{next:?}");
    let own = ada.get("/api/v1/accounts/verify_credentials");
    assert_eq!(own.value["statuses_count"], json!(3));
}

#[test]
fn pictures_that_nobody_can_take_refused_with_a_reason() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let mut bomb = photograph(4, 4, ImageFormat::Gif);
    bomb[6..10].copy_from_slice(&[0xff; 4]);
    let large = photograph(300, 240, ImageFormat::Jpeg);
    let cut = &large[..large.len() - 1_000];
    let too_much = vec![0; PICTURE_INPUT_BYTES_MAX + 1];
    for (path, method, field) in
        [(MEDIA, "POST", "file"), ("/api/v1/media", "POST", "file"), (UPDATE, "PATCH", "avatar")]
    {
        for (file, why) in [
            (bomb.as_slice(), "too many pixels"),
            (cut, "damaged or incomplete"),
            (b"<svg onload=alert(1)>", "no picture in JPEG, PNG, WebP or GIF"),
            (&too_much, "more than 8 MB"),
        ] {
            let heard = ada.send_parts((method, path), &[], &[(field, file)]).unwrap();
            let error = heard.text("error");
            assert!(heard.status == 422 && error.contains(why), "{path} {error}");
        }
    }
    let none = ada.send_parts(("POST", MEDIA), &[("description", "x")], &[]).unwrap();
    assert_eq!((none.status, none.text("error").contains("file")), (422, true));
    let long = "x".repeat(301);
    let picture = small();
    let heard = ada.send_parts(("POST", MEDIA), &[("description", &long)], &[("file", &picture)]);
    let heard = heard.unwrap();
    assert_eq!((heard.status, heard.text("error").contains("300")), (422, true), "{heard:?}");
    // Every kind that is taken.
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        ada.send_picture(&photograph(8, 6, format), "");
    }
    // Nobody is let send so much without leave: told before it is read, in JSON.
    let mut stranger = App::introduce(&cluster.address(), "read", OUT_OF_BAND);
    stranger.token = Some("ada.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned());
    let mut ben = cluster.person("ben");
    ben.join();
    let reader = App::of(&cluster, &mut ben, "read write:statuses");
    for (app, status) in [(&stranger, 401), (&reader, 403)] {
        for (method, path, field) in [("POST", MEDIA, "file"), ("PATCH", UPDATE, "avatar")] {
            let heard = app.send_parts((method, path), &[], &[(field, &large)]).unwrap();
            assert_eq!((heard.status, heard.text("error").is_empty()), (status, false), "{path}");
        }
    }
}

#[test]
fn only_pictures_paged_both_ways() {
    let cluster = one_machine();
    let (ada, ben) = (App::joined(&cluster, "ada"), App::joined(&cluster, "ben"));
    let picture = small();
    let mut shown = Vec::new();
    for n in 0..7 {
        for text in 0..6 {
            ada.write(&format!("Words {n} {text} #tea"));
        }
        let id = ada.send_picture(&picture, "");
        let says = json!({ "status": "#tea", "media_ids": [id] });
        shown.push(ada.post(STATUSES, &says).text("id"));
    }
    let own = ada.account();
    ben.write("Words #tea");
    assert_eq!(ada.post(&format!("{STATUSES}/{}/reblog", shown[0]), &json!({})).status, 200);
    shown.reverse();
    for list in [
        format!("/api/v1/accounts/{own}/statuses"),
        "/api/v1/timelines/public".to_owned(),
        "/api/v1/timelines/tag/tea".to_owned(),
    ] {
        let list = format!("{list}?only_media=true&limit=3");
        let down = ben.pages(list.clone(), "next");
        assert_eq!(down.concat(), shown, "{list}");
        assert_eq!((down[0].len(), down[1].len()), (3, 3), "{list}");
        let since = ben.get(&format!("{list}&since_id={}", shown[5])).ids();
        assert_eq!(since, shown[..3], "{list}");
        let up = ben.pages(format!("{list}&min_id={}", shown[6]), "prev");
        let up: Vec<String> = up.into_iter().flat_map(|page| page.into_iter().rev()).collect();
        assert_eq!(up, shown[..6].iter().rev().cloned().collect::<Vec<_>>(), "{list}");
    }
}

#[test]
fn picture_beside_a_name_set_and_removed() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let own = || ada.get("/api/v1/accounts/verify_credentials");
    let none = own().text("avatar");
    let large = photograph(300, 240, ImageFormat::Jpeg);
    let files: [(&str, &[u8]); 1] = [("avatar", &large)];
    let changed = ada.send_parts(("PATCH", UPDATE), &[("note", "Gulls")], &files).unwrap();
    assert_eq!((changed.status, changed.text("note")), (200, "<p>Gulls</p>".to_owned()));
    let face = changed.text("avatar");
    assert!(face != none && face == changed.text("avatar_static"), "{changed:?}");
    let (status, kind, bytes) = ada.fetch(&face);
    assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (240, 240));
    // It stays with what is said besides, and stands at posts.
    ada.send("PATCH", UPDATE, &json!({ "display_name": "Ada" }), None);
    let post = ada.write("Look at me");
    let seen = ada.get(&format!("{STATUSES}/{post}"));
    assert_eq!(seen.value["account"]["avatar"], json!(face));
    let header = ada.send_parts(("PATCH", UPDATE), &[], &[("header", &small())]).unwrap();
    assert_eq!(header.status, 422);
    for clears in ["field", "method"] {
        assert_eq!(own().text("avatar"), face, "{clears}");
        let cleared = match clears {
            "field" => ada.send_parts(("PATCH", UPDATE), &[("avatar", "")], &[]).unwrap(),
            _ => ada.send("DELETE", "/api/v1/profile/avatar", &Value::Null, None),
        };
        assert_eq!((cleared.status, cleared.text("avatar")), (200, none.clone()), "{clears}");
        ada.send_parts(("PATCH", UPDATE), &[], &files).unwrap();
    }
}

/// What only members see, their apps see: they fetch pictures without a token.
#[test]
fn picture_for_members_alone_shown_to_their_apps() {
    let cluster = one_machine();
    let (mut ada, ben) = (cluster.person("ada"), App::joined(&cluster, "ben"));
    ada.join();
    let form = [("display_name", "Ada"), ("bio", ""), ("members_only", "on")];
    assert_eq!(ada.act("/settings/profile", "/settings/profile", &form).status, 303);
    let app = App::of(&cluster, &mut ada, "read write");
    let id = app.send_picture(&small(), "");
    let post = app.post(STATUSES, &posting(&[&id])).text("id");
    let path = format!("{STATUSES}/{post}");
    let address = ben.get(&path).value["media_attachments"][0]["url"].clone();
    let address = address.as_str().unwrap_or_default();
    assert_eq!(ben.fetch(address).0, 200, "{address}");
    let bare = address.split('?').next().unwrap_or_default();
    assert_eq!(ben.fetch(bare).0, 404);
    // Not any more once ada wants nothing to do with ben.
    assert_eq!(ada.act("/@ben", "/@ben/block", &[]).status, 303);
    assert_eq!(ben.fetch(address).0, 404);
}

/// It was answered 200, and the pictures stayed.
#[test]
fn r0102_edit_that_takes_pictures_away_does_not_pretend_to() {
    let cluster = one_machine();
    let ada = App::joined(&cluster, "ada");
    let picture = ada.send_picture(&small(), "");
    let says = json!({ "status": "Look", "media_ids": [picture] });
    let path = format!("{STATUSES}/{}", ada.post(STATUSES, &says).text("id"));
    let edit = |says: &Value| ada.send("PUT", &path, says, None);
    for none in [json!([]), json!(""), json!([""])] {
        let refused = edit(&json!({ "status": "Gone", "media_ids": none }));
        let error = refused.text("error");
        assert!(refused.status == 422 && error.contains("pictures"), "{none} {error}");
    }
    assert_eq!(ada.get(&path).text("content"), "<p>Look</p>");
    for same in [json!([picture]), json!(picture), Value::Null] {
        let edited = edit(&json!({ "status": "Still there", "media_ids": same }));
        assert_eq!(edited.value["media_attachments"][0]["id"], json!(picture), "{edited:?}");
    }
    // Of a post without any, none is what there is.
    let path = format!("{STATUSES}/{}", ada.write("Tea"));
    let edited = ada.send("PUT", &path, &json!({ "status": "Cake", "media_ids": [] }), None);
    assert_eq!(edited.status, 200, "{edited:?}");
}
