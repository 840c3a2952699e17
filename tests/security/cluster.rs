//! What the machines tell nobody: secrets stand in no log and in no list of processes.

use crate::cluster::harness::{Cluster, Options};

/// The words with which a process was started, as everybody on the machine may read them.
fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

#[test]
fn s45_secrets_stand_in_no_log_and_no_list_of_processes() {
    let mut cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    assert_eq!(ada.post("A text for people alone").status, 303);
    let forged = "eve\n2026-11-28T12:00:00.000Z level=info msg=\"signed in\" user=ada";
    for name in ["ada", "sekrit_pw_0004", forged] {
        let typed = [("username", name), ("password", "guessed by somebody")];
        assert_eq!(cluster.person("eve").act("/login", "/login", &typed).status, 422);
    }
    let token = ada.cookie("s").unwrap().strip_prefix("ada.").unwrap().to_owned();
    let form_token = ada.get("/").form("/post").value("token").unwrap().to_owned();
    let key = std::fs::read_to_string(cluster.data().join("cluster.key")).unwrap();
    let key = key.lines().last().unwrap().trim().to_owned();
    assert!(key.len() >= 32, "the key file says {key:?}");
    let running = cluster.children().into_iter().chain([cluster.parent_pid()]);
    let started: Vec<String> = running.map(command_line).collect();
    assert_eq!(started.len(), 3);
    cluster.stop();
    let log = cluster.log();
    assert!(log.contains("msg=joined user=ada"), "{log}");
    assert!(log.contains("msg=\"sign-in failed\" user=ada "), "{log}");
    assert!(log.contains("msg=\"sign-in failed\" user=- "), "{log}");
    let password = ada.password();
    for secret in [
        &password,
        "guessed by somebody",
        // In the field for the name.
        "sekrit_pw_0004",
        &token,
        &form_token,
        &key,
        "A text for people alone",
        "$argon2id$",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        assert!(started.iter().all(|line| !line.contains(secret)), "{secret} in {started:?}");
    }
    assert!(!log.contains("level=info msg=\"signed in\" user=ada"), "{log}");
}
