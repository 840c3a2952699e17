//! Machines that are killed while people write: whatever somebody did, what was acknowledged stands, and
//! what was not is there as a whole or not at all. The same form, sent again, does it once.

use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::Signal;
use tern::thread::spawn_named;

use crate::cluster::files::{count_of, wait_for_agreement};
use crate::cluster::form::Form;
use crate::cluster::harness::{Cluster, Options, eventually};
use crate::cluster::person::{Person, Written};

/// How long all machines may take to come back.
const BACK: Duration = Duration::from_mins(1);

/// Who is suspended before, for it to be lifted.
const SUSPENDED: &str = "sue";

/// Somebody who is about to do one thing.
struct Writer {
    person: Person,
    /// The form, drawn before anything fails.
    form: Form,
    typed: Vec<(String, String)>,
    /// Kinds of the entries that it makes in their file, all of them or none, with how many there were.
    kinds: Vec<(&'static str, usize)>,
    /// Whether sending it again is another act: each sign-in opens a session of its own.
    is_keyed: bool,
    written: Option<Written>,
}

/// What somebody does: their name, what they do before, the form's page and target, what they type, and the
/// kinds of entries. `{ada}` is a post of ada's, `{own}` one of their own.
type Act = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

const ACTS: [Act; 33] = [
    ("poster", &[], "/", "/post", &[("text", "Tea at four."), ("note", "Tea")], &["posted"]),
    ("replier", &[], "{ada}", "/post", &[("text", "With cake?")], &["posted"]),
    ("editor", &[], "{own}/edit", "{own}/edit", &[("text", "Tea at five.")], &["post_edited"]),
    ("deleter", &[], "{own}/delete", "{own}/delete", &[], &["post_deleted"]),
    ("liker", &[], "{ada}", "{ada}/like", &[], &["liked"]),
    ("unliker", &["{ada}/like"], "{ada}", "{ada}/unlike", &[], &["unliked"]),
    ("reposter", &[], "{ada}", "{ada}/repost", &[], &["reposted"]),
    ("unreposter", &["{ada}/repost"], "{ada}", "{ada}/unrepost", &[], &["unreposted"]),
    ("marker", &[], "{ada}", "{ada}/bookmark", &[], &["bookmarked"]),
    ("unmarker", &["{ada}/bookmark"], "{ada}", "{ada}/unbookmark", &[], &["unbookmarked"]),
    ("pinner", &[], "{own}", "{own}/pin", &[], &["pinned"]),
    ("unpinner", &["{own}/pin"], "{own}", "{own}/unpin", &[], &["unpinned"]),
    ("follower", &[], "/@ada", "/@ada/follow", &[], &["followed"]),
    ("unfollower", &["/@ada/follow"], "/@ada", "/@ada/unfollow", &[], &["unfollowed"]),
    ("muter", &[], "/@ada", "/@ada/mute", &[], &["muted"]),
    ("unmuter", &["/@ada/mute"], "/@ada", "/@ada/unmute", &[], &["unmuted"]),
    ("blocker", &[], "/@ada", "/@ada/block", &[], &["blocked"]),
    ("unblocker", &["/@ada/block"], "/@ada", "/@ada/unblock", &[], &["unblocked"]),
    (
        "renamer",
        &[],
        "/settings/profile",
        "/settings/profile",
        &[("display_name", "Rena"), ("bio", "Seeds.")],
        &["profile"],
    ),
    (
        "changer",
        &[],
        "/settings/password",
        "/settings/password",
        &[("current", "{password}"), ("new", "nine lamps and a boat")],
        &["password", "session_opened"],
    ),
    ("ender", &["login"], "/settings/devices", "/settings/devices", &[], &["session_closed"]),
    (
        "inviter",
        &["keep"],
        "/settings/invitations",
        "/settings/invitations",
        &[("uses", "1"), ("days", "7")],
        &["invitation_made"],
    ),
    ("revoker", &["keep", "invite"], "{code}", "/settings/invitations", &[], &["invitation_ended"]),
    ("reporter", &[], "{ada}/report", "{ada}/report", &[("reason", "Loud.")], &["reported"]),
    (
        "hider",
        &["keep"],
        "/mod/act?deed=hide&username=ada&id={id}",
        "/mod/act",
        &[("reason", "Loud.")],
        &["post_hidden"],
    ),
    (
        "suspender",
        &["keep"],
        "/mod/act?deed=suspend&username=sam",
        "/mod/act",
        &[("reason", "Loud."), ("hours", "24")],
        &["member_suspended"],
    ),
    (
        "houser",
        &["keep"],
        "/mod/settings",
        "/mod/settings",
        &[("words", "Be kind."), ("signup", "open")],
        &["community_set"],
    ),
    (
        "leaver",
        &[],
        "/settings/leave",
        "/settings/leave",
        &[("username", "{name}"), ("password", "{password}")],
        &["left"],
    ),
    (
        "mender",
        &["reset"],
        "{link}",
        "/reset",
        &[("new", "nine lamps and a boat")],
        // Sent again, it changes nothing, and signs in whoever knows the new password: with one more session.
        &["password"],
    ),
    (
        "lifter",
        &["keep", "suspend"],
        "/mod/act?deed=lift&username={suspended}",
        "/mod/act",
        &[("reason", "Enough.")],
        &["suspension_lifted"],
    ),
    ("logouter", &[], "{me}", "/logout", &[], &["session_closed"]),
    (
        "joiner",
        &["stranger"],
        "/join",
        "/join",
        &[("username", "{name}"), ("password", "{password}")],
        &["joined", "profile", "password"],
    ),
    (
        "visitor",
        &["logout"],
        "/login",
        "/login",
        &[("username", "{name}"), ("password", "{password}")],
        &["session_opened"],
    ),
];

/// Everybody, with their forms drawn.
fn writers(cluster: &Cluster) -> Vec<Writer> {
    let mut ada = cluster.person("ada");
    ada.join();
    cluster.person("sam").join();
    cluster.person(SUSPENDED).join();
    let post = posted(&mut ada, "A ladder, to lend.");
    let mut writers: Vec<_> = ACTS.iter().map(|act| prepared(cluster, act, &post)).collect();
    wait_for_agreement(cluster);
    for writer in &mut writers {
        for (kind, count) in &mut writer.kinds {
            *count = count_of(cluster, 1, &writer.person.name, kind);
        }
    }
    writers
}

fn posted(person: &mut Person, text: &str) -> String {
    let to = person.post(text).location.expect("a post");
    format!("/@{}/{}", person.name, to.split_once("posted=").unwrap().1)
}

fn prepared(cluster: &Cluster, act: &Act, ada: &str) -> Writer {
    let (what, before, page, action, typed, kinds) = *act;
    // Some of the words are nobody's name.
    let name = &format!("a_{what}");
    let mut person = cluster.person(name);
    let (mut own, mut link) = (String::new(), String::new());
    let operator = |order: &str| cluster.order(&[order, name]);
    if before != ["stranger"] {
        person.join();
    }
    if [page, action].iter().chain(before).any(|text| text.contains("{own}")) {
        own = posted(&mut person, "A drill, to lend.");
    }
    let (id, me) = (ada.rsplit('/').next().unwrap(), format!("/@{name}"));
    let password = person.password();
    let fill = |text: &str| {
        [("{ada}", ada), ("{own}", own.as_str()), ("{id}", id), ("{me}", &me), ("{name}", name)]
            .iter()
            .chain(&[("{password}", password.as_str()), ("{code}", "/settings/invitations")])
            .chain(&[("{suspended}", SUSPENDED)])
            .fold(text.to_owned(), |text, (name, place)| text.replace(name, place))
    };
    for step in before {
        let answer = match *step {
            "stranger" => continue,
            "login" => cluster.person(name).login(),
            "logout" => person.logout(),
            "invite" => {
                let page = "/settings/invitations";
                person.act(page, page, &[("uses", "1"), ("days", "7")])
            }
            "reset" => {
                let told = operator("passwd");
                let at = told.find("/reset?link=").expect("a link");
                link = told[at..].lines().next().unwrap().to_owned();
                // Whoever lost their password is signed in nowhere.
                person = cluster.person(name);
                continue;
            }
            "suspend" => {
                let page = format!("/mod/act?deed=suspend&username={SUSPENDED}");
                person.act(&page, "/mod/act", &[("reason", "Loud."), ("hours", "24")])
            }
            "keep" => {
                operator("admin");
                // The machine that answers may not know yet that the session is over.
                person = cluster.person(name);
                person.login()
            }
            action => {
                let action = fill(action);
                let page = action.rsplit_once('/').unwrap().0.to_owned();
                person.act(&page, &action, &[])
            }
        };
        assert_eq!(answer.status, 303, "{name} {step}: {}", answer.body);
    }
    let page = person.get(&if page == "{link}" { link } else { fill(page) });
    // Of the forms of one target, ending is the one that says what.
    let hidden = match what {
        "ender" => Some("id"),
        "revoker" => Some("code"),
        _ => None,
    };
    let is_it = |form: &Form| {
        form.action == fill(action) && hidden.is_none_or(|field| form.value(field).is_some())
    };
    let form = page.forms().into_iter().find(is_it);
    let form = form.unwrap_or_else(|| panic!("{name} has no form to {action}:\n{}", page.body));
    let typed = typed.iter().map(|(field, text)| ((*field).to_owned(), fill(text))).collect();
    let kinds = kinds.iter().map(|kind| (*kind, 0)).collect();
    Writer { person, form, typed, kinds, is_keyed: what != "visitor", written: None }
}

impl Writer {
    fn send(&mut self) -> Written {
        let typed: Vec<_> = self.typed.iter().map(|(f, t)| (f.as_str(), t.as_str())).collect();
        let answer = self.person.try_submit(&self.form, &typed);
        answer.map_or(Written::Other(0), |answer| answer.written())
    }

