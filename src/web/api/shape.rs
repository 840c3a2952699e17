//! What the fields of a write may look like. A field that says one thing and comes as a list, or twice with
//! two values, is refused and not passed over: of a post that is meant for few nobody would know it.

use super::params::Params;
use super::route::{Endpoint, Media, News};
use crate::action::Mark;

/// What a field may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One value. Apps may send it twice, in the address and in the body, if it is the same.
    One,
    /// Values, under `name` or `name[]`.
    List,
    /// What has fields itself, each under `name[…]`; an empty value is none.
    Group,
    /// A file, or one value.
    File,
}

type Fields = &'static [(&'static str, Shape)];

const POST: Fields = &[
    ("status", Shape::One),
    ("spoiler_text", Shape::One),
    ("visibility", Shape::One),
    ("sensitive", Shape::One),
    ("in_reply_to_id", Shape::One),
    ("scheduled_at", Shape::One),
    ("media_ids", Shape::List),
    ("media_attributes", Shape::Group),
    ("poll", Shape::Group),
    ("poll[options]", Shape::List),
    ("poll[expires_in]", Shape::One),
    ("poll[multiple]", Shape::One),
    ("poll[hide_totals]", Shape::One),
];
const APP: Fields = &[
    ("client_name", Shape::One),
    ("website", Shape::One),
    ("scopes", Shape::One),
    ("redirect_uri", Shape::One),
    ("redirect_uris", Shape::List),
];
const SIGN_IN: Fields = &[
    ("grant_type", Shape::One),
    ("client_id", Shape::One),
    ("client_secret", Shape::One),
    ("code", Shape::One),
    ("code_verifier", Shape::One),
    ("redirect_uri", Shape::One),
    ("scope", Shape::One),
    ("username", Shape::One),
    ("password", Shape::One),
    ("token", Shape::One),
];
const PROFILE: Fields = &[
    ("display_name", Shape::One),
    ("note", Shape::One),
    ("locked", Shape::One),
    ("avatar", Shape::File),
    ("header", Shape::File),
    ("source", Shape::Group),
    ("source[privacy]", Shape::One),
    ("source[sensitive]", Shape::One),
];
const PICTURE: Fields = &[("file", Shape::File), ("description", Shape::One)];
const REPORT: Fields = &[
    ("account_id", Shape::One),
    ("status_ids", Shape::List),
    ("category", Shape::One),
    ("comment", Shape::One),
];
const MARKERS: Fields = &[
    ("home", Shape::Group),
    ("home[last_read_id]", Shape::One),
    ("notifications", Shape::Group),
    ("notifications[last_read_id]", Shape::One),
];

/// The fields of which a write knows. Whatever else comes counts for nothing anywhere.
const fn known(endpoint: Endpoint) -> Fields {
    match endpoint {
        Endpoint::PostStatus | Endpoint::EditStatus => POST,
        Endpoint::Introduce => APP,
        Endpoint::Token | Endpoint::Revoke => SIGN_IN,
        Endpoint::UpdateMyself => PROFILE,
        Endpoint::Media(Media::Send | Media::Describe) => PICTURE,
        Endpoint::Report => REPORT,
        Endpoint::Mark(Mark::Repost, true) => &[("visibility", Shape::One)],
        Endpoint::Vote => &[("choices", Shape::List)],
        Endpoint::News(News::SetMarkers) => MARKERS,
        _ => &[],
    }
}

/// Refuses what has another shape than the write at this address knows.
///
/// # Errors
/// What is wrong with which field, for a person.
pub(super) fn check(endpoint: Endpoint, params: &Params) -> Result<(), String> {
    known(endpoint).iter().try_for_each(|(name, shape)| fits(params, name, *shape))
}

