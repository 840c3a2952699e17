//! A member of a community, spoken for without a browser.

use std::path::Path;
use std::time::Duration;

use tern::action::{Action, Join, NewPost, Opening, RequestKey};
use tern::auth::session::Token;
use tern::id::RequestId;
use tern::limits::FRAME_BYTES_MAX;
use tern::transport::Role;
use tern::transport::connection::dial;
use tern::transport::key::Keys;
use tern::wire::request::{Outcome, Request, Response};

use crate::backend::is_for_later;
use crate::member::harness::eventually;

const WAIT: Duration = Duration::from_secs(20);

/// Has ada join and post, through a machine.
pub(super) fn post(address: &str, key: &Path, text: &str) {
    let keys = Keys::read(key).unwrap();
    let ask = |session: Option<String>, action| -> Response {
        let request = Request { session, read_to: None, need: None, action };
        // As a form does that was not answered.
        eventually("what became of it", || {
            let mut to = dial(address, Role::Web, &keys, WAIT).unwrap();
            to.send(&serde_json::to_vec(&request).unwrap(), &[], WAIT).unwrap();
            let frame = to.receive(FRAME_BYTES_MAX, WAIT).unwrap();
            let told: Response = serde_json::from_slice(&frame.header).unwrap();
            (!is_for_later(&told.data.outcome)).then_some(told)
        })
    };
    let key = |id: u8| RequestKey { ops: 0, id: RequestId([id; 16]) };
    let token = Token::generate().unwrap().secret().to_owned();
    let opening = Opening { token, device: "test".to_owned(), address: "::1".to_owned() };
    let (username, password) = ("ada".to_owned(), "a quiet gull sleeps".to_owned());
    let join = Join {
        key: key(1),
        username,
        display_name: String::new(),
        password,
        code: String::new(),
        opening,
    };
    let joined = ask(None, Action::Join(join));
    let session = joined.session;
    assert!(session.is_some(), "{:?}", joined.data.outcome);
    let (text, note) = (text.to_owned(), String::new());
    let post = NewPost {
        key: key(2),
        text,
        reply_to: None,
        note,
        pictures: Vec::new(),
        sent: Vec::new(),
        sensitive: false,
        for_everybody: false,
    };
    let answer = ask(session, Action::Post(post)).data.outcome;
    assert!(matches!(answer, Outcome::Saved(_)), "{answer:?}");
}
