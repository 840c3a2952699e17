//! People who have something to say, so that there is something to look at.

use std::collections::BTreeMap;
use std::process::Command;

use rustix::process::Signal;

use super::pages::{Stage, Who};
use super::until;
use crate::cluster::harness::{Cluster, PROGRAM};
use crate::cluster::person::{Answer, Person};

/// Posts that fill a page and begin another: a page holds 30.
const POSTS: usize = 34;
/// A word that no line can hold.
const LONG_WORD: &str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten";

/// Who joins at once; those who wait to be let in come later.
const FIRST: [&str; 7] = ["ada", "ben", "dora", "kim", "mia", "noa", "sue"];

/// The people of a cluster, and addresses of what they wrote.
pub(super) struct Community<'c> {
    cluster: &'c Cluster,
    people: BTreeMap<&'static str, Person>,
    /// Somebody who has not signed in.
    stranger: Person,
    places: Vec<(&'static str, String)>,
}

impl<'c> Community<'c> {
    /// All join; Dora leaves at once, and Kim is made a keeper.
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let stranger = cluster.person("stranger");
        let mut all = Self { cluster, people: BTreeMap::new(), stranger, places: Vec::new() };
        for name in FIRST {
            all.join(name);
        }
        let dora = all.of("dora");
        let password = dora.password();
        let typed = [("username", "dora"), ("password", password.as_str())];
        done(dora, "/settings/leave", "/settings/leave", &typed);
        all.operate(&["admin", "kim"]);
        let told = all.operate(&["passwd", "ben"]);
        let link = told.lines().find_map(|line| line.strip_prefix("link: ")).unwrap().to_owned();
        let path = link.find("/reset").map(|at| link[at..].to_owned()).unwrap();
        all.places.push(("reset", path));
        assert_eq!(all.of("kim").login().status, 303, "a new keeper signs in anew");
        all
    }

    /// Types `tern user …` and gives what it says.
    fn operate(&self, words: &[&str]) -> String {
        let data = format!("--data={}", self.cluster.data().display());
        let done = Command::new(PROGRAM).arg("user").args(words).arg(data).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Lets happen what leads to a stage from the one before.
    pub(super) fn go_on_to(&mut self, stage: Stage) {
        match stage {
            Stage::Empty => {}
            Stage::Full => {
                self.talk();
                self.quarrel();
            }
            Stage::Invited => self.keep("invited"),
            Stage::Approved => {
                self.keep("approved");
                for name in ["wim", "rex"] {
                    self.join(name);
                }
                let why = "We do not know you, and nobody whom we asked does.";
                self.judge("refuse", "username=rex", &[("reason", why)]);
            }
            Stage::Closed => self.keep("closed"),
            Stage::OneDown => self.lose(2, "2 of 3 machines"),
            Stage::TwoDown => self.lose(3, "1 of 3 machines"),
        }
    }

    /// Whose browser is looked over the shoulder.
    pub(super) fn person(&self, who: Who) -> Option<&Person> {
        let name = match who {
            Who::Stranger => return None,
            Who::Member => "ada",
            Who::Keeper => "kim",
            Who::Suspended => "sue",
            Who::Waiting => "wim",
            Who::Refused => "rex",
        };
        Some(&self.people[name])
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

    fn of(&mut self, name: &str) -> &mut Person {
        self.people.get_mut(name).unwrap_or_else(|| panic!("{name} has not joined"))
    }

    /// Each from a home of their own.
    fn join(&mut self, name: &'static str) {
        let address = format!("192.0.2.{}", self.people.len() + 1);
        let mut person = self.cluster.person(name).through_proxy(&address);
        person.join();
        self.people.insert(name, person);
    }

    fn talk(&mut self) {
        let bio = "Roses, mostly. Ask me about greenfly; don’t ask me about box hedges.";
        let profile = [("display_name", "Ben Kroll of the Upper Allotments"), ("bio", bio)];
        done(self.of("ben"), "/settings/profile", "/settings/profile", &profile);
        done(self.of("ada"), "/@ben", "/@ben/follow", &[]);
        done(self.of("ben"), "/@ada", "/@ada/follow", &[]);
        for n in 0..POSTS {
            let place = post(self.of("ben"), &format!("Row {n} is dug. Who sows it?"));
            if n == 4 {
                self.places.push(("older", format!("/?before={}", id(&place))));
            }
        }
        self.post_oddities();
        let own = post(self.of("ada"), "The seed swap is on Saturday at ten.");
        let thread = post(self.of("ben"), "Who has the chapel key?\n\nI need it by nine.");
        let deep = self.answer(&thread);
        let deleted = post(self.of("ada"), "Never mind.");
        let ask = format!("{deleted}/delete");
        done(self.of("ada"), &ask, &ask, &[]);
        self.mark(&own, &thread);
        self.places.extend([
            ("own", own),
            ("thread", thread),
            ("deep", deep),
            ("deleted", deleted),
        ]);
    }

    /// One's own post is changed and pinned, another's is liked, reposted and bookmarked.
    fn mark(&mut self, own: &str, other: &str) {
        let ada = self.of("ada");
        let edit = format!("{own}/edit");
        let changed = [("text", "The seed swap is on Sunday at ten."), ("note", "seeds")];
        done(ada, &edit, &edit, &changed);
        done(ada, own, &format!("{own}/pin"), &[]);
        for mark in ["like", "repost", "bookmark"] {
            done(ada, other, &format!("{other}/{mark}"), &[]);
        }
    }

    /// What is hard to lay out.
    fn post_oddities(&mut self) {
        for text in [
            LONG_WORD,
            "See https://example.org/a/very/long/address?with=many&parts=and#no-place-to-break-it-at-all",
            "من يملك مفتاح الكنيسة؟",
            "One\n\ntwo\n   three, and @ada, #seeds",
        ] {
            post(self.of("ben"), text);
        }
    }

    /// Replies, one of them below another; the address of the deepest.
    fn answer(&mut self, thread: &str) -> String {
        reply(self.of("ada"), thread, "@ben I have it.");
        reply(self.of("ada"), thread, &format!("@ben {LONG_WORD}"));
        let mut at = reply(self.of("ada"), thread, "@ben Until Thursday, that is.");
        for n in 0..3 {
            let name = if n % 2 == 0 { "ben" } else { "ada" };
            at = reply(self.of(name), &at, &format!("And then? ({n})"));
        }
        at
    }

    /// Sue sells something; others tell the keeper, who hides it and suspends her. Ada mutes one and
    /// blocks another, and is blocked.
    fn quarrel(&mut self) {
        let hidden = post(self.of("mia"), "WHO TOOK MY CAT? #cats");
        post(self.of("kim"), "The gate stays shut at night, @ada. #gate");
        let [shown, gone] =
            ["Beans, cheap! #seeds", "Last beans."].map(|text| post(self.of("sue"), text));
        self.report("ben", &shown, "She sells something, again.");
        self.report(
            "mia",
            &shown,
            "Third time this week that she sells beans here, and nobody has asked for any.",
        );
        self.report("noa", &hidden, "Shouting.");
        self.report("noa", &gone, "More beans.");
        let ask = format!("{gone}/delete");
        done(self.of("sue"), &ask, &ask, &[]);
        done(self.of("sue"), "/@ada", "/@ada/block", &[]);
        let private = [("display_name", ""), ("bio", ""), ("members_only", "1")];
        done(self.of("noa"), "/settings/profile", "/settings/profile", &private);
        done(self.of("ada"), "/@mia", "/@mia/mute", &[]);
        done(self.of("ada"), "/@noa", "/@noa/block", &[]);
        let about = format!("username=mia&id={}", id(&hidden));
        self.judge("hide", &about, &[("reason", "No shouting, please.")]);
        let why = "Asked three times not to sell.";
        self.judge("suspend", "username=sue", &[("hours", "168"), ("reason", why)]);
        self.places.push(("hidden", hidden));
    }

    fn report(&mut self, name: &str, post: &str, why: &str) {
        let report = format!("{post}/report");
        done(self.of(name), &report, &report, &[("reason", why)]);
    }

    /// Kim does what keepers do.
    fn judge(&mut self, deed: &str, about: &str, filled: &[(&str, &str)]) {
        let kim = self.of("kim");
        let password = kim.password();
        let filled = [filled, &[("password", password.as_str())]].concat();
        done(kim, &format!("/mod/act?deed={deed}&{about}"), "/mod/act", &filled);
    }

    /// Kim says who may join.
    fn keep(&mut self, signup: &str) {
        let words = "Fen Lane is for those who live on the lane, and for their hens.\n\nBe kind. \
            Say what you need, and what you have to give.";
        let kim = self.of("kim");
        let password = kim.password();
        let filled = [
            ("signup", signup),
            ("members_invite", "1"),
            ("words", words),
            ("shows_posts", "1"),
            ("shows_log", "1"),
            ("password", password.as_str()),
        ];
        done(kim, "/mod/settings", "/mod/settings", &filled);
    }

    fn lose(&mut self, node: u16, told: &str) {
        self.cluster.kill(node, Signal::KILL);
        until(told, || self.stranger.get("/public").body.contains(told).then_some(()));
    }
}

/// Fills in a form and sends it until it is done: on a busy machine the first try may come too late.
pub(super) fn done(
    person: &mut Person,
    page: &str,
    action: &str,
    filled: &[(&str, &str)],
) -> Answer {
    // What another wrote a moment ago may come to this one's machine a moment later.
    let shown = until(page, || Some(person.get(page)).filter(|answer| answer.status == 200));
    let form = shown.form(action);
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
