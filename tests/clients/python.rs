//! A Python of its own for these tests, and running what is in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::cluster::harness::eventually;

/// What is fetched, each in one version, and so is all that it needs.
const REQUIREMENTS: &str = include_str!("requirements.txt");
/// How long a program that ends by itself may take.
const END: Duration = Duration::from_mins(1);

/// Whether whoever runs the tests asked to leave these out.
pub(super) fn is_left_out() -> bool {
    let is_left_out = std::env::var_os("TERN_SKIP_CLIENTS").is_some_and(|value| value == "1");
    if is_left_out {
        println!("left out, TERN_SKIP_CLIENTS=1");
    }
    is_left_out
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients")
}

/// Makes it, unless it is there as it should be.
fn make() -> Result<(), String> {
    let (home, list) = (home(), home().join("requirements.txt"));
    if std::fs::read_to_string(&list).is_ok_and(|made| made == REQUIREMENTS) {
        return Ok(());
    }
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/requirements.txt");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let mut install = Command::new(home.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    run(install.arg("--requirement").arg(wanted))?;
    // Last: one that was broken off is made again.
    std::fs::write(list, REQUIREMENTS).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {said}")) }
}

/// A program of it, which knows nothing of the user who runs the tests.
pub(super) fn command(program: &str) -> Command {
    static MADE: OnceLock<Result<(), String>> = OnceLock::new();
    if let Err(why) = MADE.get_or_init(make) {
        panic!(
            "no Python with Mastodon.py and toot (Debian: apt-get install python3-venv; \
             TERN_SKIP_CLIENTS=1 leaves these tests out): {why}"
        );
    }
    let home = home();
    let mut command = Command::new(home.join("bin").join(program));
    command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join("nothing"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("BROWSER", "true");
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a program to its end, and gives what it said.
pub(super) fn output(command: &mut Command) -> String {
    let file = || tempfile::NamedTempFile::new().unwrap();
    let (out, error) = (file(), file());
    command.stdout(out.reopen().unwrap()).stderr(error.reopen().unwrap());
    let mut child = command.spawn().unwrap();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        eventually("a program's end", END, || child.try_wait().unwrap())
    }));
    let read = |file: &tempfile::NamedTempFile| std::fs::read_to_string(file.path()).unwrap();
    let Ok(status) = ended else {
        child.kill().and_then(|()| child.wait()).unwrap();
        panic!("{command:?} does not end: {}{}", read(&out), read(&error));
    };
    assert!(status.success(), "{command:?}: {}{}", read(&out), read(&error));
    read(&out)
}
