//! Posts for few, asked of the machines themselves: whatever a web server lets through.

use tern::action::{Action, Mark, NewPost, PostFor, Report, SetMark};
use tern::user::entry::{Audience, PostRef};
use tern::wire::request::{Outcome, Refusal, Request};

use super::{Backends, eventually, joined, key};

#[test]
fn s52_nobody_acts_on_a_post_that_is_not_for_them() {
    let all = Backends::without_rate_limits();
    let (ada, ben) = (joined(&all, 0, "ada", 1), joined(&all, 0, "ben", 2));
    joined(&all, 0, "cleo", 11);
    let ask = |session: &str, action| {
        let session = Some(session.to_owned());
        all.ask(0, &Request { session, read_to: None, need: None, action }).data.outcome
    };
    let new = |number, text: &str, reply_to: Option<&PostRef>| NewPost {
        key: key(number),
        text: text.to_owned(),
        reply_to: reply_to.cloned(),
        note: String::new(),
        pictures: Vec::new(),
        sent: Vec::new(),
        sensitive: false,
        for_everybody: false,
    };
    let made = eventually(|| {
        let post = new(3, "For @cleo alone", None);
        match ask(&ada, Action::PostFor(PostFor { audience: Audience::Named, post })) {
            Outcome::Saved(saved) => saved.post,
            _ => None,
        }
    });
    let post = PostRef { user: "ada".parse().unwrap(), id: made };
    let mark = |number, mark| {
        Action::Mark(SetMark { key: key(number), post: post.clone(), mark, on: true })
    };
    let audience = Audience::Followers;
    let acts = [
        Action::Post(new(4, "Me too", Some(&post))),
        Action::PostFor(PostFor { audience, post: new(5, "Me too", Some(&post)) }),
        mark(6, Mark::Like),
        mark(7, Mark::Bookmark),
        mark(8, Mark::Repost),
        Action::Report(Report { key: key(9), post: post.clone(), reason: "Secret".to_owned() }),
    ];
    for (number, act) in acts.into_iter().enumerate() {
        assert_eq!(ask(&ben, act), Outcome::Refused(Refusal::NotFound), "act {number}");
    }
    let own = ask(&ada, Action::Post(new(10, "Nobody else answers", Some(&post))));
    assert!(matches!(own, Outcome::Saved(_)), "{own:?}");
}
