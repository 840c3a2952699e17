//! Pages: what each shows, in plain structs that its template prints. Nothing here asks a backend or
//! reads a request; all words a person reads are here and in `templates/`.
//!
//! - `frame`: what stands around every page. `said`: sentences for problems and outcomes.
//! - `form`: forms and their fields. `post`, `text`, `time`: the parts of a post.
//! - `find`: mentions and the search. `atom`: posts for feed readers.
//! - `export`: the file of posts that a member takes along. `script`: the words of the script.
//! - `stand_in`: what apps show where there is no picture.
//! - `apps`: letting an app in. `list`, `thread`, `apart`, `message`, `moderation`, `settings`, `status`: the pages.
//! - `machines`: how a machine is, in words; `tern cluster status` uses them too.

pub(super) mod apart;
pub(super) mod apps;
pub(super) mod atom;
pub(super) mod export;
pub(super) mod find;
pub(super) mod form;
pub(super) mod frame;
pub(super) mod kept;
pub(super) mod list;
pub(crate) mod machines;
pub(super) mod message;
pub(super) mod moderation;
mod part;
pub(super) mod poll;
pub(super) mod post;
pub(super) mod problem;
pub(super) mod said;
pub(super) mod script;
pub(super) mod settings;
pub(super) mod stand_in;
pub(crate) mod status;
pub(crate) mod text;
pub(super) mod thread;
pub(crate) mod time;
