//! Pictures in forms and on pages.

use super::fake::{
    Browser, PICTURE, check_shows, hidden_fields, location, post, posts, site, text, textarea,
};
use super::fitting::fitting;
use crate::action::{Action, AvatarWish, KeptPicture, Problem};
use crate::id::{PictureKind, PictureName};
use crate::user::entry::Picture;
use crate::web::origin::Origin;
use crate::web::request::Method;
use crate::web::response::{Asked, Cache, Content, Response};
use crate::web::route::Route;
use crate::wire::request::{Field, FieldProblem, Outcome, Refusal};

fn jpeg() -> Vec<u8> {
    let image =
        image::RgbImage::from_fn(40, 20, |x, _| image::Rgb([if x < 20 { 9 } else { 240 }; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// The page with room for pictures.
fn room_for_pictures(ada: &mut Browser<'_>) -> Response {
    let page = ada.get("/");
    ada.resubmit(&page, "/post", &[("text", "Look"), ("note", "Gulls"), ("more", "")])
}

/// Sends the form that `page` shows, as a browser does that brings files.
fn send(
    ada: &mut Browser<'_>,
    page: &Response,
    typed: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Response {
    send_to("/post", ada, page, (typed, files))
}

/// What is typed into fields, and which files are chosen.
type Typed<'a> = &'a [(&'a str, &'a str)];
type Files<'a> = &'a [(&'a str, &'a [u8])];

/// The same for any form.
fn send_to(
    target: &str,
    ada: &mut Browser<'_>,
    page: &Response,
    (typed, files): (Typed<'_>, Files<'_>),
) -> Response {
    let mut body = Vec::new();
    let hidden = hidden_fields(page, target);
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in hidden.chain(typed.iter().copied()) {
        let head = format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
    }
    for (name, bytes) in files {
        let head = format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--xyz--\r\n");
    ada.content_type = "multipart/form-data; boundary=xyz";
    let answer = ada.send(Method::Post, target, body);
    ada.content_type = "application/x-www-form-urlencoded";
    answer
}

#[test]
fn picture_kept_and_posted_with_what_it_shows() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    assert_eq!((page.status, textarea(&page).as_str()), (200, "Look"));
    let html = text(&page);
    assert!(html.contains("enctype=\"multipart/form-data\"") && html.contains("value=\"Gulls\""));
    assert!(!site.asked().iter().any(|action| matches!(action, Action::Post(_))));
    let typed = [("text", "Look"), ("description_2", "Two halves")];
    let (file, none): (&[u8], &[u8]) = (&jpeg(), &[]);
    let answer = send(&mut ada, &page, &typed, &[("picture_1", none), ("picture_2", file)]);
    assert_eq!(location(&answer), "/?posted=904");
    let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
    let [picture] = post.pictures.as_slice() else { panic!("not one picture") };
    assert_eq!((post.text.as_str(), picture.description.as_str()), ("Look", "Two halves"));
    let kept = site.asked().into_iter().find_map(|action| match action {
        Action::KeepPicture(new) => Some(new.kept),
        _ => None,
    });
    assert_eq!(kept, Some(picture.kept));
}

/// Apps could cover pictures without a note before them, pages could not.
#[test]
fn r0252_pictures_are_covered_where_that_is_ticked() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    let (open, ticked) =
        ("name=\"sensitive\" value=\"1\">", "name=\"sensitive\" value=\"1\" checked>");
    check_shows(&page, &[open], &[]);
    check_shows(&ada.get("/"), &[], &["name=\"sensitive\""]);
    let (typed, file) = ([("text", "Look"), ("sensitive", "1")], jpeg());
    let files: Files<'_> = &[("picture_1", &file)];
    site.refuse(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    let back = send(&mut ada, &page, &typed, files);
    check_shows(&back, &[ticked], &[]);
    site.answer(|action| Ok(fitting(action)));
    location(&send(&mut ada, &page, &typed, files));
    let is_covered = || site.last_asked().unwrap().written().map(|(_, post, _)| post.sensitive);
    assert_eq!(is_covered(), Some(true));
    location(&send(&mut ada, &page, &typed[..1], files));
    assert_eq!(is_covered(), Some(false));
    // There is nothing to cover.
    location(&send(&mut ada, &page, &typed, &[]));
    assert_eq!(is_covered(), Some(false));
}

#[test]
fn hostile_picture_gives_the_text_back_and_posts_nothing() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let half = &jpeg()[..300];
    let mut bomb = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut bomb, image::ImageFormat::Gif).unwrap();
    let mut bomb = bomb.into_inner();
    bomb[6..10].copy_from_slice(&[0xff; 4]);
    let none_high = [&bomb[..6], &[4, 0, 0, 0], &bomb[10..]].concat();
    let page_too = [b"GIF89a/*".as_slice(), b"*/=1;alert(1)//<script>alert(2)</script>"].concat();
    for (file, words) in [
        (bomb.as_slice(), "has too many pixels"),
        (&none_high, "damaged or incomplete"),
        // Read as numbers, its next letters are 10,799 and 12,074 pixels.
        (&page_too, "has too many pixels"),
        (b"%PDF-1.7", "is no picture in JPEG, PNG, WebP or GIF"),
        (&b"<svg onload=alert(1)>"[..], "is no picture in JPEG, PNG, WebP or GIF"),
        (half, "damaged or incomplete"),
    ] {
        let page = room_for_pictures(&mut ada);
        let typed = [("text", "Look"), ("description_1", "Two halves")];
        let answer = send(&mut ada, &page, &typed, &[("picture_1", file)]);
        let html = text(&answer);
        assert_eq!(answer.status, 422, "{html}");
        assert!(html.contains(words) && html.contains("Two halves"), "{html}");
        assert_eq!(textarea(&answer), "Look");
        let is_post = |action: &Action| matches!(action, Action::Post(_) | Action::KeepPicture(_));
        assert!(!site.asked().iter().any(is_post));
    }
}

#[test]
fn r0043_picture_that_is_none_is_named_and_the_way_out_leads_back() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    let file: &[u8] = &jpeg();
    let files = [("picture_1", file), ("picture_3", &b"%PDF-1.7"[..])];
    let html = text(&send(&mut ada, &page, &[("text", "Look")], &files));
    assert!(html.contains("Picture 3: A file is no picture in JPEG"), "{html}");
    assert!(html.contains("<a href=\"/\">Go back</a>") && !html.contains("Read Home"), "{html}");
}

#[test]
fn picture_kept_once_need_not_be_chosen_again() {
    let site = site();
    site.refuse(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    let file: &[u8] = &jpeg();
    let answer = send(&mut ada, &page, &[("text", "Look")], &[("picture_1", file)]);
    assert_eq!((answer.status, textarea(&answer).as_str()), (503, "Look"));
    assert!(text(&answer).contains("you need not choose it again"));
    assert!(text(&answer).contains("name=\"remove_1\""));
    site.answer(|action| Ok(fitting(action)));
    let (file, none): (&[u8], &[u8]) = (&jpeg(), &[]);
    for (files, left) in [(none, 0), (file, 1)] {
        let typed = [("text", "Look"), ("remove_1", "1")];
        send(&mut ada, &answer, &typed, &[("picture_1", files)]);
        let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
        assert_eq!(
            post.pictures.len(),
            left,
            "a file beside the box that takes the old one away stays"
        );
    }
    site.answer(|action| Ok(fitting(action)));
    let again = send(&mut ada, &answer, &[("text", "Look")], &[]);
    assert_eq!(location(&again), "/?posted=904");
    let Some(Action::Post(post)) = site.last_asked() else { panic!("no post asked for") };
    assert_eq!(post.pictures.len(), 1);
}

#[test]
fn more_than_one_picture_is_folded_away_until_there_is_something_in_it() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    let is_open = |page: &Response| {
        let html = text(page);
        let fold = html.split("<summary>More pictures").next().unwrap();
        fold.ends_with("<details class=\"fold\" open>")
    };
    assert!(!is_open(&page));
    site.refuse(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 });
    let file: &[u8] = &jpeg();
    for (description, field, all) in [
        ("description_1", "picture_1", false),
        ("description_1", "picture_2", true),
        ("description_3", "picture_1", true),
    ] {
        let typed = [("text", "Look"), (description, "Gulls")];
        let answer = send(&mut ada, &page, &typed, &[(field, file)]);
        assert_eq!((answer.status, is_open(&answer)), (503, all), "{description} {field}");
    }
    for (field, all) in [("picture_1", false), ("picture_4", true)] {
        let typed = [("text", "Look"), ("description_1", "")];
        let answer = send(&mut ada, &page, &typed, &[(field, b"no picture")]);
        assert_eq!((answer.status, is_open(&answer)), (422, all), "{field}");
        assert_eq!(text(&answer).matches("image/gif\" aria-invalid=\"true\">").count(), 1);
    }
}

#[test]
fn picture_that_machines_refuse_gives_the_text_back() {
    let site = site().answering(|action| {
        Ok(match action {
            Action::KeepPicture(_) => Outcome::Refused(Refusal::NotYet),
            other => fitting(other),
        })
    });
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    let file: &[u8] = &jpeg();
    let answer = send(&mut ada, &page, &[("text", "Look")], &[("picture_1", file)]);
    assert_eq!((answer.status, textarea(&answer).as_str()), (503, "Look"));
}

#[test]
fn pictures_stand_with_their_post_and_fold_with_it() {
    let [file, thumb] = [b"one", b"two"].map(|bytes| PictureName::of(PictureKind::Jpeg, bytes));
    let description = "A \"gull\" <b>".to_owned();
    let (width, height, sent_as) = (1600, 900, None);
    let picture = Picture { file, thumb, width, height, bytes: 7, description, sent_as };
    for note in [None, Some("Gulls".to_owned())] {
        let mut list = posts();
        let pictures = vec![picture.clone()];
        list.posts = vec![crate::wire::request::PostView {
            note,
            pictures,
            ..post(9, "ada", "Ada", 1, "Look")
        }];
        let is_folded = list.posts[0].note.is_some();
        let site = site().answering(move |action| {
            Ok(match action {
                Action::Home(_) => Outcome::Posts(list.clone()),
                other => fitting(other),
            })
        });
        let html = text(&Browser::ada(&site).get("/"));
        let image = format!(
            "<a href=\"/picture/{file}\"><img src=\"/picture/{thumb}\" width=\"400\" height=\"225\" \
             alt=\"A &#34;gull&#34; &#60;b&#62;\" loading=\"lazy\"></a>"
        );
        let at = html.find(&image).unwrap_or_else(|| panic!("{html}"));
        let fold = html.find("<summary dir=\"auto\">Gulls</summary>");
        assert_eq!(fold.is_some_and(|fold| fold < at), is_folded);
        assert_eq!(
            html[at..].split("</article>").next().unwrap().contains("</details>"),
            is_folded
        );
    }
}

#[test]
fn picture_answer_is_sandboxed_and_kept_by_its_browser_alone() {
    let site = site();
    let name = PictureName::of(PictureKind::Png, b"a picture");
    let answer = Browser::stranger(&site).get(&format!("/picture/{name}"));
    assert_eq!(
        (answer.status, answer.content, answer.cache),
        (200, Content::Png, Cache::OwnForever)
    );
    assert_eq!(answer.body, PICTURE);
    site.answer(|_| Ok(Outcome::Refused(Refusal::NotFound)));
    let answer = Browser::stranger(&site).get(&format!("/picture/{name}"));
    assert_eq!((answer.status, answer.content), (404, Content::Html));
}

#[test]
fn gate_is_told_who_may_send_pictures() {
    let site = site();
    assert_eq!(Browser::ada(&site).get("/post/pictures").status, 200);
    assert_eq!(Browser::stranger(&site).get("/post/pictures").status, 403);
}

const PROFILE: &str = "/settings/profile";

#[test]
fn avatar_is_kept_and_shown_and_removed_by_the_profiles_form() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get(PROFILE);
    let html = text(&page);
    assert!(html.contains("enctype=\"multipart/form-data\"") && html.contains("name=\"avatar\""));
    assert!(!html.contains("remove_avatar"), "there is none yet");
    let typed = [("display_name", "Ada"), ("bio", "")];
    let (file, none): (&[u8], &[u8]) = (&jpeg(), &[]);
    let wish = |asked: Option<Action>| match asked {
        Some(Action::EditProfile(edit)) => edit.avatar,
        _ => panic!("no profile was asked for"),
    };
    let answer = send_to(PROFILE, &mut ada, &page, (&typed, &[("avatar", none)]));
    assert_eq!(location(&answer), "/settings/profile?saved=1");
    assert_eq!(wish(site.last_asked()), AvatarWish::Keep);
    send_to(PROFILE, &mut ada, &page, (&typed, &[("avatar", file)]));
    let kept = site.asked().into_iter().find_map(|action| match action {
        Action::KeepPicture(new) => Some(new.kept),
        _ => None,
    });
    assert_eq!(wish(site.last_asked()), AvatarWish::Show(kept.unwrap()));
    let more = [&typed[..], &[("remove_avatar", "1")]].concat();
    send_to(PROFILE, &mut ada, &page, (&more, &[("avatar", none)]));
    assert_eq!(wish(site.last_asked()), AvatarWish::Remove);
}

