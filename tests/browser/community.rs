//! People who have something to say, so that there is something to look at.

use rustix::process::Signal;

use super::pages::Stage;
use super::until;
use crate::cluster::harness::Cluster;
use crate::cluster::person::{Answer, Person};

/// Posts that fill a page and begin another: a page holds 30.
const POSTS: usize = 34;
/// A word that no line can hold.
const LONG_WORD: &str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten";

/// The people of a cluster, and addresses of what they wrote.
pub(super) struct Community<'c> {
    cluster: &'c Cluster,
    /// Whose browser is looked over the shoulder.
    pub(super) ada: Person,
    /// Somebody who has not signed in.
    pub(super) stranger: Person,
    ben: Person,
    places: Vec<(&'static str, String)>,
}

impl<'c> Community<'c> {
    /// Ada, Ben and Dora join; Dora leaves at once.
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let [mut ada, mut ben, mut dora] = ["ada", "ben", "dora"].map(|name| cluster.person(name));
        for person in [&mut ada, &mut ben, &mut dora] {
            person.join();
        }
        let password = dora.password();
        let typed = [("username", "dora"), ("password", password.as_str())];
        done(&mut dora, "/settings/leave", "/settings/leave", &typed);
        let stranger = cluster.person("stranger");
        Self { cluster, ada, stranger, ben, places: Vec::new() }
    }

    /// Lets happen what leads to a stage from the one before.
    pub(super) fn go_on_to(&mut self, stage: Stage) {
        match stage {
            Stage::Empty => {}
            Stage::Full => self.talk(),
            Stage::OneDown => self.lose(2, "2 of 3 machines"),
            Stage::TwoDown => self.lose(3, "1 of 3 machines"),
        }
    }

    /// The address that a page of the table has here.
    pub(super) fn address(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for (name, place) in &self.places {
            path = path.replace(&format!("{{{name}}}"), place);
        }
        assert!(!path.contains('{'), "{path}: no such place yet");
        format!("{}{path}", self.cluster.address())
    }

    fn talk(&mut self) {
        let bio = "Roses, mostly. Ask me about greenfly; don’t ask me about box hedges.";
        let profile = [("display_name", "Ben Kroll of the Upper Allotments"), ("bio", bio)];
        done(&mut self.ben, "/settings/profile", "/settings/profile", &profile);
        done(&mut self.ada, "/@ben", "/@ben/follow", &[]);
        done(&mut self.ben, "/@ada", "/@ada/follow", &[]);
        for n in 0..POSTS {
            let place = post(&mut self.ben, &format!("Row {n} is dug. Who sows it?"));
            if n == 0 {
                self.places.push(("older", format!("/?before={}", id(&place))));
            }
        }
        self.post_oddities();
        let own = post(&mut self.ada, "The seed swap is on Saturday at ten.");
        let thread = post(&mut self.ben, "Who has the chapel key?\n\nI need it by nine.");
        let deep = self.answer(&thread);
        let deleted = post(&mut self.ada, "Never mind.");
        let ask = format!("{deleted}/delete");
        done(&mut self.ada, &ask, &ask, &[]);
        self.places.extend([
            ("own", own),
            ("thread", thread),
            ("deep", deep),
            ("deleted", deleted),
        ]);
    }

    /// What is hard to lay out.
    fn post_oddities(&mut self) {
        for text in [
            LONG_WORD,
            "See https://example.org/a/very/long/address?with=many&parts=and#no-place-to-break-it-at-all",
            "من يملك مفتاح الكنيسة؟",
            "One\n\ntwo\n   three, and @ada",
        ] {
            post(&mut self.ben, text);
        }
    }

    /// Replies, one of them below another; the address of the deepest.
    fn answer(&mut self, thread: &str) -> String {
        reply(&mut self.ada, thread, "@ben I have it.");
        reply(&mut self.ada, thread, &format!("@ben {LONG_WORD}"));
        let mut at = reply(&mut self.ada, thread, "@ben Until Thursday, that is.");
        for n in 0..3 {
            let person = if n % 2 == 0 { &mut self.ben } else { &mut self.ada };
            at = reply(person, &at, &format!("And then? ({n})"));
        }
        at
    }

    fn lose(&mut self, node: u16, told: &str) {
        self.cluster.kill(node, Signal::KILL);
        until(told, || self.stranger.get("/public").body.contains(told).then_some(()));
    }
}

/// Fills in a form and sends it until it is done: on a busy machine the first try may come too late.
fn done(person: &mut Person, page: &str, action: &str, filled: &[(&str, &str)]) -> Answer {
    let form = person.get(page).form(action);
    until(&format!("{action} done"), || {
        let answer = person.submit(&form, filled);
        assert!([303, 503].contains(&answer.status), "{}", answer.body);
        (answer.status == 303).then_some(answer)
    })
}

/// Writes a post, and gives its address.
fn post(person: &mut Person, text: &str) -> String {
    reply(person, "/", text)
}

/// Answers a post, and gives the address of the answer.
fn reply(person: &mut Person, page: &str, text: &str) -> String {
    let answer = done(person, page, "/post", &[("text", text)]);
    // `/?posted=7` or `/@ben/5?posted=7#p7`.
    let location = answer.location.as_deref().expect("an address");
    let (_, posted) = location.split_once("posted=").expect("a post's number");
    format!("/@{}/{}", person.name, posted.split('#').next().expect("a number"))
}

/// The number at the end of a post's address.
fn id(place: &str) -> &str {
    place.rsplit('/').next().expect("a number")
}