    /// How often it is in the file on each machine: as a whole.
    #[track_caller]
    fn times(&self, cluster: &Cluster) -> usize {
        let name = &self.person.name;
        let mut all = Vec::new();
        for node in 1..=cluster.backends() {
            for (kind, before) in &self.kinds {
                all.push(count_of(cluster, node, name, kind) - before);
            }
        }
        assert!(all.iter().all(|times| *times == all[0]), "{name}: {:?} {all:?}", self.kinds);
        all[0]
    }
}

/// Lets everybody send their form at once, while `fail` breaks machines; it is told how many were
/// answered so far.
fn send_all(writers: &mut [Writer], fail: impl FnOnce(&dyn Fn() -> usize)) {
    let answered = Mutex::new(0);
    std::thread::scope(|scope| {
        for writer in &mut *writers {
            let answered = &answered;
            spawn_named(scope, "writer", move |_permit| {
                writer.written = Some(writer.send());
                *answered.lock() += 1;
            })
            .unwrap();
        }
        fail(&|| *answered.lock());
    });
}

/// Fails unless everything is there that was acknowledged, and everything once after it was sent again.
fn check(cluster: &Cluster, writers: &mut [Writer]) {
    cluster.wait_in_step();
    wait_for_agreement(cluster);
    for writer in &*writers {
        let (name, times) = (&writer.person.name, writer.times(cluster));
        match writer.written {
            Some(Written::Saved) => assert_eq!(times, 1, "{name}: acknowledged"),
            Some(Written::NotSaved) => assert_eq!(times, 0, "{name}: not saved"),
            other => assert!(times <= 1, "{name}: {times} times, {other:?}"),
        }
    }
    for writer in &mut *writers {
        // A session or an account that is over says so.
        let written = eventually("machines answer", BACK, || match writer.send() {
            Written::NotSaved | Written::Unknown | Written::Other(0) => None,
            written => Some(written),
        });
        let is_known = matches!(written, Written::Saved | Written::Other(403 | 409 | 410 | 422));
        assert!(is_known, "{}: {written:?}", writer.person.name);
    }
    wait_for_agreement(cluster);
    for writer in &*writers {
        let (name, times) = (&writer.person.name, writer.times(cluster));
        assert!(times == 1 || times == 2 && !writer.is_keyed, "{name}: {times} times in the end");
    }
}

#[test]
fn s46_each_act_stands_or_is_not_there_when_machines_are_killed_while_it_is_written() {
    let cluster = Cluster::start(Options::default());
    let mut writers = writers(&cluster);
    let mut old = Vec::new();
    send_all(&mut writers, |answered| {
        // One machine, and then the others, wherever they are in what they do.
        for (least, nodes) in [(3, &[3][..]), (ACTS.len() / 3, &[1, 2])] {
            eventually("some are answered", BACK, || (answered() >= least).then_some(()));
            old.extend(nodes.iter().map(|node| (*node, cluster.kill(*node, Signal::KILL))));
        }
    });
    let saved = writers.iter().filter(|writer| writer.written == Some(Written::Saved)).count();
    assert!((3..ACTS.len()).contains(&saved), "{saved} were saved before the end");
    for (node, pid) in old {
        cluster.wait_restarted(node, pid);
    }
    check(&cluster, &mut writers);
}

#[test]
fn s46_no_act_stands_when_a_majority_is_killed_before_it_is_asked() {
    let cluster = Cluster::start(Options::default());
    let mut writers = writers(&cluster);
    let old = [2, 3].map(|node| (node, cluster.kill(node, Signal::STOP)));
    send_all(&mut writers, |_| {});
    for writer in &writers {
        assert_ne!(writer.written, Some(Written::Saved), "{}", writer.person.name);
    }
    for (node, pid) in old {
        cluster.kill(node, Signal::KILL);
        cluster.wait_restarted(node, pid);
    }
    check(&cluster, &mut writers);
}
