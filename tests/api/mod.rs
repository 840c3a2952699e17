//! The client API as apps use it, against a cluster of real processes.

pub(crate) mod app;
mod paging;
mod sign_in;
mod statuses;
