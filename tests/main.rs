//! Tests across modules, and of the program as a whole.

// Always so here; it tells the lints that helpers are tests too.
#[cfg(test)]
mod api;
#[cfg(test)]
mod backend;
#[cfg(test)]
mod backup;
#[cfg(test)]
#[path = "bench/kept.rs"]
mod bench;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dist;
#[cfg(test)]
mod door;
#[cfg(test)]
mod format;
#[cfg(test)]
mod install;
#[cfg(test)]
mod member;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod promise;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod security;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod torture;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod user;
#[cfg(test)]
mod web;
