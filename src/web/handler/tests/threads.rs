//! A thread's replies, a page at a time.

use super::fake::{Browser, check_shows, name, post, site, text, thread};
use crate::action::{Action, ThreadOf};
use crate::id::PostId;
use crate::limits::REPLIES_PAGE;
use crate::user::entry::PostRef;
use crate::wire::request::{Ancestor, Kept, Outcome, ReplyView, ThreadPage};

const PAGE: &str = "/@ada/901";

/// So many replies, of which every third answers the one before.
fn replies(count: u64) -> Vec<ReplyView> {
    let reply = |n: u64| {
        let depth = if n % 3 == 2 { 2 } else { 1 };
        let mut post = post(1_000 + n, "ben", "Ben Kroll", 1, &format!("Reply {n}."));
        let user = name(if depth == 1 { "ada" } else { "ben" });
        let to = if depth == 1 { 901 } else { post.id.get() - 1 };
        post.reply_to = Some(PostRef { user, id: PostId::from_raw(to) });
        ReplyView { post, depth, is_below_unseen: false }
    };
    (0..count).map(reply).collect()
}

fn asked(action: &Action) -> &ThreadOf {
    match action {
        Action::Thread(asked) => asked,
        _ => panic!("no thread was asked for"),
    }
}

/// A backend that knows parts of a thread.
fn part(action: &Action, count: u64) -> ThreadPage {
    let ThreadOf { after, limit, .. } = asked(action);
    let mut all = replies(count);
    let from = after.and_then(|after| all.iter().position(|it| it.post.id == after.last));
    let mut rest = all.split_off(from.map_or(0, |at| at + 1));
    let limit = usize::from(limit.unwrap());
    let more_replies = rest.len() > limit;
    rest.truncate(limit);
    ThreadPage { replies: rest, more_replies, ..thread() }
}

/// One that knows none: it tells all.
fn whole(count: u64) -> ThreadPage {
    ThreadPage { replies: replies(count), ..thread() }
}

/// Who read the fortieth answer found no way to what it was all about.
#[test]
fn r0226_way_leads_further_up_than_what_is_shown_above() {
    let link = "<li><a href=\"/@ben/77\">Further up</a></li>";
    let short = site();
    check_shows(&Browser::ada(&short).get(PAGE), &[], &["Further up"]);
    let site = site().answering(|_| {
        let mut page = thread();
        let mut first = post(898, "mina", "Mina Okafor", 9, "Gloves everywhere.");
        first.reply_to = Some(PostRef { user: name("ben"), id: PostId::from_raw(77) });
        page.ancestors.insert(0, Ancestor::Post(first));
        Ok(Outcome::Thread(page))
    });
    check_shows(&Browser::ada(&site).get(PAGE), &[link], &[]);
}

/// Follows the links through all pages; each has whole numbers of replies, and none stands twice.
#[track_caller]
fn check_walk(site: &crate::web::handler::Site<super::fake::Fake>, count: u64) {
    let (mut browser, mut address, mut next) = (Browser::stranger(site), PAGE.to_owned(), 0);
    loop {
        let page = browser.get(&address);
        let html = text(&page);
        let shown: Vec<u64> = html
            .split("Reply ")
            .skip(1)
            .filter_map(|rest| rest.split('.').next()?.parse().ok())
            .collect();
        assert!(shown.len() <= REPLIES_PAGE);
        assert!(shown.iter().copied().eq(next..next + shown.len() as u64), "{shown:?}");
        next += shown.len() as u64;
        let back = format!("href=\"{PAGE}#replies\">Back to the first replies</a>");
        assert_eq!(html.contains(&back), address != PAGE);
        // One signs in to answer where one is.
        let here = crate::web::form::encode_query(&address);
        check_shows(&page, &[&format!("/login?next={here}\"")], &[]);
        let more = html.split("#replies\">Show more replies</a>").next().unwrap();
        if more.len() == html.len() {
            check_shows(&page, if address == PAGE { &[] } else { &["That’s everything."] }, &[]);
            break;
        }
        address = more.rsplit('"').next().unwrap().to_owned();
    }
    assert_eq!(next, count);
}

