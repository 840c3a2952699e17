//! The statements about security that Tern is held to, one named test each.

mod output;
mod requests;
mod shared_cache;
mod wire;
