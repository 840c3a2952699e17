//! The web server: pages rendered here, everything they tell asked of a backend.

pub mod cookie;
pub mod request;
pub mod response;
