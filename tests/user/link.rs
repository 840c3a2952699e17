//! One-time links: the one in the log that makes the first keeper, and those that mend a lost password.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::cluster::form::Form;
use crate::cluster::harness::{Cluster, Options, PROGRAM, eventually};
use crate::cluster::person::{Answer, Person};
use crate::ports::free_ports;

use super::{END, member, run, signs_in};

const PASSWORD: &str = "eight lamps and a boat";

/// A web server beside that of the cluster, with a log of its own.
pub(crate) struct Web {
    child: Child,
    pub(crate) address: String,
    log: std::path::PathBuf,
}

impl Web {
    pub(crate) fn start(cluster: &Cluster, directory: &Path) -> Self {
        let address = format!("127.0.0.1:{}", free_ports(1));
        let log = directory.join(format!("web-{address}"));
        let backends: Vec<_> = (1..=3).map(|node| cluster.backend_address(node)).collect();
        let key = cluster.data().join("cluster.key");
        let child = Command::new(PROGRAM)
            .args(["web".to_owned(), format!("--listen={address}")])
            .arg(format!("--backends={}", backends.join(",")))
            .arg(format!("--key-file={}", key.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let web = Self { child, address: format!("http://{address}"), log };
        let mut stranger = web.person("stranger");
        eventually("the other web server", END, || stranger.try_get("/healthz").ok());
        web
    }

    pub(crate) fn person(&self, name: &str) -> Person {
        Person::new(&self.address, name)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // It may have ended by itself; then it is waited for all the same.
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The path of the link in a log, once it is there.
pub(crate) fn told(log: impl Fn() -> String) -> String {
    eventually("the link in the log", END, || {
        let log = log();
        let rest = log.split_once(" link=\"http://")?.1;
        let link = rest.split_once("\"\n")?.0;
        Some(link[link.find('/')?..].to_owned())
    })
}

/// Opens the first keeper's link and fills in its form.
fn founds(person: &mut Person, link: &str, name: &str, password: &str) -> Answer {
    let form = person.get(link).form("/first");
    person.submit(&form, &[("username", name), ("password", password)])
}

/// Sends what each has filled in, as far as possible at the same time.
fn all_at_once(people: &mut [(Person, Form)]) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let sent: Vec<_> = people
            .iter_mut()
            .map(|(person, form)| {
                let name = person.name.clone();
                let send =
                    move || person.submit(form, &[("username", &name), ("password", PASSWORD)]);
                std::thread::Builder::new().spawn_scoped(scope, send).unwrap()
            })
            .collect();
        sent.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn s10_first_keeper_is_made_once_by_a_link_from_the_log() {
    let cluster = Cluster::start(Options::default());
    let directory = tempfile::tempdir().unwrap();
    let other = Web::start(&cluster, directory.path());
    let link = told(|| cluster.log());
    let second = told(|| other.log());
    assert!(link.starts_with("/first?link=") && link != second, "{link} {second}");

    // Opening it, on whichever web server, changes nothing and tells its address to nobody.
    for person in [&mut cluster.person("ada"), &mut other.person("ada")] {
        let page = person.get(&link);
        assert_eq!(page.status, 200);
        assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
        assert_eq!(page.header("cache-control"), Some("private, no-store"));
    }
    let mut guesser = cluster.person("eve");
    for wrong in ["/first", "/first?link=", "/first?link=AAECAwQFBgcICQoLDA0ODw"] {
        assert_eq!(guesser.get(wrong).status, 410, "{wrong}");
    }
    // What cannot be taken comes back, and the link stays good.
    let mut ada = cluster.person("ada");
    let refused = founds(&mut ada, &link, "ada", "ada 2026");
    assert_eq!((refused.status, refused.header("referrer-policy")), (422, Some("strict-origin")));
    let refused = founds(&mut ada, &link, "root", PASSWORD);
    assert_eq!(refused.status, 422);
    assert_eq!(run(&cluster, &["user", "list"]).out, "nobody has an account\n");

    // Six who open two links on two web servers at once: one wins.
    let names = ["ada", "ben", "cleo", "dora", "eli", "finn"];
    let mut people: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let (mut person, link) = if n % 2 == 0 {
                (cluster.person(name), &link)
            } else {
                (other.person(name), &second)
            };
            let form = person.get(link).form("/first");
            (person, form)
        })
        .collect();
    let answers = all_at_once(&mut people);
    let won: Vec<_> = (0..names.len()).filter(|n| answers[*n].status == 303).collect();
    assert_eq!(won.len(), 1, "{:?}", answers.iter().map(|it| it.status).collect::<Vec<_>>());
    let (winner, loser) = (won[0], (won[0] + 1) % names.len());
    let first = answers.iter().find(|answer| answer.status == 303).unwrap();
    assert_eq!(first.location.as_deref(), Some("/mod/settings"));
    let keepers = run(&cluster, &["user", "list"]).out;
    assert!(keepers.starts_with(names[winner]) && keepers.lines().count() == 1, "{keepers}");
    assert_eq!(people[winner].0.get("/mod/settings").status, 200);

    // From now on no link opens anything anywhere, and none was told twice.
    for person in [&mut cluster.person("eve"), &mut other.person("eve")] {
        for dead in [&link, &second] {
            assert_eq!(person.get(dead).status, 410);
        }
    }
    let (person, form) = &mut people[loser];
    let late = person.submit(form, &[("username", "eve"), ("password", PASSWORD)]);
    assert_eq!(late.status, 410, "{}", late.body);
    let logs = cluster.log() + &other.log();
    for link in [&link, &second] {
        let secret = link.split_once('=').unwrap().1;
        assert_eq!(logs.matches(secret).count(), 1, "told once");
    }
    assert!(
        logs.contains(&format!(
            "msg=\"first keeper made\" user={} client=127.0.0.1",
            names[winner]
        )),
        "{logs}"
    );
    // A web server that is started now has nothing to tell.
    let third = Web::start(&cluster, directory.path());
    eventually("the third web server's page", END, || {
        (third.person("eve").get("/public").status == 200).then_some(())
    });
    assert!(!third.log().contains("link="), "{}", third.log());
}

#[test]
fn s10_member_becomes_the_first_keeper_with_their_password() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let link = told(|| cluster.log());
    let mut ada = member(&cluster, "ada");
    let password = ada.password();
    let mut eve = cluster.person("eve");
    let taken = founds(&mut eve, &link, "ada", PASSWORD);
    assert_eq!(taken.status, 422, "somebody else's account");
    let mut at_home = cluster.person("ada");
    assert_eq!(founds(&mut at_home, &link, "ada", &password).status, 303);
    assert_eq!(at_home.get("/mod").status, 200);
    assert_eq!(ada.get("/mod").status, 303, "what was open before is over");
    // Nor does it hold again once there is no keeper.
    assert_eq!(run(&cluster, &["user", "admin", "ada", "--remove"]).code, Some(0));
    assert_eq!(eve.get(&link).status, 410);
}

#[test]
fn s11_lost_password_is_mended_once_by_a_link() {
    let cluster = Cluster::start(Options::default());
    let mut ben = member(&cluster, "ben");
    let old = ben.password();
    let made = |more: &[&str]| {
        let ended = run(&cluster, &[&["user", "passwd", "ben"], more].concat());
        ended.told("link: ").to_owned()
    };
    run(&cluster, &["user", "passwd", "nobody"]).check_refused(2, "no member called nobody");
    run(&cluster, &["user", "passwd", "ben", "--origin=tern"]).check_refused(2, "--origin");
    let first = made(&[]);
    let link = made(&["--origin=https://tern.example"]);
    let link = link.strip_prefix("https://tern.example").expect("the site's address").to_owned();
    assert!(first.starts_with("/reset?link=ben.") && link.starts_with("/reset?link=ben."));
    let secret = link.rsplit('.').next().unwrap();
    let told = run(&cluster, &["user", "passwd", "ada", "--json"]);
    assert_eq!(told.code, Some(2), "{told:?}");

    // Until it is used nothing has changed, and of two the newest holds.
    assert_eq!(ben.get("/settings/profile").status, 200);
    assert!(signs_in(&cluster, "ben", &old));
    let mut finder = cluster.person("finder");
    assert_eq!(finder.get(&first).status, 410, "another was made since");
    assert_eq!(finder.get(&link.replace("ben.", "ada.")).status, 410);
    assert_eq!(finder.get(&link.replace("ben.", "b.")).status, 410);
    let page = finder.get(&link);
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("strict-origin")));
    let form = page.form("/reset");
    for weak in ["short", "ben ben 1", "password1"] {
        assert_eq!(finder.submit(&form, &[("new", weak)]).status, 422, "{weak}");
    }
    assert!(signs_in(&cluster, "ben", &old));

    let mut late = cluster.person("late");
    let late_form = late.get(&link).form("/reset");
    let answer = finder.submit(&form, &[("new", PASSWORD)]);
    assert_eq!(
        (answer.status, answer.location.as_deref()),
        (303, Some("/settings/password?ended=3"))
    );
    // Sent twice, as by a second press of the button, it is done once and tells the same.
    assert_eq!(finder.get("/settings/password?ended=3").status, 200);
    assert_eq!(ben.get("/settings/profile").status, 303, "what was open before is over");
    assert!(!signs_in(&cluster, "ben", &old));
    assert!(signs_in(&cluster, "ben", PASSWORD));
    assert_eq!(late.submit(&late_form, &[("new", "nine lamps and a boat")]).status, 410);
    assert_eq!(late.get(&link).status, 410);
    assert!(signs_in(&cluster, "ben", PASSWORD));

    // What is kept of it opens nothing, and no log has it.
    let files: String = (1..=3)
        .map(|node| std::fs::read_to_string(cluster.node_data(node).join("users/ben.jsonl")))
        .map(Result::unwrap)
        .collect();
    assert!(files.contains("\"reset\":{\"link\":\"") && !files.contains(secret));
    let log = cluster.log();
    assert!(log.contains("msg=\"password reset\" user=ben client=127.0.0.1"), "{log}");
    assert!(!log.contains(secret) && !log.contains(PASSWORD));
}
