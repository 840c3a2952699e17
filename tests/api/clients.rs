//! The library that most bots are written with, against a cluster of real processes. It is fetched from
//! PyPI into `target/`; where that cannot be reached, a line says that this was left out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::app::App;
use crate::cluster::harness::{Cluster, Options};

/// What is fetched, and in which version.
const PACKAGES: [&str; 1] = ["Mastodon.py==2.3.3"];

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(output) } else { Err(said) }
}

/// A Python with the packages in it, made once.
fn python() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let python = home.join("bin/python");
    let made = home.join(format!("made-{}", PACKAGES.join("-")));
    if !made.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(&python).args(install).args(PACKAGES))?;
        std::fs::write(made, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}

/// The example of `src/API.md`.
fn example() -> String {
    let page = include_str!("../../src/API.md");
    let (_, after) = page.split_once("```python\n").unwrap_or_default();
    after.split_once("```").map(|(code, _)| code.to_owned()).unwrap_or_default()
}

#[test]
fn bot_of_the_documentation_runs() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            let why = why.lines().last().unwrap_or_default().to_owned();
            println!("left out, no Python with Mastodon.py: {why}");
            return;
        }
    };
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let app = App::of(&cluster, &mut ada, "read write");
    let token = app.token.clone().unwrap_or_default();
    let code = example();
    assert!((8..=14).contains(&code.lines().count()), "{code}");
    let mut bot = Command::new(python);
    bot.args(["-c", &code]).env("TERN", cluster.address()).env("TOKEN", token);
    let output = run(&mut bot).unwrap_or_else(|error| panic!("{error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("Good morning"), "{said}");
    let posts = app.get("/api/v1/timelines/public");
    assert_eq!(posts.ids().len(), 1, "{posts:?}");
}
