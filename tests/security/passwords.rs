//! Passwords as the running program keeps them, and what it says of wrong ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use tern::auth::AuthError;
use tern::auth::password::{Hasher, Verdict};
use tern::clock::{Clock, Wall};
use tern::id::UserName;
use tern::store::line::{Kind, NewLine, encode};
use tern::store::{DataDir, UserStore};
use tern::thread::spawn_named;
use tern::user::entry::Entry;

use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::Answer;

/// Argon2id of `password`, of a sixty-fourth of the memory that is asked today and half the salt.
const WEAK: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// The password records in a user's file, oldest first.
fn records(file: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let entries = lines.flat_map(|line| line["d"].as_array().cloned().unwrap_or_default());
    let passwords = entries.filter(|entry| entry["e"] == "password");
    passwords.map(|entry| entry["hash"].as_str().unwrap().to_owned()).collect()
}

/// Writes a line with this password record behind what a stopped machine has of a user.
fn weaken(data: &std::path::Path, user: &UserName) {
    let store = UserStore::open(&DataDir::open(data).unwrap()).unwrap();
    let loaded = store.load(user, &mut |_| {}).unwrap();
    let mut version = loaded.acc;
    version.seq += 1;
    let entries = [Entry::Password { at: Wall(1), hash: WEAK.to_owned(), reset: None }];
    let line = encode(&NewLine {
        version,
        base: loaded.acc,
        base_hash: loaded.hash,
        com: loaded.com,
        kind: Kind::Delta,
        requests: &[],
        entries: &entries,
    });
    store.append(user, loaded.len, &line.bytes).unwrap();
}

#[test]
fn s01_weaker_record_is_made_anew_at_the_next_sign_in() {
    let keep = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = keep.path().join("db");
    let options = || Options { backends: 1, data: Some(data.clone()), ..Options::default() };
    let mut cluster = Cluster::start(options());
    cluster.person("ada").join();
    let (directory, user) = (cluster.node_data(1), UserName::parse("ada").unwrap());
    assert_eq!(cluster.stop().code(), Some(0));
    drop(cluster);
    weaken(&directory, &user);
    let file = directory.join("users/ada.jsonl");
    assert_eq!(records(&file).last().map(String::as_str), Some(WEAK));

    let cluster = Cluster::start(options());
    let typed = [("username", "ada"), ("password", "password")];
    let wrong = [("username", "ada"), ("password", "passwore")];
    assert_eq!(cluster.person("ada").act("/login", "/login", &wrong).status, 422);
    assert_eq!(
        records(&file).last().map(String::as_str),
        Some(WEAK),
        "a wrong one changes nothing"
    );
    assert_eq!(cluster.person("ada").act("/login", "/login", &typed).status, 303);
    let after = records(&file);
    let last = after.last().unwrap();
    assert!(last.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{last}");
    let hasher = Hasher::new(Clock::system(), 1);
    assert_eq!(hasher.verify("password", last), Ok::<_, AuthError>(Verdict::Match));
    // From now on it is as strong as any, and stays.
    assert_eq!(cluster.person("ada").act("/login", "/login", &typed).status, 303);
    assert_eq!(records(&file), after);
}

/// An answer without what differs between any two: keys and tokens of forms, times, numbers, and what
/// was typed.
fn alike(answer: &Answer, name: &str) -> (u16, Vec<(String, String)>, String) {
    let passing = ["date", "set-cookie", "content-length", "etag", "x-request-id", "server-timing"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let mut body = answer.body.replace(name, "NAME");
    for field in ["name=\"key\" value=\"", "name=\"token\" value=\""] {
        let parts: Vec<_> = body.split(field).collect();
        let rest = parts.iter().skip(1).map(|part| part.split_once('"').unwrap().1);
        body = parts.iter().take(1).copied().chain(rest).collect::<Vec<_>>().join(field);
    }
    (answer.status, headers.cloned().collect(), body)
}

#[test]
fn s07_unknown_name_and_wrong_password_are_answered_alike() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    cluster.person("hanna").join();
    let answer = |name: &str| {
        let typed = [("username", name), ("password", "not the right one")];
        cluster.person(name).act("/login", "/login", &typed)
    };
    let known = alike(&answer("hanna"), "hanna");
    assert_eq!(known.0, 422);
    assert_eq!(known, alike(&answer("henry"), "henry"));
}

/// Who sign in at once, each from an address of their own.
const SIGN_INS: usize = 200;

#[test]
fn s02_pages_stay_quick_while_two_hundred_sign_in() {
    let options = || Options {
        backends: 1,
        alone: true,
        more: vec!["--trusted-proxies=127.0.0.1".to_owned()],
        ..Options::default()
    };
    let cluster = Cluster::start(options());
    let mut ada = cluster.person("ada");
    ada.join();
    let before = resident_kib(cluster.pid(1));
    let people: Vec<_> = (0..SIGN_INS)
        .map(|n| {
            let address = format!("203.0.113.{}", n + 1);
            let mut person = cluster.person("nobody").through_proxy(&address).leaving();
            let form = person.get("/login").form("/login");
            (person, form)
        })
        .collect();
    let done = AtomicUsize::new(0);
    let (answers, read) = std::thread::scope(|scope| {
        let sign_ins: Vec<_> = people
            .into_iter()
            .map(|(mut person, form)| {
                let done = &done;
                let sign_in = move |_permit| {
                    let typed = [("username", "nobody"), ("password", "not the right one")];
                    let answer = person.submit(&form, &typed);
                    done.fetch_add(1, Ordering::Relaxed);
                    (answer.status, answer.header("retry-after").map(str::to_owned))
                };
                spawn_named(scope, "sign-in", sign_in).unwrap()
            })
            .collect();
        let mut read = 0;
        while done.load(Ordering::Relaxed) < SIGN_INS {
            assert_eq!(ada.get("/public").status, 200);
            read += 1;
        }
        let answers: Vec<_> = sign_ins.into_iter().map(|thread| thread.join().unwrap()).collect();
        (answers, read)
    });
    // Each was answered: looked at, or told when to come back; and somebody was.
    let looked_at = answers.iter().filter(|(status, _)| *status == 422).count();
    let told = answers.iter().filter(|(status, retry)| *status == 503 && retry.is_some()).count();
    assert_eq!(looked_at + told, SIGN_INS, "{answers:?}");
    assert!(looked_at > 0);
    // A hash takes as long as many pages; one that waited for its turn behind them would take as long as all.
    assert!(read > SIGN_INS, "{read} pages, one after the other, while {SIGN_INS} signed in");
    let cores = std::thread::available_parallelism().unwrap().get();
    let allowed = 32 * 1024 + cores.min(4) as u64 * 19 * 1024;
    let grown = resident_kib(cluster.pid(1)).saturating_sub(before);
    assert!(grown <= allowed, "grew by {grown} KiB of {allowed}");
}

/// The most KiB that a process had in memory.
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
