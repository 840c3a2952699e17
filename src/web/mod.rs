//! The web server: pages rendered here, everything they tell asked of a backend.

pub(crate) mod api;
mod app_head;
pub mod ask;
mod away;
pub mod backends;
mod coding;
pub mod cookie;
pub mod csrf;
mod export;
mod first;
pub mod form;
pub mod gate;
pub mod handler;
mod label;
pub mod making;
pub mod marker;
mod multipart;
pub mod origin;
pub(crate) mod page;
pub mod request;
pub mod response;
pub mod route;
pub mod run;
pub mod server;
pub mod session;
pub mod words;
mod written;
