//! Where the machines, the key and the site are, as the environment and the configuration file tell the
//! commands of an operator.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Ended;
use crate::cluster::harness::{Cluster, Options, PROGRAM};

/// Commands that ask a cluster; `{backup}` is a file that is not there yet.
const COMMANDS: [&[&str]; 8] = [
    &["cluster", "status"],
    &["user", "list", "--json"],
    &["user", "add", "{name}"],
    &["user", "signout", "ada"],
    &["invite", "list"],
    &["invite", "new"],
    &["backup", "create", "{backup}"],
    &["import", "{export}", "--as=mina", "--dry-run"],
];

/// A cluster that a directory of its own names, without its key.
struct Place {
    cluster: Cluster,
    directory: tempfile::TempDir,
    count: std::cell::Cell<usize>,
}

impl Place {
    fn new() -> Self {
        let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
        cluster.person("ada").join();
        let made = super::run_on(cluster.data(), &["user", "admin", "ada"], "");
        assert_eq!(made.code, Some(0), "{made:?}");
        let directory = tempfile::tempdir().unwrap();
        let place = Self { cluster, directory, count: std::cell::Cell::new(0) };
        std::fs::create_dir(place.data()).unwrap();
        let node = place.cluster.node_data(1).join("node.json");
        std::fs::copy(node, place.data().join("node.json")).unwrap();
        std::fs::write(
            place.path("tern.json"),
            "{\"tern_export\":1,\"profile\":{\"username\":\"ada\",\"display_name\":\"Ada\",\"bio\":\"\",\
             \"joined_at\":\"2020-01-01T00:00:00.000Z\"},\"posts\":[]}",
        )
        .unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn key_file(&self) -> PathBuf {
        self.cluster.data().join("cluster.key")
    }

    fn run(&self, args: &[&str], exported: &[(&str, &str)]) -> Ended {
        self.count.set(self.count.get() + 1);
        let fill = |arg: &&str| {
            arg.replace("{name}", &format!("member_{}", self.count.get()))
                .replace("{backup}", &text(&self.path(&format!("{}.tar", self.count.get()))))
                .replace("{export}", &text(&self.path("tern.json")))
        };
        let mut command = Command::new(PROGRAM);
        command.args(args.iter().map(fill)).env("TERN_CONFIG", "").stdin(Stdio::null());
        let done = command.envs(exported.iter().copied()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
    }

    /// Each command ends so.
    #[track_caller]
    fn check(&self, exported: &[(&str, &str)], code: i32, words: &str) {
        for args in COMMANDS {
            let ended = self.run(args, exported);
            assert_eq!(ended.code, Some(code), "{args:?} {exported:?}: {ended:?}");
            assert!(ended.err.contains(words), "{args:?} {exported:?}: {ended:?}");
        }
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn environment_tells_operators_commands_where_machines_and_key_are() {
    let place = Place::new();
    let (data, key_file) = (text(&place.data()), text(&place.key_file()));
    let key = std::fs::read_to_string(&key_file).unwrap();
    let secret = key.lines().last().unwrap().trim();
    let here = ("TERN_DATA", data.as_str());
    place.check(&[here], 2, "no cluster key");
    place.check(&[here, ("TERN_KEY_FILE", &key_file)], 0, "");
    place.check(&[here, ("TERN_KEY", secret)], 0, "");
    place.check(&[here, ("TERN_KEY", secret), ("TERN_KEY_FILE", &key_file)], 2, "TERN_KEY");
    place.check(&[here, ("TERN_KEY", secret), ("TERN_LOG", "loud")], 2, "TERN_LOG=loud");
    place.check(
        &[here, ("TERN_KEY", secret), ("TERN_LOG_FORMAT", "xml")],
        2,
        "TERN_LOG_FORMAT=xml",
    );
    for args in COMMANDS {
        let wrong = place.run(args, &[here, ("TERN_KEY", "not the secret")]);
        assert_eq!(wrong.code, Some(2), "{args:?}: {wrong:?}");
        assert!(!wrong.err.contains("not the secret") && !wrong.err.contains(secret), "{wrong:?}");
    }
    // What is typed holds before what is exported.
    let file = format!("--key-file={key_file}");
    let ended = place.run(&["user", "list", &file], &[here, ("TERN_KEY", "not the secret")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // A file that the environment names.
    let config = place.path("tern.toml");
    std::fs::write(&config, format!("data = '{data}'\nkey_file = '{key_file}'\n")).unwrap();
    place.check(&[("TERN_CONFIG", &text(&config))], 0, "");
    // A directory is looked at where it is named, by nobody's environment.
    let checked = place.run(&["check", &data], &[("TERN_DATA", "/nowhere"), ("TERN_KEY", secret)]);
    assert!(!checked.err.contains("/nowhere") && !checked.out.contains("/nowhere"), "{checked:?}");
}

#[test]
fn operator_says_where_to_sign_in_if_anything_tells() {
    let place = Place::new();
    let (data, key_file) = (text(&place.data()), text(&place.key_file()));
    let here = [("TERN_DATA", data.as_str()), ("TERN_KEY_FILE", key_file.as_str())];
    let unknown = "its address is not known here: --origin=URL says it";
    for args in [&["user", "add", "{name}"][..], &["user", "passwd", "ada"]] {
        let ended = place.run(args, &here);
        assert!(ended.code == Some(0) && ended.out.contains(unknown), "{ended:?}");
    }
    let config = place.path("tern.toml");
    for head in ["", "[serve]\n", "[web]\n", "exported"] {
        let is_exported = head == "exported";
        let line = format!("{head}origin = 'https://tern.example'\n");
        std::fs::write(&config, if is_exported { "" } else { &line }).unwrap();
        let site = ("TERN_ORIGIN", if is_exported { "https://tern.example" } else { "" });
        let exported = [here[0], here[1], ("TERN_CONFIG", config.to_str().unwrap()), site];
        let made = place.run(&["user", "add", "{name}"], &exported);
        assert_eq!(made.told("sign in at: "), "https://tern.example/login", "{head}");
        let made = place.run(&["user", "add", "{name}", "--json"], &exported).json();
        assert_eq!(made["sign_in"], "https://tern.example/login", "{made}");
        let link = place.run(&["user", "passwd", "ada"], &exported);
        assert!(
            link.told("link: ").starts_with("https://tern.example/reset?link=ada."),
            "{link:?}"
        );
    }
    // What everybody sees is no password, whoever gives it.
    let add = ["user", "add", "cleo", "--password-stdin", "--origin=https://lindenhof.example"];
    let key = format!("--key-file={key_file}");
    let args = [&add[..], &[&key]].concat();
    super::run_on(&place.data(), &args, "Lindenhof 2026\n").check_refused(2, "the site's address");
    let made = super::run_on(&place.data(), &args, "hen under the oak\n");
    assert!(!made.out.contains("hen"), "{made:?}");
    assert_eq!(made.told("sign in at: "), "https://lindenhof.example/login");
}
