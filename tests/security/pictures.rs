//! Statements 49 and 50 through the door: who may send a picture and how, what is served of one that is
//! something else too, and who is shown it.

use std::io::Cursor;
use std::process::Command;

use image::{ImageFormat, RgbImage};

use super::wire::{Site, cookies};
use crate::cluster::form::Form;
use crate::cluster::person::Person;
use crate::web::client::Reply;

/// What hides in files that are pictures as well.
const SCRIPT: &str = "<script>alert('pier')</script>";

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let image = RgbImage::from_fn(40, 20, |x, y| image::Rgb([[255, 0][usize::from(x < y)]; 3]));
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A JPEG with a comment, and with where it was taken.
fn jpeg_and_html() -> Vec<u8> {
    let plain = encoded(ImageFormat::Jpeg);
    let mut file = plain[..2].to_vec();
    let mut segment = |marker: u8, content: &[u8]| {
        file.extend([0xff, marker]);
        file.extend(u16::try_from(content.len() + 2).unwrap().to_be_bytes());
        file.extend(content);
    };
    segment(0xfe, SCRIPT.as_bytes());
    // A list of one entry, of the kind that says where its GPS stands; then that.
    let exif =
        b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0GPS 52.5163N";
    segment(0xe1, exif);
    file.extend(&plain[2..]);
    file
}

/// A GIF with a comment in front of its end.
fn gif_and_html() -> Vec<u8> {
    let mut file = encoded(ImageFormat::Gif);
    assert_eq!(file.pop(), Some(0x3b));
    file.extend([0x21, 0xfe, u8::try_from(SCRIPT.len()).unwrap()]);
    file.extend(SCRIPT.as_bytes());
    file.extend([0, 0x3b]);
    file
}

/// The form that takes pictures.
fn form_of(person: &mut Person) -> Form {
    person.act("/", "/post", &[("text", "Look"), ("more", "")]).form("/post")
}