#[test]
fn thread_read_to_its_end_page_by_page() {
    for count in [1, 29, 30, 31, 60, 95] {
        let site = site();
        site.answer(move |action| Ok(Outcome::Thread(part(action, count))));
        check_walk(&site, count);
        let first = site.asked().first().cloned().unwrap();
        assert_eq!((asked(&first).after, asked(&first).limit), (None, Some(30)));
        // A backend of an earlier version is asked the same, and tells all each time.
        site.answer(move |_| Ok(Outcome::Thread(whole(count))));
        check_walk(&site, count);
    }
}

#[test]
fn page_of_a_thread_goes_on_behind_its_last_reply_and_below_what_that_stands() {
    let site = site();
    site.answer(|action| Ok(Outcome::Thread(part(action, 40))));
    // The thirtieth, of number 29, is the reply of a reply.
    let page = Browser::ada(&site).get(PAGE);
    check_shows(&page, &["href=\"/@ada/901?after=1028.1029#replies\""], &["first replies"]);
    let page = Browser::ada(&site).get("/@ada/901?after=1028.1029");
    check_shows(
        &page,
        // Whoever presses a button there comes back there.
        &["name=\"next\" value=\"/@ada/901?after=1028.1029\"", "Reply 30."],
        &["Reply 29.", "Show more"],
    );
    let place = "1028.1029".parse().ok();
    assert_eq!(asked(&site.last_asked().unwrap()).after, place);
}

#[test]
fn odd_places_in_a_thread_are_bad_requests() {
    let site = site();
    for odd in ["", "x", "-1", "1.2.3", "1.", ".1", "1%00", "18446744073709551616", "1,2", "<b>"] {
        let page = Browser::stranger(&site).get(&format!("{PAGE}?after={odd}"));
        assert_eq!(page.status, 400, "{odd}");
    }
    assert!(site.asked().is_empty());
    // What names no reply of it is for the backend to make sense of.
    let page = Browser::stranger(&site).get(&format!("{PAGE}?after=0.18446744073709551615"));
    assert_eq!(page.status, 200);
}

/// What answers somebody muted was nowhere in the thread.
#[test]
fn r0033_reply_below_what_is_not_shown_has_a_line_above_it_that_says_so() {
    let mut thread = ThreadPage { more_replies: true, ..whole(3) };
    thread.replies.remove(1);
    for (reply, depth) in thread.replies.iter_mut().zip([2, 3]) {
        (reply.depth, reply.is_below_unseen) = (depth, true);
    }
    let site = site();
    site.answer(move |_| Ok(Outcome::Thread(thread.clone())));
    let page = Browser::ada(&site).get(PAGE);
    let line = "<div class=\"act gone\">A post that is not shown to you</div></li>";
    let (first, deep) = (format!("<li>{line}"), format!("<li class=\"deep\">{line}"));
    // Where no reply to the post itself is shown, what comes next begins with all there is.
    check_shows(&page, &[&first, &deep, "Reply 0.", "after=0.1002"], &["Reply 1."]);
    let html = text(&page);
    assert!(html.find(&first) < html.find("Reply 0.") && html.find("Reply 0.") < html.find(&deep));
}

#[test]
fn own_reply_shown_below_the_others_where_it_stands_further_on() {
    let check = |thread: ThreadPage| {
        let site = site();
        site.answer(move |_| Ok(Outcome::Thread(thread.clone())));
        let page = Browser::ada(&site).get("/@ada/901?posted=1034");
        check_shows(&page, &["Show more replies", "id=\"p1034\"", "Reply 34."], &["Reply 33."]);
        let html = text(&page);
        assert!(html.find("Show more replies") < html.find("Reply 34."));
    };
    let kept = Kept { post: PostId::from_raw(1_034), on: 3, of: 3 };
    let all = ThreadPage { just_posted: Some(kept), ..whole(40) };
    let own = all.replies.get(34).cloned().map(Box::new);
    let first = all.replies.iter().take(30).cloned().collect();
    check(ThreadPage { own, replies: first, more_replies: true, ..all.clone() });
    check(all);
}
