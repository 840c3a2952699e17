//! The network is cut between one machine and the two others.

use super::*;
use crate::torture::proxy::Mode;

/// How the third machine is cut off: what it dials, and what dials it.
const CUTS: [(&str, Mode, Mode); 4] = [
    ("both ways", Mode::Cut, Mode::Cut),
    ("nothing leaves it", Mode::SwallowThere, Mode::SwallowBack),
    ("nothing reaches it", Mode::SwallowBack, Mode::SwallowThere),
    ("it is heard only when asked", Mode::SwallowThere, Mode::Pass),
];

#[test]
fn row06_network_cut_two_go_on_the_one_says_how_old() {
    let fleet = start();
    let own = OwnWeb::start(&fleet, 2);
    let mut ada = member(&fleet, "ada");
    let ben = member(&fleet, "ben");
    let (mut adas, mut bens) = (Vec::new(), Vec::new());
    for (what, out, into) in CUTS {
        let before = format!("before: {what}");
        post_timed(&mut ada, &before);
        adas.push(before.clone());
        let mut ben_there = own.person(&ben);
        let shown = wait_for_page(&own.site, "/@ada", &[&before]);
        assert!(!shown.contains("class=\"band\""), "{shown}");
        let form = ben_there.get("/").form("/post");

        fleet.set_ways(2, out, into);
        // What leaves it may be saved elsewhere, though no answer comes; then that is not known here.
        let text = format!("there: {what}");
        let (answer, form) = refused(&mut ben_there, &form, &text);
        let during = format!("during: {what}");
        let times = post_timed(&mut ada, &during);
        assert!(times.iter().all(|ms| *ms < 2_000 + ALLOWANCE_MS), "{what}: {times:?}");
        adas.push(during.clone());
        let band = ["This is <bdi>machine 3</bdi>’s copy of <time", "Newer posts may be missing."];
        let page = wait_for_page(&own.site, "/@ada", &[&band[..], &[&before]].concat());
        if matches!(into, Mode::Cut | Mode::SwallowThere) {
            assert!(!page.contains(&during), "{what}: it cannot know: {page}");
        }
        let page = ben_there.get("/");
        assert_eq!(page.status, 200);
        assert!(page.body.contains("’s copy of"), "{what}: {}", page.body);
        let elsewhere = wait_for_page(&fleet.site(), "/@ada", &[&during]);
        assert!(!elsewhere.contains("class=\"band\""), "{elsewhere}");
        let (again, form) = refused_again(&mut ben_there, (&answer, &form), &text);
        let is_shown = person(&fleet, "stranger").get("/@ben").body.contains(&text);
        assert!(!is_shown || again.written() == Written::Unknown, "{what}: {}", again.body);

        fleet.set_ways(2, Mode::Pass, Mode::Pass);
        saved_at_last(&mut ben_there, &form, &text);
        bens.push(text);
        wait_until_well(&fleet);
        let page = wait_for_page(&own.site, "/@ada", &[&during]);
        assert!(!page.contains("class=\"band\""), "{page}");
    }
    post_timed(&mut ada, "after all");
    adas.push("after all".to_owned());
    check_kept(&fleet, &[("ada".to_owned(), adas), ("ben".to_owned(), bens)]);
}
