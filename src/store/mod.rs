//! The users' files on one machine's disk.

pub mod line;
pub mod scan;

#[cfg(test)]
mod tests;
