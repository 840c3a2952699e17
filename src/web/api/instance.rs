//! What there is to know of the site before anybody signs in.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, entity, told};
use crate::action::{Action, ApiRead};
use crate::limits::{
    DESCRIPTION_CHARS_MAX, PICTURE_INPUT_BYTES_MAX, PICTURE_PIXELS_MAX, PINNED_MAX,
    POLL_OPTION_CHARS_MAX, POLL_OPTIONS_MAX, POLL_S_MAX, POLL_S_MIN, POST_CHARS_MAX,
    POST_PICTURES_MAX,
};
use crate::web::ask::Ask;
use crate::web::handler::Site;
use crate::wire::request::{ApiReply, CommunityView, SCOPES};

/// Which of the two forms that apps know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// The version of Mastodon whose apps work with this, and ours. Apps compare the first.
fn version() -> String {
    format!("4.2.0 (compatible; Tern {})", env!("CARGO_PKG_VERSION"))
}

/// Characters that an address in a post counts as: Tern counts all of them, and apps ask for a number.
const URL_CHARS: u32 = 23;

fn configuration() -> Value {
    json!({
        "accounts": { "max_featured_tags": 0, "max_pinned_statuses": PINNED_MAX },
        "statuses": {
            "max_characters": POST_CHARS_MAX,
            "max_media_attachments": POST_PICTURES_MAX,
            "characters_reserved_per_url": URL_CHARS,
        },
        "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/png", "image/webp", "image/gif"],
            "image_size_limit": PICTURE_INPUT_BYTES_MAX,
            "image_matrix_limit": PICTURE_PIXELS_MAX,
            "description_limit": DESCRIPTION_CHARS_MAX,
            "video_size_limit": 0,
            "video_frame_rate_limit": 0,
            "video_matrix_limit": 0,
        },
        "polls": {
            "max_options": POLL_OPTIONS_MAX,
            "max_characters_per_option": POLL_OPTION_CHARS_MAX,
            "min_expiration": POLL_S_MIN,
            "max_expiration": POLL_S_MAX,
        },
        "translation": { "enabled": false },
    })
}

impl<A: Ask> Site<A> {
    fn community_view(&self, call: &Call<'_>) -> Result<CommunityView, Answer> {
        let mut heard = self.ask_with_token(call, None, Action::Api(ApiRead::Community))?;
        match told(&mut heard)? {
            ApiReply::Community(view) => Ok(view),
            _ => Err(super::nonsense()),
        }
    }

    /// The host that people type, with its port if that is not the usual one.
    fn host(&self) -> String {
        let origin = self.origin.to_string();
        origin.split_once("://").map_or_else(String::new, |(_, host)| host.to_owned())
    }

    /// Where streams would be: apps want an address, and ask for lists where nothing answers there.
    fn streaming(&self) -> String {
        let scheme = if self.origin.is_https() { "wss" } else { "ws" };
        format!("{scheme}://{}", self.host())
    }

    pub(super) fn instance(&self, call: &Call<'_>, form: Version) -> Answered {
        let view = self.community_view(call)?;
        let words = entity::html(&self.origin, &view.words, &[]);
        let picture = format!("{}{}", self.origin, self.assets.stand_ins.banner.route);
        let mut configuration = configuration();
        Ok(Answer::ok(match form {
            Version::One => json!({
                "uri": self.host(),
                "title": self.community,
                "short_description": words,
                "description": words,
                "email": "",
                "version": version(),
                "urls": { "streaming_api": self.streaming() },
                "stats": {
                    "user_count": view.members,
                    "status_count": view.posts,
                    "domain_count": 0,
                },
                "thumbnail": picture,
                "languages": ["en", "de"],
                "registrations": view.is_open || view.is_approved,
                "approval_required": view.is_approved,
                "invites_enabled": true,
                "configuration": configuration,
                "contact_account": null,
                "rules": [],
            }),
            Version::Two => {
                if let Some(fields) = configuration.as_object_mut() {
                    let urls = json!({ "streaming": self.streaming() });
                    fields.insert("urls".to_owned(), urls);
                }
                json!({
                    "domain": self.host(),
                    "title": self.community,
                    "version": version(),
                    "source_url": "",
                    "description": words,
                    "usage": { "users": { "active_month": view.members } },
                    "thumbnail": { "url": picture },
                    "icon": [],
                    "languages": ["en", "de"],
                    "configuration": configuration,
                    "registrations": {
                        "enabled": view.is_open || view.is_approved,
                        "approval_required": view.is_approved,
                        "message": null,
                    },
                    "contact": { "email": "", "account": null },
                    "rules": [],
                    "api_versions": { "mastodon": 1 },
                })
            }
        }))
    }

    pub(super) fn about(&self, call: &Call<'_>) -> Answered {
        let view = self.community_view(call)?;
        let content = entity::html(&self.origin, &view.words, &[]);
        Ok(Answer::ok(json!({ "updated_at": null, "content": content })))
    }

    pub(super) fn nodeinfo_links(&self) -> Answer {
        Answer::ok(json!({ "links": [{
            "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
            "href": format!("{}/nodeinfo/2.0", self.origin),
        }] }))
    }

    pub(super) fn nodeinfo(&self, call: &Call<'_>) -> Answered {
        let view = self.community_view(call)?;
        Ok(Answer::ok(json!({
            "version": "2.0",
            "software": { "name": "tern", "version": env!("CARGO_PKG_VERSION") },
            "protocols": [],
            "services": { "inbound": [], "outbound": [] },
            "usage": {
                "users": {
                    "total": view.members,
                    "activeMonth": view.members,
                    "activeHalfyear": view.members,
                },
                "localPosts": view.posts,
            },
            "openRegistrations": view.is_open,
            // Libraries that know no Tern look here for whose client API is spoken.
            "metadata": { "upstream": { "name": "mastodon" } },
        })))
    }

    /// What an app must know to sign somebody in (RFC 8414).
    pub(super) fn sign_in_metadata(&self) -> Answer {
        let at = |path: &str| format!("{}{path}", self.origin);
        let mut grants = vec!["authorization_code", "client_credentials"];
        grants.extend(self.takes_passwords.then_some("password"));
        Answer::ok(json!({
            "issuer": at("/"),
            "authorization_endpoint": at("/oauth/authorize"),
            "token_endpoint": at("/oauth/token"),
            "revocation_endpoint": at("/oauth/revoke"),
            "app_registration_endpoint": at("/api/v1/apps"),
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": grants,
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
        }))
    }
}
