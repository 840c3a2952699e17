//! Where in a list an app wants to be, and the addresses under which it goes on from there.

use std::str::FromStr;

use super::Call;
use crate::id::PostId;
use crate::web::form::encode_query;
use crate::web::origin::Origin;

/// Names that say where in a list.
const CURSORS: [&str; 4] = ["max_id", "since_id", "min_id", "limit"];

/// Which part of a list of posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) below: Option<PostId>,
    pub(super) above: Option<PostId>,
    pub(super) is_rising: bool,
    pub(super) limit: u16,
}

impl Part {
    /// As the query says. A cursor that is no number is passed over.
    pub(super) fn of(call: &Call<'_>, (usual, most): (u16, u16)) -> Self {
        let min = cursor(call, "min_id");
        Self {
            below: cursor(call, "max_id"),
            above: min.or_else(|| cursor(call, "since_id")),
            is_rising: min.is_some(),
            limit: limit(call, (usual, most)),
        }
    }
}

/// A cursor, if it is one.
pub(super) fn cursor<T: FromStr>(call: &Call<'_>, name: &str) -> Option<T> {
    call.params.get(name).parse().ok()
}

/// How many at most: never more than `most`, whatever is asked.
pub(super) fn limit(call: &Call<'_>, (usual, most): (u16, u16)) -> u16 {
    let asked = call.params.get("limit").parse::<u64>();
    asked.map_or(usual, |asked| u16::try_from(asked).unwrap_or(most).clamp(1, most))
}

/// How many of what is found are passed over.
pub(super) fn offset(call: &Call<'_>) -> usize {
    call.params.get("offset").parse().unwrap_or(0)
}

/// The `Link` header: where the list goes on to older and to newer, keeping what else was asked for.
pub(super) fn link(
    origin: &Origin,
    call: &Call<'_>,
    older: Option<(&str, String)>,
    newer: Option<(&str, String)>,
) -> Option<String> {
    let kept = call.params.pairs().filter(|(name, _)| {
        let is_cursor = CURSORS.contains(&name.as_str());
        (!is_cursor || name == "limit") && name != "access_token"
    });
    let kept: Vec<_> = kept
        .map(|(name, value)| format!("{}={}&", encode_query(name), encode_query(value)))
        .collect();
    let kept = kept.concat();
    let path = call.request.path.trim_end_matches('/');
    let one = |rel: &str, cursor: Option<(&str, String)>| {
        let (name, value) = cursor?;
        Some(format!("<{origin}{path}?{kept}{name}={value}>; rel=\"{rel}\""))
    };
    let links: Vec<_> = [one("next", older), one("prev", newer)].into_iter().flatten().collect();
    (!links.is_empty()).then(|| links.join(", "))
}
