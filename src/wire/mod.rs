//! What processes say to each other; types and their bytes only, no socket.

mod api;
pub mod earlier;
mod envelope;
pub mod export;
mod house;
mod listen;
pub mod message;
pub mod operator;
mod poll;
pub mod request;
pub mod status;
pub mod upkeep;
