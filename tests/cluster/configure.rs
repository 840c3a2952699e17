//! The configuration as an operator meets it: which value holds, what is refused, what is printed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::harness::PROGRAM;

/// Runs the program with these variables, and no configuration file but one that is named.
fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).stdin(Stdio::null()).env("TERN_CONFIG", "");
    command.envs(variables.iter().copied()).output().unwrap()
}

fn stdout(out: &Output) -> String {
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    String::from_utf8(out.stdout.clone()).unwrap()
}

/// A configuration file, and the flag that names it.
fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let flag = format!("--config={}", file.path().display());
    (file, flag)
}

/// The value and the source of a setting of `tern web`.
fn shown(args: &[&str], variables: &[(&str, &str)], key: &str) -> (String, String) {
    let args = [&["config", "show", "web", "--json"], args].concat();
    let json: serde_json::Value = serde_json::from_str(&stdout(&run(&args, variables))).unwrap();
    let mut settings = json["settings"].as_array().unwrap().iter();
    let found = settings.find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key}: {json}"));
    let word = |name: &str| found[name].as_str().unwrap_or("none").to_owned();
    (word("value"), word("source"))
}

#[test]
fn nearest_place_holds_and_is_named() {
    let (_kept, config) = file("listen = '127.0.0.1:1001'\n[web]\nlisten = '127.0.0.1:1002'\n");
    let path = config.trim_start_matches("--config=").to_owned();
    let exported = [("TERN_LISTEN", "127.0.0.1:1003")];
    let check = |args: &[&str], variables: &[(&str, &str)], value: &str, source: &str| {
        let found = shown(args, variables, "listen");
        assert_eq!((found.0.as_str(), found.1.as_str()), (value, source));
    };
    check(&[], &[], "127.0.0.1:8080", "default");
    check(&[&config], &[], "127.0.0.1:1002", &format!("{path} line 3"));
    check(&[], &[("TERN_CONFIG", &path)], "127.0.0.1:1002", &format!("{path} line 3"));
    check(&[&config], &exported, "127.0.0.1:1003", "TERN_LISTEN");
    let flag = "--listen=127.0.0.1:1004";
    check(&[&config, flag], &exported, "127.0.0.1:1004", "--listen");
}

#[test]
fn secrets_are_never_shown() {
    let key = "0011223344556677".repeat(4);
    let (_kept, config) = file("community = 'Fen'\n");
    for json in [&["--json"][..], &[]] {
        let args = [&["config", "show", config.as_str()], json].concat();
        let text = stdout(&run(&args, &[("TERN_KEY", &key)]));
        assert!(text.contains("***") && !text.contains(&key), "{text}");
    }
    let wrong = run(&["config", "check"], &[("TERN_KEY", "not the secret")]);
    assert_eq!(wrong.status.code(), Some(2));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(told.contains("TERN_KEY=***") && !told.contains("not the secret"), "{told}");
}

#[test]
fn check_tells_all_faults_and_exits_2() {
    let (_good, config) = file("community = 'Fen'\n");
    assert!(stdout(&run(&["config", "check", &config], &[])).contains("nothing wrong"));
    let (_bad, config) = file("listn = 'x'\nrate_limits = 5\n");
    let out = run(&["config", "check", "--json", &config], &[]);
    assert_eq!(out.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["faults"].as_array().unwrap().len(), 2, "{json}");
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(told.contains("line 1: unknown key listn; did you mean listen?"), "{told}");
    assert!(told.contains("line 2: rate_limits"), "{told}");
    // What a command lacks is wrong only if one asks for that command.
    let (_part, config) = file("node = 1\n");
    stdout(&run(&["config", "check", &config], &[]));
    let out = run(&["config", "check", "backend", &config], &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("--listen=ADDR:PORT"), "{out:?}");
}

