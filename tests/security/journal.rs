//! What the logs say of who came in, who did not, and what was changed about an account.

use std::process::Command;

use crate::cluster::harness::{Cluster, Options, PROGRAM};
use crate::cluster::person::Person;

/// What a web server's log must say: form, whose, what became of it, and how often at least.
const LINES: [(&str, &str, &str, usize); 9] = [
    ("Join", "ada", "done", 1),
    // Whose name was typed the backend says, if it is anybody's.
    ("Login", "-", "bad-login", 12),
    ("Login", "-", "too-many", 1),
    ("Login", "ben", "done", 3),
    ("Password", "ben", "done", 1),
    ("Devices", "ben", "done", 1),
    ("Logout", "ben", "done", 1),
    ("Logout", "ada", "done", 1),
    ("Leave", "ada", "done", 1),
];

/// What a backend's log must say besides: what no web server was asked for.
const OPERATORS: [&str; 7] = [
    "msg=\"sign-in failed\" user=sam client=127.0.0.1",
    "msg=\"sign-in held off\" user=sam client=127.0.0.1",
    "msg=\"sign-in failed\" user=ada client=127.0.0.1",
    "msg=\"sign-in failed\" user=- client=127.0.0.1",
    "msg=\"operator's order done\" order=add user=ben",
    "msg=\"operator's order done\" order=admin user=ben",
    "msg=\"operator's order done\" order=signout user=ben",
];

fn operate(cluster: &Cluster, words: &[&str], input: &[u8]) {
    use std::io::Write as _;
    let data = format!("--data={}", cluster.data().display());
    let mut command = Command::new(PROGRAM);
    command.arg("user").args(words).arg(data).stdin(std::process::Stdio::piped());
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
}

/// Signs in with a password, from an address of one's own.
fn sign_in(cluster: &Cluster, name: &str, password: &str) -> (Person, u16) {
    let mut person = cluster.person(name);
    let status =
        person.act("/login", "/login", &[("username", name), ("password", password)]).status;
    (person, status)
}

#[test]
fn s12_who_came_in_and_what_changed_is_logged_with_name_address_and_number() {
    let more = vec!["--rate-limits=on".to_owned()];
    let mut cluster = Cluster::start(Options { backends: 1, more, ..Options::default() });
    let password = "eight lamps and a boat";
    operate(&cluster, &["add", "ben", "--password-stdin"], password.as_bytes());
    operate(&cluster, &["admin", "ben"], b"");
    let (mut ben, status) = sign_in(&cluster, "ben", password);
    assert_eq!(status, 303);
    let typed = [("current", password), ("new", "nine lamps and a boat")];
    assert_eq!(ben.act("/settings/password", "/settings/password", &typed).status, 303);
    let (mut elsewhere, status) = sign_in(&cluster, "ben", "nine lamps and a boat");
    assert_eq!(status, 303);
    assert_eq!(ben.act("/settings/devices", "/settings/devices", &[]).status, 303);
    assert_eq!(elsewhere.get("/").body.matches("href=\"/login\"").count().min(1), 1);
    assert_eq!(ben.logout().status, 303);
    let (_, status) = sign_in(&cluster, "ben", "nine lamps and a boat");
    assert_eq!(status, 303);
    operate(&cluster, &["signout", "ben"], b"");

    let mut ada = cluster.person("ada");
    ada.join();
    operate(&cluster, &["add", "sam", "--password-stdin"], b"a password of sam's");
    for (guess, status) in [422, 422, 422, 422, 422, 429].into_iter().enumerate() {
        assert_eq!(sign_in(&cluster, "sam", "guessed by somebody").1, status, "guess {guess}");
        // Where she joined nobody locks her out by guessing.
        assert_eq!(sign_in(&cluster, "ada", "guessed by somebody").1, 422, "guess {guess}");
    }
    assert_eq!(sign_in(&cluster, "nobody_here", "guessed by somebody").1, 422);
    // A password in the wrong field reaches no log.
    assert_eq!(sign_in(&cluster, "Nine lamps, and a boat!", "ben").1, 422);
    assert_eq!(ada.try_send("/post", &[]).unwrap().status, 403);
    assert_eq!(ada.logout().status, 303);
    let mut ada = {
        let (ada, status) = sign_in(&cluster, "ada", &ada.password());
        assert_eq!(status, 303, "who was here before is let in");
        ada
    };
    let own = ada.password();
    let typed = [("username", "ada"), ("password", own.as_str())];
    assert_eq!(ada.act("/settings/leave", "/settings/leave", &typed).status, 303);
    cluster.stop();

    let log = cluster.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(" msg=\"form sent\" ")).collect();
    for (form, user, outcome, least) in LINES {
        let found = lines.iter().filter(|line| {
            let (_, rest) = line.split_once(" msg=\"form sent\" ").unwrap();
            let (_, id) = rest.split_once(" request=").unwrap();
            let (id, _) = id.split_once(' ').unwrap();
            assert!(!id.is_empty(), "{line}");
            rest == format!(
                "form={form} user={user} client=127.0.0.1 request={id} outcome={outcome}"
            )
        });
        let found = found.count();
        assert!(found >= least, "{form} {user} {outcome}: {found} times in\n{}", lines.join("\n"));
    }
    for line in OPERATORS {
        assert!(log.contains(line), "{line} is not in\n{log}");
    }
    // What was refused before any backend was asked, in plain words.
    let refused = log.lines().find(|line| line.contains(" msg=\"form refused\" "));
    let refused = refused.unwrap_or_else(|| panic!("no form refused in\n{log}"));
    assert!(refused.contains(" form=Post ") && refused.ends_with(" outcome=old-form"), "{refused}");
    assert!(!log.contains("lamps") && !log.contains("guessed"), "{log}");
}
