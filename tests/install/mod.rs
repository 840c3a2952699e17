//! The way from a bare Debian to a community, as `src/INSTALL.md` has it.
//!
//! - `document`: the page as blocks of commands; `story`: types them.
//! - `machine`: machines that are namespaces of this one, with a network of their own that can be unplugged;
//!   `rehearsal`: the page on them.
//! - `curl`: somebody at a browser that heeds certificates and the rules for cookies.
//! - `proxy`: nginx and Caddy in front, as the snippets in `src/packaging` have it.
//! - `boot`: the page under systemd, on an emulated machine, by `make boot` alone.
//! - `trouble`: what the page says that Tern says; `unit`: the units for systemd.

mod boot;
mod curl;
mod document;
pub(crate) mod machine;
mod proxy;
mod rehearsal;
mod story;
mod trouble;
mod unit;

use std::process::Command;

/// Whether a program is installed; says so if it is not.
fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output().unwrap();
    if !found.status.success() {
        println!("left out: {program} is not installed");
    }
    found.status.success()
}
