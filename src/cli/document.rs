//! The documents that are made from tables of the code. They stand in the repository to be read there,
//! and are tested to be what the code makes; with `TERN_WRITE_DOCUMENTS=1` the test writes them.

use std::fmt::Write as _;
use std::path::Path;

use super::config::setting::{self, Kind, Role, SETTINGS, Setting};

/// A document, and what the code makes of it.
fn check(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name);
    if std::env::var_os("TERN_WRITE_DOCUMENTS").is_some_and(|value| value == "1") {
        std::fs::write(&path, made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(made.lines()).position(|(found, made)| found != made);
    assert!(
        found == made,
        "src/{name} is not what the code makes (first difference on line {:?}): run \
         TERN_WRITE_DOCUMENTS=1 cargo test --lib document",
        differs.map(|at| at + 1)
    );
}

#[test]
fn configure_is_what_the_code_makes() {
    check("CONFIGURE.md", &configure());
}

const CONFIGURE_HEAD: &str = "\
# How Tern is configured

A setting has one value. Where it stands in several places, the later of these holds:

1. its default,
2. the configuration file: `/etc/tern/tern.toml`, or the one that `--config=FILE` or `TERN_CONFIG` names
   (an empty name stands for no file),
3. the environment: `TERN_…` (a variable without text says nothing),
4. the command line.

Nothing that is set in the web pages changes any of them.

```sh
tern config check            # what is wrong, if anything: exit code 0 or 2
tern config check backend    # also whether `tern backend` could be started with it
tern config show web         # each value of `tern web`, and where it stands; secrets as ***
```

Both take `--json`, and the flags that the command would be given.

The file is TOML, at most 64 KiB. A key at the top is for every command that has it; under the name of a
command in brackets it is for that command alone, and holds before one at the top. `tern run-cluster`, which
is for trying, takes only what stands under `[run-cluster]`. An unknown key is an error, so that none is
misspelt for long.

```toml
data = \"/var/lib/tern\"
key_file = \"/etc/tern/cluster.key\"
community = \"Fen Lane\"

[backend]
node = 1
listen = \"192.168.1.21:7001\"

[web]
listen = \"127.0.0.1:8080\"
backends = [\"192.168.1.21:7001\", \"192.168.1.22:7001\", \"192.168.1.23:7001\"]
origin = \"https://tern.example.org\"
trusted_proxies = [\"127.0.0.1\"]
```

Switches are `true` or `false`, or `\"on\"` or `\"off\"` as elsewhere. A list is a list of texts, or one text with
commas. The key is a secret: it stands in a file of its own, which `key_file`, `TERN_KEY_FILE` or `--key-file`
names, or is the value of `key` or `TERN_KEY` itself; never on a command line, which others can see. A
configuration file that holds it must not be readable for everybody.

`tern cluster …`, `tern user …` and the like take where the data and the key are as `tern backend` does, or else the
data as `tern serve` does, and the settings of the log.

";

fn configure() -> String {
    let mut text = CONFIGURE_HEAD.to_owned();
    text.push_str(
        "| Flag | In the file | In the environment | Default | Commands | What it is |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    for setting in &SETTINGS {
        row(&mut text, setting);
    }
    text.push_str(CONFIGURE_FOOT);
    text
}

fn row(text: &mut String, setting: &Setting) {
    let (flag, key, variable) = (setting.flag(), setting.key(), setting.variable());
    let flag = match setting.kind {
        Kind::Flag => format!("`--{flag}`"),
        _ => format!("`--{flag}={}`", setting.value),
    };
    let (key, variable) = match setting.kind {
        Kind::Secret => {
            (format!("`{key}_file`, `{key}`"), format!("`{variable}_FILE`, `{variable}`"))
        }
        _ => (format!("`{key}`"), format!("`{variable}`")),
    };
    let default =
        setting.default_words().map_or("needed".to_owned(), |words| match setting.unset {
            setting::Unset::Is(_) => format!("`{words}`"),
            _ => words.to_owned(),
        });
    let roles: Vec<_> = setting.roles.iter().map(|role| role.name()).collect();
    let roles = if roles.len() == Role::ALL.len() { "all".to_owned() } else { roles.join(", ") };
    let help = setting.help;
    writeln!(
        text,
        "| {} | {key} | {variable} | {default} | {roles} | {help} |",
        flag.replace('|', "\\|")
    )
    .unwrap();
}

const CONFIGURE_FOOT: &str = "\nMachines with their numbers: `peers = [\"1=192.168.1.21:7001\", \"2=192.168.1.22:7001\"]`. Each address is one\n\
at which the others reach that machine, so never `0.0.0.0`; and `metrics` has another port than `listen`.\n";

#[test]
fn example_of_the_document_is_a_configuration() {
    let example = CONFIGURE_HEAD.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = super::config::file::ConfigFile::parse(Path::new("/t.toml"), example).unwrap();
    let typed = super::config::layers::Typed::default();
    let layers =
        super::config::layers::Layers { file: &file, environment: &|_| None, typed: &typed };
    for role in [Role::Backend, Role::Web] {
        super::config::check(&layers.resolve(role).unwrap()).unwrap();
    }
}

#[test]
fn watch_is_what_the_code_makes() {
    check("WATCH.md", &watch());
}

const WATCH_HEAD: &str = "\
# How Tern is watched

| Ask | And hear |
|---|---|
| `/healthz` | 200 while the web server answers |
| `/readyz` | 200 while pages can be shown; the text says whether writes would be saved, and how many files of pictures a machine lacks |
| `/readyz?writes=1` | the same as a status: 503 while nothing can be saved |
| `tern health` | the same as an exit code, 0 or 1; with `--writes` also whether writes would be saved |
| `tern cluster status` | how each machine is; exit code 4 while nothing can be saved |
| `/metrics` | numbers for Prometheus, below |

## The log

One line an event, on standard error: `log_format` makes them logfmt or JSON objects of the same fields, `log` says
how many.

```text
time=2026-11-29T20:57:31.513Z level=info msg=\"compared with peers\" users=115 learned=0 failed=0 ms=240
{\"time\":\"2026-11-29T20:57:31.513Z\",\"level\":\"info\",\"msg\":\"compared with peers\",\"users\":115,\"learned\":0,\"failed\":0,\"ms\":240}
```

`msg` is one of a fixed set of phrases; what differs from line to line stands in the fields behind it. In logfmt
all but letters and visible ASCII without space, `=`, `\"` and `\\` stands in quotes. What could forge or break a line
is escaped as in JSON (`\\n`, `\\u202e`), so every line can be read whole: `jq 'select(.level == \"error\")'`, Loki's
`| logfmt`. The system's journal is told no `time` in logfmt, for it has its own, and finds what is grave
by `journalctl -p warning`. A line has at most 4 KiB; one that
had more to say ends with `cut=true`. Each request has a number, which an error's page shows and its lines bear as
`request`; `client` is the address that it came from, `user` whose account it is about, `node` and `peer` are
machines by their numbers, `backend` is the address of one that a web server asks. `disk slow` tells, once a minute at most, that writes with their flush took a second or longer,
how many and the longest: look there first when people are told that nobody knows whether something is saved.
Why a process ended by itself, or did not start, is the last line: as JSON an object like the others, with `msg` `ended`
and the reason in `error`; in logfmt a sentence behind `tern: `, as every command says it. So is what is wrong with the
configuration, in either, for it says how the log is to be written. Passwords, tokens and texts of posts are never in it.

## A service

[packaging/tern.service](packaging/tern.service) runs it under systemd. `Type=notify`: it is ready when pages can be
read. The watchdog is fed each time the process has answered a question from outside: a web server to
`/healthz`, `tern serve` to `/readyz`, a backend to a web server's question; also when it said that too many connections
are open, which a restart would not mend. SIGTERM and SIGINT stop it within 10
seconds, a second one at once. SIGHUP (`systemctl reload tern`) reads the configuration file again: `log` and
`log_format` change at once, of every other setting the log says that it needs a restart; a file that cannot be
used changes nothing. Exit codes: 0 done, 1 failed while running, or for want of room on a disk (then systemd tries
again), 2 wrong use or configuration, 3 data directory unusable; commands that ask running machines also have 4 not enough machines, 5 a backup made without pictures that
no machine has any more, and 75 try again.

## Numbers

`metrics` (`--metrics=127.0.0.1:9100`, off unless it is set) is where a process tells its numbers, at
`/metrics`, in Prometheus' text format. It takes an address of this machine alone and is never the one that
browsers use. A web server and a backend each tell what they know; `tern serve` tells both. With
`tern run-cluster` the web server has the address that was given, and backend N the port N higher.

```yaml
scrape_configs:
  - job_name: tern
    static_configs:
      - targets: [\"127.0.0.1:9100\"]
```

All but gauges count from the start of the process. No label holds the name of a user; `route` and `code` are
among those that the program has, `node` is a machine's number.

";

fn watch() -> String {
    let mut text = WATCH_HEAD.to_owned();
    text.push_str("| Name | Kind | Who knows it | What it says | What a bad value looks like |\n");
    text.push_str("|---|---|---|---|---|\n");
    for metric in &crate::metrics::table::METRICS {
        let labels = match metric.labels {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        let (name, kind, side) = (metric.name, metric.kind.name(), metric.side.name());
        let (help, bad) = (metric.help, metric.bad);
        writeln!(text, "| `{name}{labels}` | {kind} | {side} | {help} | {bad} |").unwrap();
    }
    text
}
