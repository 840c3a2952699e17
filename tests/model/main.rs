//! The lock protocol's own code under every order of events that its surroundings allow.
#![cfg(test)]

mod history;
