//! Command lines against the values they become, or what their operator is told.

use std::ffi::OsString;

use super::*;
use crate::cli::args;

/// `line` without the program's name; a `+` stands for a space inside a value.
fn config(line: &str) -> Result<Config, ConfigError> {
    let words = ["tern"].into_iter().chain(line.split_whitespace());
    let args = words.map(|word| OsString::from(word.replace('+', " ")));
    check(args::parse(args).expect(line))
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
        site: Site {
            origin: None,
            insecure_http: false,
            trusted_proxies: Vec::new(),
            community: "Tern".to_owned(),
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
        key_file: PathBuf::from("k"),
        name: "birch".to_owned(),
        community: "Fen Lane".to_owned(),
        rate_limits: false,
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