#[test]
fn avatar_that_is_none_gives_back_what_was_typed_and_need_not_be_chosen_twice() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = ada.get(PROFILE);
    let typed = [("display_name", "Ada L."), ("bio", "Gulls")];
    let answer = send_to(PROFILE, &mut ada, &page, (&typed, &[("avatar", &b"GIF8"[..])]));
    let html = text(&answer);
    assert_eq!((answer.status, textarea(&answer).as_str()), (422, "Gulls"));
    assert!(html.contains("is no picture in") && html.contains("value=\"Ada L.\""), "{html}");
    assert!(!site.asked().iter().any(|action| matches!(action, Action::EditProfile(_))));

    site.answer(|action| {
        Ok(match action {
            Action::EditProfile(_) => Outcome::Refused(Refusal::Unknown),
            other => fitting(other),
        })
    });
    let file: &[u8] = &jpeg();
    let answer = send_to(PROFILE, &mut ada, &page, (&typed, &[("avatar", file)]));
    assert_eq!((answer.status, textarea(&answer).as_str()), (503, "Gulls"));
    send_to(PROFILE, &mut ada, &answer, (&typed, &[]));
    let Some(Action::EditProfile(edit)) = site.last_asked() else { panic!("no profile") };
    assert!(matches!(edit.avatar, AvatarWish::Show(_)), "it was kept before");
}

