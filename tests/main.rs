//! Tests across modules.

fn main() {}
