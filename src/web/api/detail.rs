//! What there is to know of a post beside what stands in it.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, entity, nonsense, told};
use crate::action::{Action, ApiRead, HistoryOf};
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::handler::Site;
use crate::wire::request::{ApiReply, Outcome, TextView};

/// What people did to a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Likes,
    Reposts,
}

impl<A: Ask> Site<A> {
    /// What a post said, from the first text on.
    pub(super) fn status_history(&self, call: &Call<'_>) -> Answered {
        let (page, viewer) = self.status_numbered(call, Self::id_in(call)?)?;
        let status = page.statuses.first().ok_or_else(Answer::not_found)?;
        let pictures = self.attachments(status, viewer.as_ref());
        let view = &status.post;
        let post = PostRef { user: view.author.username.clone(), id: view.id };
        let author = page.accounts.iter().find(|known| known.username == post.user);
        let author = author.ok_or_else(nonsense)?;
        let account = entity::account(&self.origin, self.assets.stand_ins, author);
        let heard = self.ask_with_token(call, None, Action::History(HistoryOf { post }))?;
        let Outcome::History(history) = &heard.outcome else { return Err(nonsense()) };
        let spell = |text: &TextView| {
            json!({
                "content": entity::html(&self.origin, &text.text, &text.mentions),
                "spoiler_text": text.note.as_deref().unwrap_or_default(),
                "sensitive": view.sensitive || text.note.is_some(),
                "created_at": entity::time(text.at),
                "account": account,
                "media_attachments": pictures,
                "emojis": [],
            })
        };
        Ok(Answer::ok(Value::Array(history.texts.iter().map(spell).collect())))
    }

    /// Who likes or reposted a post: oneself, or nobody. Of others nobody is told.
    pub(super) fn done_by(&self, call: &Call<'_>, what: By) -> Answered {
        let (page, _) = self.status_numbered(call, Self::id_in(call)?)?;
        let status = page.statuses.first().ok_or_else(Answer::not_found)?;
        let mine = &status.post.mine;
        let is_own = if what == By::Likes { mine.liked } else { mine.reposted };
        if !is_own {
            return Ok(Answer::ok(json!([])));
        }
        let read = Action::Api(ApiRead::Account { username: None });
        let mut heard = self.ask_with_token(call, None, read)?;
        let ApiReply::Account(own) = told(&mut heard)? else { return Err(nonsense()) };
        Ok(Answer::ok(json!([entity::account(&self.origin, self.assets.stand_ins, &own)])))
    }
}
