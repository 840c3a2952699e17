//! The outermost object of a request, and of what a reply holds: an enum's variant stands among other
//! fields there, the last of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::CowStrDeserializer;
use serde::de::{
    Deserialize, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::request::{Reply, Request};
use crate::action::Action;
use crate::json::{Beside, variant};

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some(session) = &self.session {
            map.serialize_entry("session", session)?;
        }
        if let Some(read_to) = &self.read_to {
            map.serialize_entry("read_to", read_to)?;
        }
        if let Some(need) = &self.need {
            map.serialize_entry("need", need)?;
        }
        self.action.serialize(Beside { tag: "action", content: "data", map: &mut map })?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = Request;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request, A::Error> {
        let (mut session, mut read_to, mut need, mut action) = (None, None, None, None);
        let mut name: Option<Cow<'de, str>> = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "session" => session = map.next_value()?,
                "read_to" => read_to = map.next_value()?,
                "need" => need = map.next_value()?,
                "action" => name = Some(map.next_value()?),
                "data" => {
                    let name = name.take().ok_or_else(|| A::Error::missing_field("action"))?;
                    action = Some(Action::deserialize(variant(name, &mut map))?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if let Some(name) = name {
            // One that has no data.
            let name: CowStrDeserializer<'_, A::Error> = name.into_deserializer();
            action = Some(Action::deserialize(name)?);
        }
        let action = action.ok_or_else(|| A::Error::missing_field("action"))?;
        Ok(Request { session, read_to, need, action })
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ReplyVisitor)
    }
}

struct ReplyVisitor;

impl<'de> Visitor<'de> for ReplyVisitor {
    type Value = Reply;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reply, A::Error> {
        let (mut viewer, mut cluster, mut outcome) = (None, None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "viewer" => viewer = map.next_value()?,
                "cluster" => cluster = Some(map.next_value()?),
                _ if outcome.is_none() => {
                    outcome = Some(Deserialize::deserialize(variant(key, &mut map))?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = A::Error::missing_field;
        Ok(Reply {
            viewer,
            cluster: cluster.ok_or_else(|| missing("cluster"))?,
            outcome: outcome.ok_or_else(|| missing("outcome"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Page;
    use crate::wire::request::{ClusterBrief, Outcome, Saved};

    fn check_request(request: &Request, text: &str) {
        assert_eq!(serde_json::to_string(request).unwrap(), text);
        assert!(serde_json::from_str::<Request>(text).unwrap() == *request, "{text}");
    }

    #[test]
    fn request_has_its_spelling() {
        let before: crate::id::PostId = "4096".parse().unwrap();
        let asked = Action::Home(Page { before: Some(before), ..Page::default() });
        let text = format!(r#"{{"action":"home","data":{{"before":"{before}"}}}}"#);
        check_request(&Request { session: None, read_to: None, need: None, action: asked }, &text);
        let session = Some("ada.TOKEN".to_owned());
        let text = format!(r#"{{"session":"ada.TOKEN","read_to":"{before}","action":"sessions"}}"#);
        let action = Action::Sessions;
        check_request(&Request { session, read_to: Some(before), need: None, action }, &text);
        let (need, action) = ("read:statuses".parse().ok(), Action::Sessions);
        let text = r#"{"need":"read:statuses","action":"sessions"}"#;
        check_request(&Request { session: None, read_to: None, need, action }, text);
    }

    #[test]
    fn request_of_a_later_version_read() {
        let read = |text| serde_json::from_str::<Request>(text);
        let sessions =
            Request { session: None, read_to: None, need: None, action: Action::Sessions };
        for text in [
            r#"{"later":{"data":1},"action":"sessions"}"#,
            r#"{"action":"sessions","data":null,"later":2}"#,
        ] {
            assert!(read(text).unwrap() == sessions, "{text}");
        }
        for text in [
            "{}",
            r#"{"session":"ada.TOKEN"}"#,
            r#"{"action":"later","data":{}}"#,
            r#"{"action":"home"}"#,
            r#"{"data":{},"action":"home"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reply_read_with_what_a_later_version_adds() {
        let cluster = ClusterBrief { answered_by: "node 1".to_owned(), ..ClusterBrief::default() };
        let outcome = Outcome::Saved(Saved { post: None, sessions_ended: 2 });
        let reply = Reply { viewer: None, cluster, outcome };
        let text =
            r#"{"cluster":{"machines":[],"answered_by":"node 1"},"saved":{"sessions_ended":2}}"#;
        assert_eq!(serde_json::to_string(&reply).unwrap(), text);
        let cluster = r#""cluster":{"machines":[],"answered_by":"node 1"}"#;
        let saved = r#""saved":{"sessions_ended":2}"#;
        for text in [
            format!("{{{cluster},{saved}}}"),
            format!("{{{saved},{cluster}}}"),
            format!(r#"{{{cluster},"later":[1],{saved},"latest":{{}}}}"#),
        ] {
            assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply, "{text}");
        }
        for text in [format!("{{{cluster}}}"), format!("{{{saved}}}"), "{}".to_owned()] {
            assert!(serde_json::from_str::<Reply>(&text).is_err(), "{text}");
        }
    }
}
