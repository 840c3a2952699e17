//! `README.md` and `src/CONFIGURE.md`: every command in their boxes, typed beside a cluster that runs; and that
//! every box of every document is typed by some test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::harness::{Cluster, Options, PROGRAM};

const README: &str = include_str!("../../README.md");
const CONFIGURE: &str = include_str!("../../src/CONFIGURE.md");

/// Each document with commands, and the test that types them all.
const TYPED: [(&str, &str); 6] = [
    ("README.md", "tests/cluster/document.rs"),
    ("db/FORMAT.md", "tests/format/document.rs"),
    ("src/CONFIGURE.md", "tests/cluster/document.rs"),
    ("src/INSTALL.md", "tests/install/document.rs"),
    ("src/KEEPER.md", "tests/user/guide.rs"),
    ("src/RUN.md", "tests/backup/run.rs"),
];

/// The data directory of the documents.
const DATA: &str = "/var/lib/tern";

/// The boxes of a kind, in order.
fn boxes<'a>(document: &'a str, kind: &str) -> Vec<&'a str> {
    let open = format!("```{kind}\n");
    document.split(open.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// What is typed: lines that go on are one, and what is said beside them is left out.
fn commands(document: &str) -> Vec<String> {
    let whole = boxes(document, "sh").concat().replace("\\\n", "");
    let lines = whole.lines().map(|line| line.split("  #").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Where commands are typed.
struct Desk {
    directory: tempfile::TempDir,
    cluster: Cluster,
}

impl Desk {
    fn new() -> Self {
        let cluster = Cluster::start(Options::default());
        let directory = tempfile::tempdir().unwrap();
        let here = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(here("target/release")).unwrap();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, here(name)).unwrap();
        link(Path::new(PROGRAM), "tern");
        link(Path::new(PROGRAM), "target/release/tern");
        link(cluster.data(), "db");
        link(&cluster.data().join("cluster.key"), "cluster.key");
        let taken = "{\"tern_export\":1,\"profile\":{\"username\":\"cleo\",\"display_name\":\"Cleo\",\
                     \"bio\":\"\",\"joined_at\":\"2020-01-01T00:00:00.000Z\"},\"posts\":[]}";
        std::fs::write(here("tern.json"), taken).unwrap();
        Self { directory, cluster }
    }

    /// What a line prints; it must have been done.
    fn typed(&self, line: &str, config: &str) -> String {
        let here = self.directory.path();
        let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(here).env("PATH", path).stdin(Stdio::null());
        let done = command.env("TERN_CONFIG", config).output().unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{line}\n{out}{}", String::from_utf8_lossy(&done.stderr));
        out
    }

    /// Types a line of the README, or what comes as near to it as a test may.
    fn readme(&self, line: &str) {
        let line = line.replace(DATA, "db");
        match line.split(' ').next().unwrap() {
            "make" => {
                let root = env!("CARGO_MANIFEST_DIR");
                self.typed(&line.replace("make ", &format!("make -n -C {root} ")), "");
            }
            "kill" => {
                let (_, number) = line.rsplit_once(' ').unwrap();
                assert!(README.contains(&format!("backend 2 pid={number} ")), "{line}");
                let old = self.cluster.kill(2, Signal::KILL);
                self.cluster.wait_restarted(2, old);
                self.cluster.wait_in_step();
            }
            "jq" if Command::new("jq").arg("--version").output().is_err() => {
                println!("not typed, there is no jq: {line}");
            }
            "tern" if ["tern backend ", "tern web "].iter().any(|run| line.starts_with(run)) => {
                // It would run for ever: whether it could be started.
                let line = line.replace("--data=db", "--data=db/node-1");
                self.typed(&line.replacen("tern ", "tern config check ", 1), "");
            }
            // Who types it is asked.
            "tern" if line.starts_with("tern user delete") => {
                self.typed(&format!("{line} --yes"), "");
            }
            "tern" | "target/release/tern" | "cat" | "jq" => {
                self.typed(&line, "");
            }
            _ => panic!("nobody knows how to type {line}"),
        }
    }
}

#[test]
fn readme_is_typed_from_top_to_bottom() {
    let desk = Desk::new();
    let mut ada = desk.cluster.person("ada");
    ada.join();
    assert_eq!(ada.post("Tea at four.").status, 303);
    desk.cluster.wait_in_step();
    super::files::wait_for_agreement(&desk.cluster);
    let commands = commands(README);
    for line in &commands {
        desk.readme(line);
    }
    assert!(commands.len() >= 15, "the page has lost its commands: {commands:?}");
    let posts = desk.typed("cat db/node-1/users/ada.jsonl", "");
    assert!(posts.contains("Tea at four."), "{posts}");
}

#[test]
fn page_on_configuring_is_typed_with_the_file_that_it_shows() {
    let desk = Desk::new();
    let [file] = boxes(CONFIGURE, "toml")[..] else { panic!("one file") };
    let config = desk.directory.path().join("tern.toml");
    let file = file.replace("/etc/tern/cluster.key", "cluster.key");
    std::fs::write(&config, file.replace(DATA, desk.directory.path().to_str().unwrap())).unwrap();
    let config = config.to_str().unwrap();
    let commands = commands(CONFIGURE);
    assert_eq!(commands.len(), 3, "{commands:?}");
    for line in &commands {
        let said = desk.typed(line, config);
        if line.contains("show") {
            assert!(said.contains("https://tern.example.org") && said.contains("line "), "{said}");
        }
    }
}

/// All documents, as named from the top.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    let mut left = vec![root.join("src"), root.join("db"), root.join("tests")];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            // What a cluster left in `db` is none.
            if path.is_dir() && path.file_name().is_none_or(|name| name != "users") {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_command_of_every_document_is_typed_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut with_commands = BTreeSet::new();
    for path in documents() {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        // Every other part between fences is a box, which begins with its kind.
        for inside in text.split("```").skip(1).step_by(2) {
            let (kind, lines) = inside.split_once('\n').unwrap_or((inside, ""));
            if kind == "sh" {
                with_commands.insert(name.clone());
                continue;
            }
            let is_typed = |line: &str| {
                ["tern ", "make ", "sudo ", "systemctl ", "$ "]
                    .iter()
                    .any(|word| line.starts_with(word))
            };
            let typed = lines.lines().find(|line| is_typed(line));
            assert_eq!(typed, None, "{name}: a command in a box of {kind:?}");
        }
    }
    let typed: BTreeSet<_> = TYPED.iter().map(|(document, _)| (*document).to_owned()).collect();
    assert_eq!(with_commands, typed, "documents with commands, and those that tests type");
    for (document, test) in TYPED {
        let source = std::fs::read_to_string(root.join(test)).unwrap();
        assert!(
            source.contains(&format!("include_str!(\"../../{document}\")")),
            "{test}: {document}"
        );
    }
}
