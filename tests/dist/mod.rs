//! What `make dist` gives away.
//!
//! - `package`: the Debian package, made of the program under test: what it holds, and what installing,
//!   upgrading and removing it does, in a layer over this machine's files that is thrown away.
//! - `foreign`: programs for other machines, run by an emulator through the main story.
//! - `board`: the same on a whole emulated board with little memory, by `make board` alone; `console`: a shell
//!   on such a machine.

mod board;
pub(crate) mod console;
pub(crate) mod foreign;
mod package;
