#![doc = include_str!("ARCHITECTURE.md")]

pub mod action;
pub mod auth;
pub mod backend;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod cluster;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod id;
pub mod index;
mod json;
pub mod limits;
pub mod metrics;
mod order;
pub mod picture;
pub mod replica;
pub mod store;
pub mod text;
pub mod thread;
pub mod transport;
pub mod user;
pub mod web;
pub mod wire;