#[test]
fn check_refuses_what_the_start_would() {
    let check = |command: &str, text: &str, expected: &str| {
        let (_kept, config) = file(text);
        for args in [&["config", "check", command, &config][..], &[command, &config]] {
            let out = run(args, &[]);
            let told = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(2), "{args:?}: {told}");
            assert!(told.contains(expected), "{args:?}: {told}");
        }
    };
    let same = "metrics=127.0.0.1:8099: --listen has that port";
    check("serve", "listen = '127.0.0.1:8099'\nmetrics = '127.0.0.1:8099'\n", same);
    check(
        "serve",
        "listen = '0.0.0.0:8099'\norigin = 'https://a.example'\nmetrics = '127.0.0.1:8099'\n",
        same,
    );
    check(
        "run-cluster",
        "[run-cluster]\nlisten = '127.0.0.1:8101'\nmetrics = '127.0.0.1:8099'\n",
        "--listen has",
    );
    let key = "key_file = '/k'\n";
    let backend = format!("node = 1\nlisten = '127.0.0.1:8099'\n{key}");
    check("backend", &format!("{backend}metrics = '127.0.0.1:8099'\n"), same);
    let web = format!("{key}backends = '127.0.0.1:7001'\nlisten = '127.0.0.1:8099'\n");
    check("web", &format!("{web}metrics = '127.0.0.1:8099'\n"), same);
    for everywhere in ["0.0.0.0:7001", "[::]:7001", "[::ffff:0.0.0.0]:7001"] {
        let peers = format!("{backend}peers = '1=127.0.0.1:8099,2={everywhere}'\n");
        check("backend", &peers, &format!("{everywhere} is no machine's address"));
    }
    for nowhere in ["", "a\\u0000b"] {
        let data = format!("data = \"{nowhere}\"\n");
        check("serve", &data, "line 1: data: no path");
        check("backend", &format!("{backend}{data}"), "data: no path");
        check("web", &web.replace("/k", ""), "key_file: no path");
    }
}

#[test]
fn commands_refuse_a_configuration_that_cannot_be_used() {
    let check = |args: &[&str], variables: &[(&str, &str)], expected: &str| {
        let out = run(args, variables);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(expected), "{args:?}: {told}");
        assert!(told.len() < 4_000, "{}", told.len());
    };
    let (_kept, config) = file("[serve]\nlisten = 'nowhere'\n");
    check(&["serve", &config], &[], "line 2: serve.listen=nowhere: not ADDRESS:PORT");
    check(&["serve"], &[("TERN_LISTEN", "nowhere")], "TERN_LISTEN=nowhere: not ADDRESS:PORT");
    check(&["serve", "--config=/nowhere/tern.toml"], &[], "cannot read /nowhere/tern.toml");
    check(&["cluster", "status", "--config=/dev/zero"], &[], "a device, where a file should be");
    let long = "x".repeat(100_000);
    check(&["serve"], &[("TERN_ORIGIN", &long)], "TERN_ORIGIN");
}

#[test]
fn commands_to_a_cluster_take_the_data_directory_from_the_configuration() {
    let (_kept, config) = file("[backend]\ndata = '/nowhere/at/all'\n");
    let out = run(&["cluster", "status", &config], &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("/nowhere/at/all names no machines"));
    let out = run(&["cluster", "status", "--data=/else", &config], &[]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("/else names no machines"), "{out:?}");
}

#[test]
fn manual_and_completions_name_every_command_and_flag() {
    let manual = stdout(&run(&["man"], &[]));
    assert!(manual.starts_with(".ie") && manual.contains(".TH tern 1"), "{manual}");
    // Such a line would be an order to the formatter, and not be shown.
    assert!(!manual.contains("\n./"), "{manual}");
    for word in
        ["TERN BACKEND", "TERN CLUSTER STATUS", "TERN_KEY_FILE", "rate\\-limits", "EXIT STATUS"]
    {
        assert!(manual.contains(word), "{word}: {manual}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&run(&["completions", shell], &[]));
        for word in ["run-cluster", "rate-limits", "config", "completions"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
        // A shell that is here must understand them.
        if Path::new("/usr/bin").join(shell).exists() || shell == "bash" {
            let mut script = tempfile::NamedTempFile::new().unwrap();
            script.write_all(text.as_bytes()).unwrap();
            let read = Command::new(shell).arg("-n").arg(script.path()).output().unwrap();
            assert!(read.status.success() && read.stderr.is_empty(), "{shell}: {read:?}");
        }
    }
    assert_eq!(run(&["completions", "tcsh"], &[]).status.code(), Some(2));
}
