//! Posts that an app's person reports to the keepers.

use serde_json::json;

use super::{Answer, Answered, Call, entity, fresh};
use crate::action::{Action, Report};
use crate::id::PostId;
use crate::limits::API_REPORTED_MAX;
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::handler::Site;

/// What apps let people choose among; it is the reason of whoever gives none in words.
const CATEGORIES: [&str; 4] = ["spam", "legal", "violation", "other"];

impl<A: Ask> Site<A> {
    /// Reports posts of one member. Here posts are reported, not people: without one it is refused.
    pub(super) fn report(&self, call: &Call<'_>) -> Answered {
        // Whether the app may comes before what it says.
        self.ask_with_token(call, None, Action::CheckSession)?;
        let (whom, _) =
            entity::account_of(call.params.get("account_id")).ok_or_else(Answer::not_found)?;
        if Self::owner(call) == whom.as_str() {
            return Err(Answer::error(422, "Validation failed: that is you"));
        }
        let posts = Self::reported(call)?;
        let said = call.params.get("category");
        let category = CATEGORIES.into_iter().find(|known| *known == said).unwrap_or("other");
        let comment = call.params.get("comment").trim();
        let reason = if comment.is_empty() { category } else { comment };
        // All are looked at before the first is reported.
        let mut account = None;
        for id in &posts {
            let (page, _) = self.status_numbered(call, *id)?;
            let is_theirs =
                page.statuses.first().is_some_and(|view| view.post.author.username == whom);
            if !is_theirs {
                return Err(Answer::not_found());
            }
            account = page.accounts.into_iter().find(|view| view.username == whom);
        }
        let account = account.ok_or_else(Answer::not_found)?;
        for id in &posts {
            let post = PostRef { user: whom.clone(), id: *id };
            let report = Report { key: fresh()?, post, reason: reason.to_owned() };
            self.written(call, Action::Report(report))?;
        }
        let ids: Vec<_> = posts.iter().map(PostId::to_string).collect();
        Ok(Answer::ok(json!({
            "id": ids.first(),
            "action_taken": false,
            "action_taken_at": null,
            "category": category,
            "comment": comment,
            "forwarded": false,
            "created_at": entity::time(self.clock.wall()),
            "status_ids": ids,
            "rule_ids": null,
            "target_account": entity::account(&self.origin, self.assets.stand_ins, &account),
        })))
    }

    /// The numbers of the posts, each once.
    fn reported(call: &Call<'_>) -> Result<Vec<PostId>, Answer> {
        let mut posts = Vec::new();
        for said in call.params.all("status_ids") {
            let id = said.parse().map_err(|_| Answer::not_found())?;
            if !posts.contains(&id) {
                posts.push(id);
            }
        }
        match posts.len() {
            0 => Err(Answer::error(422, "Validation failed: choose the posts that you report")),
            1..=API_REPORTED_MAX => Ok(posts),
            _ => {
                let why = format!("Validation failed: report {API_REPORTED_MAX} posts at most");
                Err(Answer::error(422, &why))
            }
        }
    }
}