fn fits(params: &Params, name: &str, shape: Shape) -> Result<(), String> {
    let is_inside =
        |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
    let values = || params.pairs().filter(|(known, _)| known == name).map(|(_, value)| value);
    let mut inside = params.pairs().map(|(known, _)| known).filter(|known| is_inside(known));
    let is_file = params.file_names().any(|known| known == name);
    let has_files_inside = params.file_names().any(is_inside);
    let (fits, is) = match shape {
        Shape::One | Shape::File => {
            let is_one = inside.next().is_none() && !params.has_inside(name);
            (is_one && (!is_file || shape == Shape::File), "is one value")
        }
        Shape::List => (
            !is_file && inside.all(|known| known.strip_prefix(name) == Some("[]")),
            "is a list of values",
        ),
        Shape::Group => (!is_file && values().all(String::is_empty), "has fields of its own"),
    };
    if !fits || has_files_inside {
        return Err(format!("Validation failed: {name} {is}"));
    }
    let first = values().next();
    if shape != Shape::List && values().any(|value| Some(value) != first) {
        return Err(format!("Validation failed: {name} is given twice, with two values"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::request::{Method, Request};

    #[track_caller]
    fn check_post(query: &str, body: &str, expected: Option<&str>) {
        let is_json = body.starts_with('{');
        let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        let kind = if body.starts_with("--") { "multipart/form-data; boundary=x" } else { kind };
        let request = Request {
            query: query.to_owned(),
            content_type: Some(kind.to_owned()),
            body: body.as_bytes().to_vec(),
            ..Request::bare(Method::Post, "/api/v1/statuses")
        };
        let params = Params::read(&request).ok().unwrap();
        let told = check(Endpoint::PostStatus, &params).err();
        let expected = expected.map(|why| format!("Validation failed: {why}"));
        assert_eq!(told, expected, "{query} {body}");
    }

    #[test]
    fn shapes_that_apps_send_taken() {
        for body in [
            "status=v&visibility=private&media_ids[]=1&media_ids[]=2",
            "status=v&media_ids=1&media_ids=2&poll[options][]=a&poll[options][]=b&poll[expires_in]=300",
            r#"{"status":"v","visibility":null,"media_ids":[],"poll":null,"spoiler_text":""}"#,
            r#"{"status":"v","poll":{"options":["a","b"],"expires_in":300,"multiple":true}}"#,
            r#"{"status":"v","media_attributes":[{"id":"1","description":"Tea"}],"language":["en"]}"#,
            "status=v&poll=&visibility=direct&visibility=direct",
        ] {
            check_post("", body, None);
        }
        check_post("visibility=direct", "status=v&visibility=direct", None);
    }

    #[test]
    fn shapes_that_would_be_passed_over_refused() {
        let file = |name: &str| {
            format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n\
                 direct\r\n--x--\r\n"
            )
        };
        let (one, twice) =
            ("visibility is one value", "visibility is given twice, with two values");
        for (body, why) in [
            (r#"{"status":"x","visibility":["private"]}"#, one),
            (r#"{"status":"x","visibility":{"is":"private"}}"#, one),
            (r#"{"status":"x","visibility":[]}"#, one),
            (r#"{"status":"x","visibility":{"is":null}}"#, one),
            (r#"{"status":"x","visibility":"direct","visibility":"public"}"#, twice),
            ("status=v&visibility[]=direct", one),
            ("status=v&visibility[0]=direct", one),
            ("status=v&visibility=private&visibility", twice),
            ("status=v&visibility=direct&visibility=public", twice),
            (&file("visibility"), one),
            (&file("visibility[]"), one),
            (r#"{"status":"x","spoiler_text":["Ends"]}"#, "spoiler_text is one value"),
            (r#"{"status":"x","in_reply_to_id":{"id":"1"}}"#, "in_reply_to_id is one value"),
            (r#"{"status":"x","poll":"a or b"}"#, "poll has fields of its own"),
            (r#"{"status":"x","poll":{"options":{"0":"a"}}}"#, "poll[options] is a list of values"),
            (r#"{"status":"x","poll":{"hide_totals":[true]}}"#, "poll[hide_totals] is one value"),
            (r#"{"status":"x","media_ids":{"0":"1"}}"#, "media_ids is a list of values"),
            (r#"{"status":"x","media_ids":[["1"]]}"#, "media_ids is a list of values"),
            ("status=x&media_ids[0]=1", "media_ids is a list of values"),
        ] {
            check_post("", body, Some(why));
        }
        check_post("visibility=public", "status=v&visibility=direct", Some(twice));
    }
}
