//! Command lines against the values they become, or what their operator is told.

use std::ffi::OsString;

use super::*;
use crate::limits::TRUSTED_PROXIES_MAX;

/// `line` without the program's name; a `+` stands for a space inside a value.
fn config(line: &str) -> Result<Config, ConfigError> {
    let words = ["tern"].into_iter().chain(line.split_whitespace());
    let args = words.map(|word| OsString::from(word.replace('+', " ")));
    typed(args)
}

fn check_refused(line: &str, expected: &str) {
    let error = config(line).expect_err(line).to_string();
    assert!(error.contains(expected), "{line}: {error}");
}

fn address(text: &str) -> HostPort {
    text.parse().expect(text)
}

#[test]
fn serve_without_options_uses_defaults() {
    let expected = Serve {
        listen: address("127.0.0.1:8080"),
        data: PathBuf::from("db"),
        name: "machine 1".to_owned(),
        rate_limits: true,
        metrics: None,
        site: Site {
            origin: None,
            insecure_http: false,
            trusted_proxies: Vec::new(),
            community: "Tern".to_owned(),
            app_calls: None,
            app_passwords: false,
            noindex: false,
        },
    };
    assert_eq!(config("serve").unwrap(), Config::Serve(expected));
}

#[test]
fn backend_with_all_options_read() {
    let line = "backend --node=2 --listen=0.0.0.0:7001 --peers=2=b.lan:7001,1=[::1]:7001 \
                --data=/d --key-file=k --community=Fen+Lane --name=birch --rate-limits=off";
    let node = |number| NodeId::new(number).unwrap();
    let expected = Backend {
        node: node(2),
        listen: address("0.0.0.0:7001"),
        peers: vec![(node(1), address("[::1]:7001")), (node(2), address("b.lan:7001"))],
        data: PathBuf::from("/d"),
        key: Key::File(PathBuf::from("k")),
        name: "birch".to_owned(),
        community: "Fen Lane".to_owned(),
        rate_limits: false,
        metrics: None,
        stop_with_parent: false,
    };
    assert_eq!(config(line).unwrap(), Config::Backend(expected));
}

#[test]
fn backend_name_defaults_to_its_number() {
    let line = "backend --node=3 --listen=127.0.0.1:7 --peers=3=127.0.0.1:7 --key-file=k";
    let Config::Backend(backend) = config(line).unwrap() else { panic!("a backend") };
    assert_eq!(backend.name, "machine 3");
}

#[test]
fn run_cluster_rate_limits_follow_listen_unless_given() {
    let limits = |line: &str| match config(line).unwrap() {
        Config::RunCluster(cluster) => cluster.rate_limits,
        other => panic!("{other:?}"),
    };
    assert!(!limits("run-cluster"));
    assert!(!limits("run-cluster --listen=localhost:0"));
    assert!(!limits("run-cluster --listen=[::1]:8080"));
    assert!(limits("run-cluster --listen=0.0.0.0:8080"));
    assert!(limits("run-cluster --rate-limits=on"));
    assert!(!limits("run-cluster --listen=0.0.0.0:8080 --rate-limits=off"));
}

#[test]
fn s42_rate_limits_are_on_unless_switched_off() {
    let limits = |line: &str| match config(line).unwrap() {
        Config::Serve(serve) => serve.rate_limits,
        Config::Backend(backend) => backend.rate_limits,
        other => panic!("{other:?}"),
    };
    let backend = "backend --node=3 --listen=127.0.0.1:7 --peers=3=127.0.0.1:7 --key-file=k";
    for line in ["serve", "serve --listen=127.0.0.1:8080", backend] {
        assert!(limits(line), "{line}");
        assert!(!limits(&format!("{line} --rate-limits=off")), "{line}");
    }
}

