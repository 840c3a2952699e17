//! The pages as a browser meets them, with a backend that answers what a test tells it.

mod acts;
mod audience;
mod comfort;
mod drawn;
mod escaping;
mod fake;
mod feeds;
mod find;
mod fitting;
mod keeping;
mod kept;
mod language;
mod link;
mod marks;
mod markup;
#[path = "../../../../tests/security/naughty.rs"]
mod naughty;
mod pages;
mod pictures;
mod polls;
mod sources;
mod taken;
mod threads;
mod ways;
