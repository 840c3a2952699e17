//! The wall clock of a machine jumps.

use super::*;
use crate::cluster::files::posts;
use crate::torture::machine::faketime;

#[test]
fn row08_clock_jumps_posts_keep_their_order_and_sessions_hold() {
    if faketime().is_none() {
        println!("left out: jumps of the wall clock (no faketime; Debian: faketime)");
        return;
    }
    let mut fleet = start();
    let own = OwnWeb::start(&fleet, 0);
    let mut ada = member(&fleet, "ada");
    let mut texts: Vec<String> = Vec::new();
    for clock in [None, Some("-2d"), None, Some("+2d"), Some("-2d"), None] {
        fleet.machine(0).kill();
        fleet.start_machine(0, &Start { clock, ..Start::default() });
        wait_until_well(&fleet);
        // On the machine whose clock it is, and on those whose clock is right.
        let mut there = own.person(&ada);
        for (number, person) in [&mut there, &mut ada].into_iter().enumerate() {
            let text = format!("post {number} by the clock of {}", clock.unwrap_or("now"));
            let text = format!("{text}, after {} others", texts.len());
            let page = eventually("its own pages work", WAIT, || {
                let page = person.try_get("/").ok()?;
                // A page that lacks the last post would carry that post's key.
                let is_fresh = texts.last().is_none_or(|text| page.body.contains(text.as_str()));
                (is_fresh && page.body.contains("action=\"/post\"")).then_some(page)
            });
            let form = page.form("/post");
            saved_at_last(person, &form, &text);
            texts.push(text);
        }
    }
    check_kept(&fleet, &[("ada".to_owned(), texts.clone())]);
    assert_eq!(posts(&fleet, 1, "ada"), texts, "the order in the file is the order of writing");
    let page = ada.get("/@ada").body;
    let places: Vec<_> = texts.iter().map(|text| page.find(text.as_str()).expect(text)).collect();
    assert!(places.is_sorted_by(|one, next| one > next), "newest first: {page}");
}
