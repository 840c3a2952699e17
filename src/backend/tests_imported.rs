//! Tests of what a backend counts of posts that were taken in from a file.

use serde_json::json;

use super::tests::Home;
use crate::action::import::Newcomer;
use crate::clock::Wall;
use crate::id::{Hash128, PostId, UserName};
use crate::metrics;
use crate::store::{DataDir, NodeFile};
use crate::user::entry::Audience;
use crate::wire::message::FEATURES;
use crate::wire::upkeep::{Part, Password};

#[test]
fn posts_taken_in_are_counted_as_written() {
    let home = Home::new();
    let data = DataDir::open(&home.config.data).unwrap();
    let file = NodeFile::load(&data).unwrap().unwrap();
    NodeFile { features: FEATURES, opened: true, ..file }.save(&data).unwrap();
    drop(data);
    home.run(|alone| {
        let user = UserName::parse("ada").unwrap();
        let mut import = |part: Part| {
            let of = (&user, Hash128([7; 16]), false);
            alone.backend.import(&mut alone.permit, of, &part)
        };
        let (display_name, bio) = ("Ada".to_owned(), String::new());
        let (members_only, posts_for) = (false, Audience::Everyone);
        let newcomer = Newcomer { display_name, bio, members_only, posts_for, joined_at: Wall(1) };
        let password = Password("seven lamps at sea".to_owned());
        assert!(import(Part::Begin { password, newcomer }).is_ok());
        let post = |number: u64| {
            let id = PostId::from_raw(number << 16);
            let text = json!({ "id": id, "at": number, "text": "Tea" }).to_string();
            serde_json::from_str(&text).unwrap()
        };
        let before = metrics::POSTS.get();
        for _again in 0..2 {
            assert!(import(Part::Posts((1..=40).map(post).collect())).is_ok());
        }
        let counted = metrics::POSTS.get() - before;
        // Those that other tests write meanwhile are few.
        assert!((40..60).contains(&counted), "{counted}");
    });
}