#[test]
fn avatar_stands_beside_posts_within_the_pages_budget() {
    let mut list = super::comfort::long_posts(super::comfort::LONG_CHARS);
    let plain = list.posts.len();
    // The most that can be: each by somebody else.
    for (n, post) in list.posts.iter_mut().enumerate() {
        let names = [n, n + 1_000].map(|n| PictureName::of(PictureKind::Jpeg, &n.to_be_bytes()));
        post.author.avatar = Some(Box::new(KeptPicture { file: names[0], thumb: names[1] }));
    }
    let digits = list.posts[0].author.avatar.as_ref().unwrap().thumb.to_string()[..8].to_owned();
    let site = site().answering(move |action| {
        Ok(match action {
            Action::Home(_) => Outcome::Posts(list.clone()),
            other => fitting(other),
        })
    });
    let page = Browser::ada(&site).get("/");
    let html = text(&page);
    assert_eq!(html.matches("<img class=\"av\" src=\"/@").count(), plain);
    assert!(html.contains(&format!("/face/{digits}\" alt=\"\">")), "{html}");
    let bytes = super::comfort::sent(page);
    println!("a page of {plain} posts with as many avatars takes {bytes} bytes");
    assert!(bytes <= 10 * 1024, "the page takes {bytes} bytes");
}

