//! The supervisor over shell scripts that behave as children may, and the command lines it makes.

use std::fs;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::*;
use crate::cli::config::{Config, HostPort, Key, typed};
use crate::clock::{Mono, Wall};
use crate::limits::CHILD_RESTART_MS;

/// Runs until its standard input ends, whatever SIGTERM says.
const PATIENT: &str = "trap '' TERM; cat";
/// Longer than any of this takes; reached only when something is wrong.
const LONG: Duration = Duration::from_secs(20);

fn script(role: Role, text: &str) -> ChildSpec {
    let args = vec!["-c".into(), text.into()];
    ChildSpec::new(Path::new("/bin/sh"), role, args, "address=a".to_owned())
}

fn node(number: u16) -> Role {
    Role::Backend(NodeId::new(number).unwrap())
}

/// The process id in a line such as `backend 1 pid=42 address=a`.
fn pid(line: &str) -> Pid {
    let pid = line.split(' ').find_map(|word| word.strip_prefix("pid=")).expect(line);
    Pid::from_raw(pid.parse().expect(line)).expect(line)
}

/// A supervisor of `specs` at work while `test` runs; what it ended with, watching and stopping.
struct Fixture {
    clock: Clock,
    stop: Stop,
    ready: Stop,
    force: Stop,
    lines: Receiver<String>,
}

impl Fixture {
    fn line(&self) -> String {
        self.lines.recv_timeout(LONG).expect("a line")
    }

    fn no_line_for(&self, ms: u64) {
        let heard = self.lines.recv_timeout(Duration::from_millis(ms));
        assert_eq!(heard, Err(RecvTimeoutError::Timeout));
    }
}

/// Closes its flag when dropped.
struct Stopping<'a>(&'a Stop);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn supervised(
    specs: Vec<ChildSpec>,
    no_restart: bool,
    test: impl FnOnce(&Fixture),
) -> (Result<(), RunClusterError>, Result<(), RunClusterError>) {
    let (sender, lines) = bounded(64);
    let clock = Clock::manual(Mono(1), Wall(0));
    let fixture =
        Fixture { clock, stop: Stop::new(), ready: Stop::new(), force: Stop::new(), lines };
    std::thread::scope(|scope| {
        let worker = spawn_named(scope, "supervisor", |_permit| {
            let tell = move |line: &str| sender.send(line.to_owned()).unwrap();
            let mut supervisor = Supervisor::new(specs, no_restart, fixture.clock.clone(), &tell);
            supervisor.start_all();
            let watched = supervisor.watch(&fixture.stop, &fixture.ready);
            (watched, supervisor.stop_all(&fixture.force))
        });
        // Also a test that fails ends the supervisor.
        let stopping = Stopping(&fixture.stop);
        test(&fixture);
        drop(stopping);
        worker.unwrap().join().unwrap()
    })
}

#[test]
fn child_killed_started_again_after_pause() {
    let (watched, stopped) = supervised(vec![script(node(1), PATIENT)], false, |cluster| {
        let first = cluster.line();
        assert!(first.starts_with("backend 1 pid=") && first.ends_with(" address=a"), "{first}");
        kill_process(pid(&first), Signal::KILL).unwrap();
        cluster.no_line_for(300);
        cluster.clock.set(Mono(2 + CHILD_RESTART_MS), Wall(0));
        let second = cluster.line();
        assert_ne!(pid(&first), pid(&second));
    });
    watched.unwrap();
    stopped.unwrap();
}

#[test]
fn child_killed_left_when_asked_so() {
    let (watched, _) = supervised(vec![script(node(1), PATIENT)], true, |cluster| {
        kill_process(pid(&cluster.line()), Signal::KILL).unwrap();
        cluster.no_line_for(200);
        cluster.clock.set(Mono(2 + 2 * CHILD_RESTART_MS), Wall(0));
        cluster.no_line_for(200);
    });
    watched.unwrap();
}

#[test]
fn refusal_of_majority_before_ready_ends_watch() {
    for (code, text) in [(2, "exit 2"), (3, "exit 3")] {
        let specs = vec![script(node(1), text), script(Role::Web, PATIENT)];
        let (watched, stopped) = supervised(specs, false, |cluster| {
            // The watch ends by itself; the lines end with it.
            while cluster.lines.recv_timeout(LONG).is_ok() {}
        });
        let error = watched.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with("backend 1 cannot be used as it is"), "{error}");
        stopped.unwrap();
    }
}

