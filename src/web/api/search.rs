//! Looking for people, posts and tags.

use serde_json::{Value, json};

use super::paging::{cursor, limit, offset};
use super::{Answer, Answered, Call, entity, nonsense, told};
use crate::action::{Action, ApiRead};
use crate::id::PostId;
use crate::limits::API_WALKS_MAX;
use crate::text::Tag;
use crate::web::ask::Ask;
use crate::web::handler::Site;
use crate::wire::request::ApiReply;

/// What is found of a kind, and at most.
const FOUND: (u16, u16) = (20, 40);

impl<A: Ask> Site<A> {
    /// Finds members by the beginnings of their names, tags, and the one post or member whose address is
    /// looked for; words in posts where posts alone are asked for.
    pub(super) fn search_all(&self, call: &Call<'_>) -> Answered {
        let wanted = call.params.get("type");
        let wants = |kind: &str| wanted.is_empty() || wanted == kind;
        let query = call.params.get("q").trim();
        let post = self.post_at(query);
        let mut accounts = Vec::new();
        if wants("accounts") && !query.starts_with('#') && post.is_none() {
            accounts = self.members_found(call, FOUND)?;
        }
        // The one post or tag is the first.
        let is_first = offset(call) == 0;
        let statuses = match post.filter(|_| wants("statuses")) {
            Some(_) if !is_first => Vec::new(),
            Some(id) => match self.status_numbered(call, id) {
                Ok((page, viewer)) => self.spelt(&page, viewer.as_ref()).collect(),
                Err(answer) if answer.status == 404 => Vec::new(),
                Err(other) => return Err(other),
            },
            // Apps search with each letter that is typed: words are looked for only where posts are.
            None if wanted == "statuses" && !query.is_empty() => self.found(call)?,
            None => Vec::new(),
        };
        let word = query.trim_start_matches('#');
        let tag = word.parse::<Tag>().ok().filter(|_| wants("hashtags") && is_first);
        let hashtags: Vec<Value> = tag.iter().map(|tag| self.tag_entity(tag)).collect();
        Ok(Answer::ok(json!({
            "accounts": accounts, "statuses": statuses, "hashtags": hashtags,
        })))
    }

    /// Posts in which all stands that is looked for, behind so many of them.
    fn found(&self, call: &Call<'_>) -> Result<Vec<Value>, Answer> {
        let (offset, most) = (offset(call), usize::from(limit(call, FOUND)));
        let (mut found, mut passed) = (Vec::new(), 0);
        let mut below = cursor(call, "max_id");
        for _ in 0..API_WALKS_MAX {
            let read = ApiRead::Found { query: call.params.get("q").to_owned(), below };
            let mut heard = self.ask_with_token(call, None, Action::Api(read))?;
            let ApiReply::Statuses(page) = told(&mut heard)? else { return Err(nonsense()) };
            let viewer = heard.viewer.as_ref().map(|viewer| &viewer.username);
            let skipped = offset.saturating_sub(passed);
            found.extend(self.spelt(&page, viewer).skip(skipped).take(most - found.len()));
            passed += page.statuses.len();
            below = page.older;
            if found.len() >= most || below.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn tag_entity(&self, tag: &Tag) -> Value {
        json!({
            "id": tag.as_str(),
            "name": tag.as_str(),
            "url": entity::tag_url(&self.origin, tag.as_str()),
            "history": [],
            "following": false,
        })
    }

    pub(super) fn tag_named(&self, call: &Call<'_>) -> Answered {
        let word = call.part();
        let word = crate::web::form::decode_path(word).unwrap_or_default();
        let tag = word.parse::<Tag>().map_err(|_| Answer::not_found())?;
        self.ask_with_token(call, None, Action::CheckSession)?;
        Ok(Answer::ok(self.tag_entity(&tag)))
    }

    /// The number of the post whose address this is.
    fn post_at(&self, address: &str) -> Option<PostId> {
        let path = address.strip_prefix(&self.origin.to_string())?;
        let (_, id) = path.strip_prefix("/@")?.split_once('/')?;
        id.parse().ok()
    }
}
