//! Tests across modules.

// Always so here; it tells the lints that helpers are tests too.
#[cfg(test)]
mod browser;

fn main() {}