#[test]
fn refusal_of_minority_or_after_ready_is_borne() {
    let three =
        || vec![script(node(1), "exit 3"), script(node(2), PATIENT), script(node(3), PATIENT)];
    let web = script(Role::Web, PATIENT);
    let specs = three().into_iter().chain([web.clone()]).collect();
    let (watched, _) = supervised(specs, false, |cluster| {
        for _start in 0..4 {
            cluster.line();
        }
        // Were it started again, it would be now.
        cluster.no_line_for(200);
        cluster.clock.set(Mono(2 + CHILD_RESTART_MS), Wall(0));
        cluster.no_line_for(200);
    });
    watched.unwrap();

    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let refuses = "trap 'exit 2' TERM; echo up > LOG; while :; do sleep 0.02; done";
    let refuses = refuses.replace("LOG", &log.display().to_string());
    let (watched, _) = supervised(vec![script(node(1), &refuses), web], false, |cluster| {
        let (backend, _web) = (cluster.line(), cluster.line());
        wait_for_notes(&log, 1);
        cluster.ready.close();
        kill_process(pid(&backend), Signal::TERM).unwrap();
        cluster.no_line_for(200);
        cluster.clock.set(Mono(2 + CHILD_RESTART_MS), Wall(0));
        cluster.no_line_for(200);
    });
    watched.unwrap();
}

/// Waits until this many scripts have noted that they are deaf to SIGTERM by now.
fn wait_for_notes(path: &Path, count: usize) {
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(20_000);
    while fs::read_to_string(path).map_or(0, |text| text.lines().count()) < count {
        assert!(clock.mono() < deadline, "the scripts do not start");
        std::thread::yield_now();
    }
}

#[test]
fn stop_ends_web_before_backends() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let path = log.display();
    let deaf = |name| format!("trap '' TERM; echo up >> {path}; cat; echo {name} >> {path}");
    let specs = vec![
        script(node(1), &deaf("backend")),
        script(node(2), &deaf("backend")),
        script(Role::Web, &deaf("web")),
    ];
    let (_, stopped) = supervised(specs, false, |_cluster| wait_for_notes(&log, 3));
    stopped.unwrap();
    assert_eq!(fs::read_to_string(log).unwrap(), "up\nup\nup\nweb\nbackend\nbackend\n");
}

#[test]
fn hanging_child_killed_at_second_signal() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let deaf = format!("trap '' TERM; echo up > {}; exec sleep 60", log.display());
    let mut child = None;
    let (_, stopped) = supervised(vec![script(Role::Web, &deaf)], false, |cluster| {
        child = Some(pid(&cluster.line()));
        wait_for_notes(&log, 1);
        cluster.force.close();
    });
    assert!(matches!(stopped, Err(RunClusterError::Forced)));
    assert!(test_kill_process(child.unwrap()).is_err());
}

#[test]
fn program_missing_tried_again_not_told() {
    let spec = ChildSpec::new(Path::new("/nowhere/tern"), Role::Web, Vec::new(), String::new());
    let (watched, stopped) = supervised(vec![spec], false, |cluster| {
        cluster.no_line_for(200);
        cluster.clock.set(Mono(2 + CHILD_RESTART_MS), Wall(0));
        cluster.no_line_for(200);
    });
    watched.unwrap();
    stopped.unwrap();
}

/// What a child makes of its command line.
fn understood(spec: &ChildSpec) -> Config {
    let words = ["tern".into()].into_iter().chain(spec.args().iter().cloned());
    typed(words).unwrap()
}

#[test]
fn command_lines_of_children_understood_by_them() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("db");
    let line = ["tern", "run-cluster", "--community=Fen Lane", "--insecure-http"];
    let more = ["--origin=http://apple.lan:8080", "--trusted-proxies=127.0.0.1,::1"];
    let more = [&more[..], &["--metrics=127.0.0.1:9100", "--log=debug"]].concat();
    let words = line.into_iter().chain(more).map(OsString::from);
    let words = words.chain([option("--data=", &data)]);
    let Config::RunCluster(cluster) = typed(words).unwrap() else { panic!("a cluster") };
    let web = HostPort { host: "127.0.0.1".to_owned(), port: 8080 };
    let ports = Ports { web: web.clone(), backends: vec![7001, 7002, 7003] };
    let key_file = data.join("cluster.key");
    let machines = [1, 2, 3].map(|number| NodeId::new(number).unwrap());
    let nodes = nodes(&machines, &ports);
    let specs = specs(&cluster, (&nodes, &ports), &key_file, Path::new("tern")).unwrap();
    assert_eq!(specs.len(), 4);

    let Config::Backend(second) = understood(&specs[1]) else { panic!("a backend") };
    assert_eq!(second.node, NodeId::new(2).unwrap());
    assert_eq!(second.listen.to_string(), "127.0.0.1:7002");
    assert_eq!(second.metrics.unwrap().to_string(), "127.0.0.1:9102");
    assert!(specs[1].args().contains(&"--log=debug".into()));
    assert_eq!(second.peers.len(), 3);
    assert_eq!(second.data, data.join("node-2"));
    assert!(second.data.is_dir());
    assert_eq!(second.key, Key::File(key_file.clone()));
    assert_eq!((second.name.as_str(), second.community.as_str()), ("machine 2", "Fen Lane"));
    assert!(!second.rate_limits && second.stop_with_parent);

    let Config::Web(server) = understood(&specs[3]) else { panic!("a web server") };
    assert_eq!(server.listen, web);
    assert_eq!(server.backends.len(), 3);
    assert_eq!(server.site, cluster.site);
    assert_eq!(server.key, Key::File(key_file));
    assert!(server.stop_with_parent);
}