#[test]
fn peers_refused_with_reason() {
    let check = |peers: &str, expected: &str| {
        let line = format!("backend --node=4 --listen=a:1 --key-file=k --peers={peers}");
        check_refused(&line, expected);
    };
    check("1=a:1,2=b:1", "machine 4 (--node) is not in it; add 4=ADDRESS:PORT");
    check("4=a:1,4=b:1", "names machine 4 twice");
    check("4=a:1,5=a:1", "names a:1 twice");
    check("4=a:1,", "\"\" is not NUMBER=ADDRESS:PORT");
    check("4=a:1,0=b:1", "\"0=b:1\"");
    check("4=a:1,16=b:1", "\"16=b:1\"");
    check("4=a:0", "\"4=a:0\"");
    check("a:1", "\"a:1\"");
}

#[test]
fn values_outside_their_range_refused_by_name() {
    check_refused("serve --listen=8080", "--listen=8080: not ADDRESS:PORT");
    check_refused("serve --listen=127.0.0.1:0", "choose one from 1 to 65535");
    check_refused("serve --rate-limits=yes", "--rate-limits=yes: use on or off");
    check_refused("serve --community=", "1 to 40 characters");
    check_refused("serve --community=+", "1 to 40 characters");
    check_refused("serve --community=a\u{202e}b", "none of them invisible");
    check_refused(&format!("serve --name={}", "a".repeat(41)), "--name=");
    check_refused("serve --trusted-proxies=127.0.0.1,lan", "\"lan\" is not an IP address");
    let many = vec!["127.0.0.1"; TRUSTED_PROXIES_MAX + 1].join(",");
    check_refused(&format!("serve --trusted-proxies={many}"), "more than 16");
    check_refused("run-cluster --backends=0", "--backends=0: not a number from 1 to 5");
    check_refused("run-cluster --backends=6", "not a number from 1 to 5");
    check_refused("run-cluster --backends=+3", "not a number");
    check_refused("run-cluster --backend-port=65534", "3 ports from there pass 65535");
    check_refused("run-cluster --backend-port=0", "not a number from 1 to 65535");
    check_refused(
        "serve --metrics=0.0.0.0:9100",
        "--metrics=0.0.0.0:9100: other machines must not",
    );
    check_refused("run-cluster --metrics=127.0.0.1:0", "choose one from 1 to 65535");
    check_refused("run-cluster --metrics=127.0.0.1:65525", "16 ports from there pass 65535");
    check_refused("web --key-file=k --backends=a:1,a:1", "--backends names a:1 twice");
    check_refused("web --key-file=k --backends=a:1,", "--backends=: not ADDRESS:PORT");
    check_refused(
        "backend --node=x --listen=a:1 --key-file=k --peers=1=a:1",
        "--node=x: not a number from 1 to 15",
    );
}

#[test]
fn host_port_spellings() {
    for good in ["127.0.0.1:1", "[::1]:65535", "apple.lan:7001", "a_b-c:0"] {
        assert_eq!(address(good).to_string(), good);
    }
    for bad in
        ["", ":1", "a", "a:", "a:+1", "a:65536", "::1:80", "[a]:1", "[::1]", "a b:1", "a/b:1"]
    {
        assert!(bad.parse::<HostPort>().is_err(), "{bad}");
    }
}

#[test]
fn backend_ports_up_to_the_last_taken() {
    let Config::RunCluster(cluster) = config("run-cluster --backend-port=65533").unwrap() else {
        panic!("a cluster")
    };
    assert_eq!(cluster.backend_port.map(NonZeroU16::get), Some(65533));
}

#[test]
fn what_a_command_cannot_do_without_named_in_every_spelling() {
    check_refused(
        "backend --listen=a:1 --key-file=k",
        "tern backend needs --node=N: db is no machine's directory yet; tern cluster init, add or",
    );
    check_refused("web --key-file=k", "--backends=ADDR:PORT,... (or TERN_BACKENDS, or backends in");
    check_refused(
        "web --backends=a:1",
        "--key-file=FILE (or TERN_KEY_FILE, or key_file in the configuration file)",
    );
}