/// Posts a picture; the post's address, and that of the picture.
fn posted(person: &mut Person, file: &[u8]) -> (String, String) {
    let form = form_of(person);
    let answer = person.submit_files(&form, &[("text", "Look")], &[("picture_1", file)]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let to = answer.location.unwrap();
    let post = format!("/@{}/{}", person.name, to.split_once("posted=").unwrap().1);
    let page = person.get(&post).body;
    let picture = page.split('"').find(|text| text.starts_with("/picture/")).expect("a picture");
    (post, picture.to_owned())
}

/// Sends a file as the form with these fields would, with more lines in the head.
fn send(site: &Site, lines: &str, fields: &[(String, String)], file: &[u8]) -> Reply {
    let mut body = Vec::new();
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with("picture_")) {
        let begin = format!("--tern\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend([begin.as_bytes(), value.as_bytes(), b"\r\n"].concat());
    }
    body.extend(b"--tern\r\nContent-Disposition: form-data; name=\"picture_1\"; filename=\"../../a.jpg\"\r\n\r\n");
    body.extend([file, b"\r\n--tern--\r\n"].concat());
    let head = format!(
        "POST /post HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{lines}\r\n",
        site.address,
        body.len()
    );
    site.ask([head.as_bytes(), &body].concat())
}

/// The files of pictures that the machine keeps.
fn kept(site: &Site) -> usize {
    let mut find = Command::new("find");
    find.arg(site.cluster.node_data(1).join("pictures")).args(["-type", "f"]);
    String::from_utf8(find.output().unwrap().stdout).unwrap().lines().count()
}

const MULTIPART: &str = "Content-Type: multipart/form-data; boundary=tern\r\n";

#[test]
fn s49_upload_is_taken_from_members_by_their_own_form_alone() {
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    let mut ben = site.member("ben");
    let file = encoded(ImageFormat::Jpeg);
    let fields = form_of(&mut ada).filled(&[("text", "Look")]);
    let own = cookies(&ada);
    let without =
        |name: &str| fields.iter().filter(|(field, _)| field != name).cloned().collect::<Vec<_>>();
    let check = |status: u16, lines: &str, fields: &[(String, String)], what: &str| {
        let reply = send(&site, lines, fields, &file);
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert_eq!(kept(&site), 0, "{what}");
    };
    check(403, MULTIPART, &fields, "a stranger");
    let bens = cookies(&ben);
    check(403, &format!("{bens}{MULTIPART}"), &fields, "the form of another");
    check(403, &format!("{own}{MULTIPART}"), &without("token"), "no token");
    for line in ["Sec-Fetch-Site: cross-site", "Origin: https://evil.example", "Origin: null"] {
        check(403, &format!("{own}{MULTIPART}{line}\r\n"), &fields, line);
    }
    for kind in [
        "text/plain",
        "image/jpeg",
        "application/json",
        "multipart/mixed; boundary=tern",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ] {
        let reply = send(&site, &format!("{own}Content-Type: {kind}\r\n"), &fields, &file);
        assert!((400..500).contains(&reply.status), "{kind}: {}", reply.status);
        assert_eq!(kept(&site), 0, "{kind}");
    }
    // The same, as it is meant, is taken; and once, however often it is sent.
    for _ in 0..2 {
        let reply = send(&site, &format!("{own}{MULTIPART}"), &fields, &file);
        assert_eq!(reply.status, 303, "{}", reply.body);
    }
    assert_eq!(ben.get("/@ada").body.matches("<img src=\"/picture/").count(), 1);
    // The one-time key says what is the same act; the token, whose it is. Without a key it is one more.
    let reply = send(&site, &format!("{own}{MULTIPART}"), &without("key"), &file);
    assert_eq!(reply.status, 303, "{}", reply.body);
    assert_eq!(ben.get("/@ada").body.matches("<img src=\"/picture/").count(), 2);
    // The name that the sender gave is nowhere.
    assert!(!site.file_of("ada").contains("a.jpg"));
}

#[test]
fn s49_what_is_served_is_a_picture_and_nothing_else() {
    let site = Site::start(&[]);
    let mut ada = site.member("ada");
    for file in [jpeg_and_html(), gif_and_html()] {
        assert!(file.windows(SCRIPT.len()).any(|part| part == SCRIPT.as_bytes()));
        let (_, picture) = posted(&mut ada, &file);
        let (status, kind, bytes) = ada.fetch(&picture).unwrap();
        assert_eq!(status, 200);
        assert!(["image/jpeg", "image/png"].contains(&kind.as_str()), "{kind}");
        assert_ne!(bytes, file, "it was written anew");
        for hidden in [&b"script"[..], b"pier", b"Exif", b"GPS", b"52.5163"] {
            assert!(!bytes.windows(hidden.len()).any(|part| part == hidden), "{hidden:?}");
        }
        image::load_from_memory(&bytes).unwrap();
        let answer = ada.get(&picture);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
        // Apps' pages show pictures, as strangers: no cookie comes along from another site.
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
    }
    let before = kept(&site);
    let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{SCRIPT}</svg>");
    let with_prolog = format!("<?xml version=\"1.0\"?>{svg}");
    for file in [&svg, &with_prolog, SCRIPT, "GIF89a<script>", "%PDF-1.7"] {
        let form = form_of(&mut ada);
        let typed = [("text", "What I typed")];
        let answer = ada.submit_files(&form, &typed, &[("picture_1", file.as_bytes())]);
        assert_eq!(answer.status, 422, "{file}");
        assert!(answer.body.contains("What I typed"), "{file}");
    }
    assert_eq!(kept(&site), before);
}

#[test]
fn s50_picture_goes_with_its_post_and_no_path_leads_elsewhere() {
    let site = Site::start(&[]);
    let (mut ada, mut sam) = (site.member("ada"), site.member("sam"));
    let mut stranger = site.cluster.person("stranger");
    let (post, picture) = posted(&mut ada, &encoded(ImageFormat::Jpeg));
    let (_, of_sam) = posted(&mut sam, &gif_and_html());
    assert_eq!((stranger.get(&picture).status, stranger.get(&of_sam).status), (200, 200));
    for path in [
        "/picture/",
        "/picture/..",
        "/picture/../users/ada.jsonl",
        "/picture/..%2fusers%2fada.jsonl",
        "/picture/%2e%2e/users/ada.jsonl",
        "/picture/..%5cusers%5cada.jsonl",
        "/picture/%2fetc%2fpasswd",
        "/picture//etc/passwd",
        "/picture/ada.jsonl",
        &format!("{picture}%00"),
        &format!("{picture}/"),
        &format!("{picture}.jsonl"),
        &picture.to_uppercase().replace("/PICTURE/", "/picture/"),
    ] {
        let reply = site.get(path, &cookies(&ada));
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
        assert!(!reply.body.contains("\"e\":") && !reply.body.contains("root:"), "{path}");
    }
    let delete = format!("{post}/delete");
    assert_eq!(ada.act(&delete, &delete, &[]).status, 303);
    for order in [["admin", "ada"], ["suspend", "sam"]] {
        site.cluster.order(&order);
    }
    // It stays in the browsers that were shown it, and nobody is given it any more.
    for address in [&picture, &of_sam] {
        assert_eq!(stranger.get(address).status, 404, "{address}");
    }
}

/// Who knows what a picture's files are called has not been shown it, and can show it to nobody.
#[test]
fn s50_picture_is_posted_by_whoever_sent_it_alone() {
    let site = Site::start(&[]);
    let (mut ada, mut sam) = (site.member("ada"), site.member("sam"));
    let mut stranger = site.cluster.person("stranger");
    // What is wrong with the text leaves the picture where it is kept, as the form says that comes back.
    let form = form_of(&mut ada);
    let long = "x".repeat(2_000);
    let file = encoded(ImageFormat::Jpeg);
    let filled = [("text", long.as_str()), ("for", "followers")];
    let answer = ada.submit_files(&form, &filled, &[("picture_1", &file)]);
    assert_eq!(answer.status, 422);
    let again = answer.form("/post");
    let kept = again.fields.iter().find(|(name, _)| name == "kept_1").unwrap().1.clone();
    let names = kept.rsplit_once('/').unwrap().0.to_owned();
    let shown = format!("/picture/{}", names.split_once('/').unwrap().0);

    let steals = |person: &mut Person, said: &str| {
        let fields = [("text", "Look"), ("more", ""), ("kept_1", said)];
        let form = person.act("/", "/post", &fields).form("/post");
        let answer = person.submit(&form, &[("text", "stolen"), ("kept_1", said)]);
        assert_eq!(answer.status, 422, "{said}");
        assert!(!answer.body.contains(&names), "it does not stay in the form");
        let page = "/settings/profile";
        let face = [("display_name", "Sam"), ("kept_avatar", said)];
        assert_eq!(person.act(page, page, &face).status, 422, "{said}");
    };
    for said in [names.as_str(), &format!("{names}/"), &format!("{names}/AAAA"), &kept] {
        steals(&mut sam, said);
    }
    assert_eq!(stranger.get(&shown).status, 404);
    let answer = ada.submit(&again, &[("text", "Look"), ("for", "followers")]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!((ada.get(&shown).status, sam.get(&shown).status), (200, 404));
    steals(&mut sam, &names);
    assert_eq!((stranger.get(&shown).status, sam.get(&shown).status), (404, 404));
}

/// Nobody saw which picture it was that a form had kept, and once kept it could not be taken out again.
#[test]
fn r0127_kept_picture_is_shown_to_its_sender_and_can_be_taken_away() {
    let site = Site::start(&[]);
    let (mut ada, mut sam) = (site.member("ada"), site.member("sam"));
    let mut stranger = site.cluster.person("stranger");
    let long = "x".repeat(2_000);
    let file = encoded(ImageFormat::Jpeg);
    let form = form_of(&mut ada);
    let answer = ada.submit_files(&form, &[("text", &long)], &[("picture_1", &file)]);
    assert_eq!(answer.status, 422);
    let again = answer.form("/post");
    let kept = again.fields.iter().find(|(name, _)| name == "kept_1").unwrap().1.clone();
    let thumb = kept.split('/').nth(1).unwrap();
    let shown = format!("/picture/{thumb}?kept={kept}");
    assert!(answer.body.contains(&format!("<img src=\"{shown}\"")), "{}", answer.body);
    assert_eq!(ada.get(&shown).status, 200);
    assert_eq!((sam.get(&shown).status, stranger.get(&shown).status), (404, 404));
    for said in
        ["", "?kept=", &format!("?kept={thumb}/{thumb}/AAAA"), &format!("?for=ada&kept={thumb}")]
    {
        assert_eq!(ada.get(&format!("/picture/{thumb}{said}")).status, 404, "{said}");
    }
    let answer = ada.submit(&again, &[("text", "No picture"), ("remove_1", "1")]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = ada.get("/").body;
    assert!(page.contains("No picture") && !page.contains("/picture/"), "{page}");
}
