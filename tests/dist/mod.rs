//! What `make dist` gives away.
//!
//! - `package`: the Debian package, made of the program under test: what it holds, and what installing,
//!   upgrading and removing it does, in a layer over this machine's files that is thrown away.
//! - `foreign`: programs for other machines, run by an emulator through the main story.

mod foreign;
mod package;
