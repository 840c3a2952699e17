//! The lock protocol's own code under every order of events that its surroundings allow.
//!
//! `replica/` is driven as it is; `step` and `coordinate` do around it what the shell does.

#[cfg(test)]
mod change;
#[cfg(test)]
mod config;
#[cfg(test)]
mod coordinate;
#[cfg(test)]
mod file;
#[cfg(test)]
mod history;
#[cfg(test)]
mod letter;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod model;
#[cfg(test)]
mod run;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod sound;
#[cfg(test)]
mod step;
#[cfg(test)]
mod world;
