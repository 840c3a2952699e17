//! The pages as a browser meets them, with a backend that answers what a test tells it.

mod acts;
mod escaping;
mod fake;
mod keeping;
mod language;
mod markup;
mod pages;
mod sources;
