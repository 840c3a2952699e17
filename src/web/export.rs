//! What a member takes along, as a file for programs: made part by part. `db/FORMAT.md` describes it.

use std::fmt::Write as _;

use super::page::time::precise;
use crate::clock::Wall;
use crate::wire::request::{ExportPage, ExportPost, ExportProfile};

/// A part of the file for programs. `now` is when it is made.
pub(crate) fn json(part: &ExportPage, community: &str, now: Wall) -> String {
    let mut text = String::new();
    if let Some(profile) = &part.profile {
        head(&mut text, profile, community, now);
    }
    for (at, post) in part.posts.iter().enumerate() {
        let is_first = at == 0 && part.profile.is_some();
        text.push_str(if is_first { "\n" } else { ",\n" });
        json_post(&mut text, post);
    }
    if part.more_after.is_none() {
        text.push_str("\n]}\n");
    }
    text
}

fn head(text: &mut String, profile: &ExportProfile, community: &str, now: Wall) {
    let ExportProfile { username, display_name, bio, joined_at, follows } = profile;
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{{\"tern_export\":1,\"community\":{},\"exported_at\":\"{}\",\n\"profile\":{{\"username\":\"\
         {username}\",\"display_name\":{},\"bio\":{},\"joined_at\":\"{}\"}},\n\"follows\":[",
        quoted(community),
        precise(now),
        quoted(display_name),
        quoted(bio),
        precise(*joined_at),
    );
    for (at, name) in follows.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\"{name}\"");
    }
    text.push_str("],\n\"posts\":[");
}

fn json_post(text: &mut String, post: &ExportPost) {
    let ExportPost { id, at, text: says, note, reply_to } = post;
    let says = quoted(says);
    let _ = write!(text, "{{\"id\":\"{id}\",\"at\":\"{}\",\"text\":{says}", precise(*at));
    if let Some(note) = note {
        let _ = write!(text, ",\"note\":{}", quoted(note));
    }
    if let Some(to) = reply_to {
        let _ = write!(text, ",\"reply_to\":{{\"user\":\"{}\",\"id\":\"{}\"}}", to.user, to.id);
    }
    text.push('}');
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
