//! The client API as apps use it, against a cluster of real processes.

pub(crate) mod app;
mod context;
mod contract;
mod ended;
mod fields;
mod found;
pub(crate) mod media;
mod news;
mod paging;
mod polls;
mod privacy;
mod report;
mod reposts;
mod sensitive;
mod sign_in;
mod statuses;
pub(crate) mod table;
mod threads;
mod tiers;
