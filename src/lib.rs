#![doc = include_str!("ARCHITECTURE.md")]
#![cfg_attr(
    not(feature = "program"),
    allow(dead_code, unused_imports, reason = "what only the program asks for")
)]

pub mod action;
#[cfg(feature = "program")]
pub mod auth;
#[cfg(feature = "program")]
pub mod backend;
#[cfg(feature = "program")]
pub mod backup;
#[cfg(feature = "program")]
pub mod cli;
pub mod clock;
#[cfg(feature = "program")]
pub mod cluster;
#[cfg(all(feature = "program", any(test, fuzzing)))]
#[doc(hidden)]
pub mod fuzzing;
pub mod id;
#[cfg(feature = "program")]
pub mod index;
mod json;
pub mod limits;
pub mod metrics;
mod order;
#[cfg(feature = "program")]
pub mod picture;
mod recent;
pub mod replica;
pub mod store;
pub mod text;
pub mod thread;
#[cfg(feature = "program")]
pub mod transport;
pub mod user;
#[cfg(feature = "program")]
pub mod web;
#[cfg(feature = "program")]
pub mod wire;
