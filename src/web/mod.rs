//! The web server: pages rendered here, everything they tell asked of a backend.

pub mod backends;
pub mod cookie;
pub mod gate;
pub mod origin;
pub mod request;
pub mod response;
pub mod server;
