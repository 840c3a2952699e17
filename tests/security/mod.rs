//! The statements of `src/SECURITY.md`, each shown by a test that bears its number: here those that need
//! the program as a whole, the others beside what they are about.

mod access;
mod audience;
mod cluster;
mod document;
mod forms;
mod founding;
mod hidden;
mod journal;
mod limits;
mod names;
mod naughty;
mod output;
mod parts;
mod passwords;
mod pictures;
mod requests;
pub(crate) mod sessions;
mod shared_cache;
mod taken_away;
mod text;
mod wire;
mod writes;