#[test]
fn avatar_answer_may_be_kept_and_shown_by_everybody() {
    let site = site();
    let answer = Browser::stranger(&site).get("/@ada/face/0a1b2c3d");
    assert_eq!((answer.status, answer.content, answer.cache), (200, Content::Png, Cache::Forever));
    let asked = Asked { method: Method::Get, if_none_match: None, accept_encoding: Some("gzip") };
    let sent = answer.encode(asked, &Origin::parse("http://a", true).unwrap());
    let field = |name: &str| {
        let found = sent.fields.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(field("Content-Type"), Some("image/png"));
    assert_eq!(field("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(field("Cache-Control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(field("Cross-Origin-Resource-Policy"), Some("cross-origin"));
    assert_eq!(field("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(field("Set-Cookie"), None);
    let policy = field("Content-Security-Policy").unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    site.answer(|_| Ok(Outcome::Refused(Refusal::NotFound)));
    let answer = Browser::stranger(&site).get("/@ada/face/0a1b2c3e");
    assert_eq!((answer.status, answer.cache), (404, Cache::NoStore));
}

/// Two pictures of a post.
fn two() -> Vec<Picture> {
    let picture = |(n, description): (u8, &str)| {
        let file = PictureName::of(PictureKind::Jpeg, &[n]);
        let description = description.to_owned();
        Picture { file, thumb: file, width: 4, height: 3, bytes: 9, description, sent_as: None }
    };
    [(1, "A gull"), (2, "")].map(picture).to_vec()
}

/// What a machine answers that has a post of ada's with these.
fn with_two(action: &Action) -> Outcome {
    match fitting(action) {
        Outcome::Thread(mut thread) => {
            thread.post.pictures = two();
            Outcome::Thread(thread)
        }
        other => other,
    }
}

const EDIT: &str = "/@ada/901/edit";
const TOLD: [(&str, &str); 4] =
    [("text", "Seen"), ("note", ""), ("description_1", "Two <gulls>"), ("description_2", "")];

fn shown(picture: &Picture) -> String {
    format!("<img src=\"{}\"", Route::Picture(picture.thumb).href())
}

#[track_caller]
fn check_described(page: &Response, number: u32, value: &str) {
    check_shows(
        page,
        &[&format!("name=\"description_{number}\" value=\"{value}\"")],
        &["type=\"file\""],
    );
}

#[test]
fn what_pictures_of_a_post_show_is_said_anew() {
    let site = site().answering(|action| Ok(with_two(action)));
    let mut ada = Browser::ada(&site);
    let page = ada.get(EDIT);
    check_described(&page, 1, "A gull");
    check_described(&page, 2, "");
    let [first, second] = [0, 1].map(|n| shown(&two()[n]));
    check_shows(&page, &[&first, &second], &["description_3", "enctype"]);
    assert_eq!(location(&ada.resubmit(&page, EDIT, &TOLD)), "/@ada/901");
    let Some(Action::EditPost(edit)) = site.last_asked() else { panic!("no edit asked for") };
    assert_eq!(edit.descriptions.unwrap(), ["Two <gulls>", ""]);
    // A post without any says nothing of them.
    site.answer(|action| Ok(fitting(action)));
    let page = ada.get(EDIT);
    check_shows(&page, &[], &["description_1"]);
    ada.resubmit(&page, EDIT, &[("text", "Seen"), ("note", "")]);
    let Some(Action::EditPost(edit)) = site.last_asked() else { panic!("no edit asked for") };
    assert_eq!(edit.descriptions, None);
}

#[test]
fn what_pictures_show_comes_back_whatever_happens() {
    let problem = Problem::TooLong { over: 2 };
    let long =
        Refusal::Invalid { problems: vec![FieldProblem { field: Field::Description, problem }] };
    let no_majority = Refusal::NoMajority { reachable: 1, members: 3, needed: 2 };
    for (refusal, shows) in [(long, true), (no_majority, false), (Refusal::Unknown, false)] {
        let site = site().answering(|action| Ok(with_two(action)));
        let mut ada = Browser::ada(&site);
        let page = ada.get(EDIT);
        let refused = refusal.clone();
        site.answer(move |action| {
            Ok(match with_two(action) {
                Outcome::Saved(_) => Outcome::Refused(refused.clone()),
                other => other,
            })
        });
        let back = ada.resubmit(&page, EDIT, &TOLD);
        assert_eq!(textarea(&back), "Seen", "{refusal:?}");
        check_described(&back, 1, "Two &#60;gulls&#62;");
        check_described(&back, 2, "");
        assert_eq!(text(&back).contains(&shown(&two()[0])), shows, "{refusal:?}");
        assert_eq!(text(&back).contains("2 characters too many"), shows, "{refusal:?}");
    }
    // Through signing in as well, what was taken away with it.
    let site = site().answering(|action| Ok(with_two(action)));
    let page = Browser::ada(&site).get(EDIT);
    let mut stranger = Browser::stranger(&site);
    let login = stranger.resubmit(
        &page,
        EDIT,
        &[&TOLD[1..2], &[("text", ""), ("description_1", ""), ("description_2", "Snow")]].concat(),
    );
    let password = [("username", "ada"), ("password", "seven green gloves")];
    site.answer(|action| {
        Ok(match action {
            Action::Login(_) => Outcome::Refused(Refusal::BadLogin),
            other => with_two(other),
        })
    });
    let wrong = stranger.resubmit(&login, "/login", &password);
    site.answer(|action| Ok(with_two(action)));
    let back = stranger.resubmit(&wrong, "/login", &password);
    check_described(&back, 1, "");
    check_described(&back, 2, "Snow");
    assert_eq!(textarea(&back), "");
}

/// Whoever had chosen a picture and typed nothing was shown home after signing in.
#[test]
fn r0275_picture_without_a_text_comes_back_after_signing_in() {
    let site = site();
    let mut ada = Browser::ada(&site);
    let page = room_for_pictures(&mut ada);
    site.refuse(Refusal::SignedOut);
    let typed: Typed<'_> = &[("text", ""), ("description_1", "A gull")];
    *site.ask.knows_session.lock() = false;
    let login = ada.resubmit(&page, "/post", typed);
    site.answer(|action| Ok(fitting(action)));
    *site.ask.knows_session.lock() = true;
    let password = [("username", "ada"), ("password", "seven green gloves")];
    let back = ada.resubmit(&login, "/login", &password);
    check_shows(&back, &["name=\"description_1\" value=\"A gull\""], &[]);
}