const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The values of `tern ROLE` with this file, these variables and these flags.
fn layered(role: Role, file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Values {
    let file = file::ConfigFile::parse(std::path::Path::new("/t.toml"), file).unwrap();
    let typed = |(name, text): &(&str, &str)| ((*name).to_owned(), OsString::from(text));
    let typed = layers::Typed { values: flags.iter().map(typed).collect(), ..Default::default() };
    let environment = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, text)| OsString::from(text))
    };
    layers::Layers { file: &file, environment: &environment, typed: &typed }.resolve(role).unwrap()
}

#[test]
fn flag_before_variable_before_section_before_top_before_default() {
    let top = "listen = 'top:1'\n";
    let both = "listen = 'top:1'\n[web]\nlisten = 'own:1'\n";
    let exported = [("TERN_LISTEN", "env:1")];
    let check = |file, variables: &[(&str, &str)], flags: &[(&str, &str)], text, source| {
        let values = layered(Role::Web, file, variables, flags);
        let given = values.get("listen").unwrap();
        assert_eq!((given.text().unwrap(), given.at.to_string().as_str()), (text, source));
    };
    check("", &[], &[], "127.0.0.1:8080", "default");
    check(top, &[], &[], "top:1", "/t.toml line 1: listen");
    check(both, &[], &[], "own:1", "/t.toml line 3: web.listen");
    check(both, &exported, &[], "env:1", "TERN_LISTEN");
    check(both, &exported, &[("listen", "flag:1")], "flag:1", "--listen");
    // A variable without text says nothing.
    check(top, &[("TERN_LISTEN", "")], &[], "top:1", "/t.toml line 1: listen");
}

#[test]
fn run_cluster_takes_its_own_section_alone() {
    let file = "data = '/var/lib/tern'\n[run-cluster]\nbackends = 5\n";
    let values = layered(Role::RunCluster, file, &[], &[]);
    assert_eq!(values.get("data").unwrap().at, Source::Default);
    assert_eq!(values.get("backends").unwrap().text().unwrap(), "5");
}

