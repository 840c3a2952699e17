#![doc = include_str!("ARCHITECTURE.md")]

pub mod action;
pub mod auth;
pub mod backend;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod id;
pub mod index;
pub mod limits;
pub mod replica;
pub mod store;
pub mod thread;
pub mod transport;
pub mod user;
pub mod web;
pub mod wire;
