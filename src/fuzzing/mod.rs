//! What must hold for bytes from outside, whatever they are: one property a target.
//!
//! `make fuzz` runs each with bytes that a fuzzer makes up (`tests/fuzz`), and a test here runs each
//! over the corpus that is kept beside the targets. Both call the same functions, so the corpus and
//! the properties cannot come apart.
//!
//! Compiled for tests and with `--cfg fuzzing` alone, which `cargo fuzz` sets: no release holds it. It
//! is inside the library so that parsers which nobody outside needs stay closed to the outside.
//!
//! A property panics where it does not hold. It takes any bytes and ends soon: what is longer than
//! the limits allow is cut first, or must be refused.

mod body;
mod config;
mod person;
mod picture;
mod record;
mod site;
#[cfg(test)]
mod tests;

/// A property, and what it is called under `tests/fuzz`.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 12] = [
    ("head", site::head),
    ("form", site::form),
    ("parts", body::parts),
    ("params", body::params),
    ("cookie", site::cookie),
    ("next", site::next),
    ("text", person::text),
    ("username", person::username),
    ("line", record::line),
    ("frame", record::frame),
    ("config", config::config),
    ("picture", picture::picture),
];

/// Checks the property of this name.
///
/// # Panics
/// When it does not hold for `data`, or there is none of this name.
pub fn check(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let Some((_, property)) = found else { panic!("no target is called {name}") };
    property(data);
}
