//! What a member takes along, as a file for programs: made part by part. `db/FORMAT.md` describes it.

use super::page::time::precise;
use super::route::Route;
use super::written::push;
use crate::action::{ExportFrom, ExportList};
use crate::clock::Wall;
use crate::user::entry::{Poll, PostRef};
use crate::wire::request::{
    ExportMark, ExportPage, ExportPost, ExportProfile, ExportText, ExportVote,
};

/// A part of the file, which was asked for with `from`, of a community at a site. `now` is when it is made.
pub(super) fn json(
    from: &ExportFrom,
    part: &ExportPage,
    (community, site): (&str, &str),
    now: Wall,
) -> String {
    let mut text = String::new();
    if let Some(profile) = &part.profile {
        head(&mut text, profile, community, now);
    }
    let is_start = from.after.is_none();
    if is_start && from.list != ExportList::Posts {
        push(&mut text, format_args!("\n],\n\"{}\":[", from.list.as_str()));
    }
    let posts = part.posts.iter().map(|post| post_json(post, site));
    for (at, item) in posts.chain(part.marks.iter().map(mark_json)).enumerate() {
        text.push_str(if at == 0 && is_start { "\n" } else { ",\n" });
        text.push_str(&item);
    }
    if part.next.is_none() {
        text.push_str("\n]}\n");
    }
    text
}

fn head(text: &mut String, profile: &ExportProfile, community: &str, now: Wall) {
    let ExportProfile { username, display_name, bio, joined_at, pinned, .. } = profile;
    // A program that knows nothing of audiences must not take such posts in as everybody's.
    let form = if profile.has_audiences { 2 } else { 1 };
    let (community, name, bio) = (quoted(community), quoted(display_name), quoted(bio));
    let (now, joined_at) = (precise(now), precise(*joined_at));
    push(
        text,
        format_args!(
            "{{\"tern_export\":{form},\"community\":{community},\"exported_at\":\"{now}\",\n\
             \"profile\":{{\"username\":\"{username}\",\"display_name\":{name},\"bio\":{bio},\
             \"joined_at\":\"{joined_at}\""
        ),
    );
    if profile.members_only {
        text.push_str(",\"members_only\":true");
    }
    if !profile.posts_for.is_everyone() {
        push(text, format_args!(",\"posts_for\":\"{}\"", profile.posts_for.as_str()));
    }
    if let Some(id) = pinned {
        push(text, format_args!(",\"pinned\":\"{id}\""));
    }
    text.push('}');
    let lists =
        [("follows", &profile.follows), ("mutes", &profile.mutes), ("blocks", &profile.blocks)];
    for (list, names) in lists {
        push(text, format_args!(",\n\"{list}\":["));
        for (at, name) in names.iter().enumerate() {
            push(text, format_args!("{}\"{name}\"", if at == 0 { "" } else { "," }));
        }
        text.push(']');
    }
    for (at, ExportVote { post: PostRef { user, id }, choices }) in profile.votes.iter().enumerate()
    {
        text.push_str(if at == 0 { ",\n\"votes\":[" } else { "," });
        let places: Vec<String> = choices.places().map(|place| place.to_string()).collect();
        let places = places.join(",");
        push(text, format_args!("{{\"user\":\"{user}\",\"id\":\"{id}\",\"choices\":[{places}]}}"));
    }
    if !profile.votes.is_empty() {
        text.push(']');
    }
    for (at, PostRef { user, id }) in profile.muted_threads.iter().enumerate() {
        text.push_str(if at == 0 { ",\n\"muted_threads\":[" } else { "," });
        push(text, format_args!("{{\"user\":\"{user}\",\"id\":\"{id}\"}}"));
    }
    if !profile.muted_threads.is_empty() {
        text.push(']');
    }
    text.push_str(",\n\"posts\":[");
}

fn post_json(post: &ExportPost, site: &str) -> String {
    let mut text = format!("{{\"id\":\"{}\",\"at\":\"{}\"", post.id, precise(post.at));
    if let Some(at) = post.edited_at {
        push(&mut text, format_args!(",\"edited_at\":\"{}\"", precise(at)));
    }
    if !post.audience.is_everyone() {
        push(&mut text, format_args!(",\"for\":\"{}\"", post.audience.as_str()));
    }
    says(&mut text, &post.text, post.note.as_deref());
    if post.sensitive {
        text.push_str(",\"sensitive\":true");
    }
    if let Some(PostRef { user, id }) = &post.reply_to {
        push(&mut text, format_args!(",\"reply_to\":{{\"user\":\"{user}\",\"id\":\"{id}\"}}"));
    }
    if let Some(poll) = &post.poll {
        poll_json(&mut text, poll);
    }
    for (at, ExportText { at: since, text: said, note }) in post.earlier.iter().enumerate() {
        text.push_str(if at == 0 { ",\"earlier\":[" } else { "," });
        push(&mut text, format_args!("{{\"at\":\"{}\"", precise(*since)));
        says(&mut text, said, note.as_deref());
        text.push('}');
    }
    if !post.earlier.is_empty() {
        text.push(']');
    }
    for (at, picture) in post.pictures.iter().enumerate() {
        text.push_str(if at == 0 { ",\"pictures\":[" } else { "," });
        let address = quoted(&format!("{site}{}", Route::Picture(picture.file)));
        let description = quoted(&picture.description);
        push(&mut text, format_args!("{{\"at\":{address},\"description\":{description}}}"));
    }
    text.push_str(if post.pictures.is_empty() { "}" } else { "]}" });
    text
}

fn poll_json(text: &mut String, poll: &Poll) {
    let options: Vec<String> = poll.options.iter().map(|option| quoted(option)).collect();
    let (options, until) = (options.join(","), precise(poll.until));
    push(text, format_args!(",\"poll\":{{\"options\":[{options}],\"until\":\"{until}\""));
    text.push_str(if poll.many { ",\"many\":true}" } else { "}" });
}

fn says(text: &mut String, said: &str, note: Option<&str>) {
    push(text, format_args!(",\"text\":{}", quoted(said)));
    if let Some(note) = note {
        push(text, format_args!(",\"note\":{}", quoted(note)));
    }
}

fn mark_json(mark: &ExportMark) -> String {
    let ExportMark { post: PostRef { user, id }, at } = mark;
    let at = at.map(|at| format!(",\"at\":\"{}\"", precise(at))).unwrap_or_default();
    format!("{{\"user\":\"{user}\",\"id\":\"{id}\"{at}}}")
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
