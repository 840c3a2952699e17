//! The real program, as processes on loopback: what people see, and what becomes of what they wrote,
//! while machines die, freeze and come back.

mod browsing;
mod configure;
mod document;
mod failure;
pub(crate) mod files;
pub(crate) mod form;
pub(crate) mod harness;
mod hostile;
mod lines;
pub(crate) mod load;
mod marks;
mod memory;
mod metrics;
pub(crate) mod person;
mod pictures;
mod process;
mod running;
mod status;
pub(crate) mod story;
mod told;