#[test]
fn secrets_taken_as_they_are_or_from_a_file_of_the_nearest_layer() {
    let base = "node = 1\nlisten = '127.0.0.1:7001'\n";
    let key = |file: &str, variables: &[(&str, &str)]| {
        let values = layered(Role::Backend, &format!("{base}{file}"), variables, &[]);
        let Config::Backend(backend) = check(&values).unwrap() else { panic!("a backend") };
        assert!(!format!("{backend:?} {values:?}").contains(DIGITS));
        backend.key
    };
    let own = key(&format!("key = '{DIGITS}'"), &[]);
    assert!(matches!(&own, Key::Text(..)), "{own:?}");
    assert!(own.read().unwrap().cluster_id().is_some());
    assert_eq!(key("key_file = 'f'", &[]), Key::File("f".into()));
    assert_eq!(key("key_file = 'f'", &[("TERN_KEY_FILE", "e")]), Key::File("e".into()));
    assert!(matches!(key("key_file = 'f'", &[("TERN_KEY", DIGITS)]), Key::Text(..)));

    let values = layered(Role::Backend, &format!("{base}key = 'short and secret'"), &[], &[]);
    let error = check(&values).unwrap_err().to_string();
    assert!(error.contains("/t.toml line 3: key=***: no key"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn values_of_the_file_refused_with_its_name_and_line() {
    let check = |file: &str, expected: &str| {
        let values = layered(Role::Serve, file, &[], &[]);
        let error = check(&values).expect_err(file).to_string();
        assert!(error.contains(expected), "{file}: {error}");
    };
    check("\n\nlisten = 'nowhere'", "/t.toml line 3: listen=nowhere: not ADDRESS:PORT");
    check("rate_limits = 'yes'", "/t.toml line 1: rate_limits=yes: use on or off");
    check("[serve]\ncommunity = ''", "/t.toml line 2: serve.community=\"\": use 1 to 40");
    check("trusted_proxies = ['127.0.0.1', 'lan']", "\"lan\" is not an IP address");
    check("origin = 'tern.example'", "line 1: origin: \"tern.example\" does not begin with");
}

/// Faults of a file, each as its operator reads it.
fn faults(text: &str) -> Vec<String> {
    let faults = file::ConfigFile::parse(std::path::Path::new("/t.toml"), text).unwrap_err();
    let words: Vec<_> = faults.iter().map(ToString::to_string).collect();
    for line in &words {
        assert!(line.len() < 1_000 && line.starts_with("/t.toml line "), "{line}");
        assert!(!line.contains(char::is_control), "{line}");
    }
    words
}

#[test]
fn hostile_files_refused_by_line_in_few_words() {
    let check = |text: &str, expected: &str| {
        let found = faults(text);
        assert!(found[0].contains(expected), "{}", found[0]);
        assert!(found.len() <= crate::limits::CONFIG_FAULTS_MAX);
    };
    check("data = 'a'\nlistn = 'x'", "line 2: unknown key listn; did you mean listen?");
    check("backend_port = 7001", "line 1: unknown key backend_port; it belongs in [run-cluster]");
    check("[serve]\nnode = 1", "line 2: unknown key node in [serve]; it belongs in [backend]");
    check("[server]\na = 1", "line 1: unknown section [server]; there are [serve], [backend]");
    check("[web]\n[web.web]\n", "line 2: unknown key web in [web]");
    check("data = 'a'\ndata = 'b'", "line 2, column 1: duplicate key");
    check("data = [", "line 1");
    check("data = 5", "line 1: data: a number where a text in quotes can stand");
    check("node = 1.5", "a number that is not whole where a whole number can stand");
    check(
        "[[web]]",
        "line 1: [[web]] makes a list of sections, and there is one of each: write [web]",
    );
    check("rate_limits = 1", "rate_limits: a number where true or false can stand");
    check("peers = [1]", "a list of other things than texts where a text, or a list");
    check("data = { a = 1 }", "line 1: unknown section [data]");
    check("key = 'a'\nkey_file = 'b'", "line 2: key_file: /t.toml line 1: key is given too");
    check(&"[".repeat(60_000), "line 1");
    check(&format!("data = {}1{}", "[".repeat(10_000), "]".repeat(10_000)), "line 1");
    check(&format!("{} = 1", "k".repeat(60_000)), "unknown key kkk");
    check("\"a\\u001b[2J\\n\" = 1", "unknown key a\\u{1b}[2J\\n");
    let many: Vec<_> = (0..5_000).map(|n| format!("k{n} = 1")).collect();
    check(&many.join("\n"), "unknown key");
}

#[test]
fn things_that_are_no_files_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let check = |path: &std::path::Path, expected: &str| {
        let faults = file::ConfigFile::read(path, true).unwrap_err();
        assert!(faults[0].to_string().contains(expected), "{faults:?}");
    };
    let path = |name: &str| directory.path().join(name);
    check(directory.path(), "a directory, where a file should be");
    check(std::path::Path::new("/dev/zero"), "a device, where a file should be");
    check(&path("none"), "cannot read");
    assert_eq!(file::ConfigFile::read(&path("none"), false), Ok(file::ConfigFile::default()));

    let large = std::fs::File::create(path("large")).unwrap();
    large.set_len(1 << 30).unwrap();
    check(&path("large"), "larger than 65536 bytes");
    std::fs::write(path("latin"), b"data = 'a'\ncommunity = 'M\xfcnchen'").unwrap();
    check(&path("latin"), "line 2: not UTF-8");

    let fifo = path("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    check(&fifo, "a pipe, where a file should be");
}

#[test]
fn file_with_a_key_that_everybody_reads_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tern.toml");
    std::fs::write(&path, format!("key = '{DIGITS}'")).unwrap();
    let set = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    set(0o644);
    let faults = file::ConfigFile::read(&path, true).unwrap_err();
    assert!(faults[0].to_string().contains("run chmod o-rwx"), "{faults:?}");
    set(0o640);
    assert_eq!(file::ConfigFile::read(&path, true).unwrap().len(), 1);
}
