//! A backend that answers what a test tells it, a browser that keeps cookies, and a community of
//! people to show.

use std::cell::Cell;
use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::fitting::fitting;
use crate::action::Action;
use crate::clock::{Clock, Mono, Wall};
use crate::id::{NodeId, PostId, UserName};
use crate::user::entry::{Audience, PostRef};
use crate::web::ask::{Ask, AskError};
use crate::web::csrf::FormKey;
use crate::web::form::encode_query;
use crate::web::handler::Site;
use crate::web::origin::Origin;
use crate::web::request::{Method, Request};
use crate::web::response::Response;
use crate::wire::request::{
    Ancestor, ClusterBrief, FoundPage, Hindered, HistoryPage, LikedBy, MachineRow, MachineState,
    Mine, NewsPage, NewsRow, Outcome, Person, PersonRow, PostPage, PostView, Refusal, Reply,
    ReplyView, Request as WireRequest, Response as WireResponse, ResponseAction, StatusPage,
    TextView, ThreadPage, Viewer,
};

/// 14 November 2023, 22:13:20 UTC.
pub(super) const NOW: Wall = Wall(1_700_000_000_000);
/// A token that a backend may have made.
pub(super) const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// The version that goes with it.
const VERSION: &str = "1.4.2.1.7";

thread_local! {
    /// What the browsers of a test ask for. Each test has a thread of its own.
    pub(super) static ACCEPT_LANGUAGE: Cell<Option<&'static str>> = const { Cell::new(None) };
}

type Answer = dyn Fn(&Action) -> Result<Outcome, AskError> + Send + Sync;

/// A backend.
pub(super) struct Fake {
    answer: Mutex<Box<Answer>>,
    /// All that was asked, with whom it was about.
    pub(super) asked: Mutex<Vec<(Option<UserName>, WireRequest)>>,
    /// Whether it knows the session; if not everybody is a stranger.
    pub(super) knows_session: Mutex<bool>,
    /// Whether who is signed in is a keeper.
    pub(super) is_keeper: Mutex<bool>,
    /// For whom ada's posts are unless she chooses otherwise.
    pub(super) posts_for: Mutex<Audience>,
    /// What keeps who is signed in from writing.
    pub(super) hindered: Mutex<Option<Hindered>>,
    /// How the machines are.
    pub(super) cluster: Mutex<ClusterBrief>,
}

impl Ask for Fake {
    fn ask(
        &self,
        about: Option<&UserName>,
        request: &WireRequest,
    ) -> Result<WireResponse, AskError> {
        self.asked.lock().push((about.cloned(), request.clone()));
        let outcome = (self.answer.lock())(&request.action)?;
        let is_open = request.session.is_some() && *self.knows_session.lock();
        let opens = match &request.action {
            Action::Join(data) => Some((&data.username, &data.opening)),
            Action::Login(data) => Some((&data.username, &data.opening)),
            Action::FirstKeeper(first) => Some((&first.join.username, &first.join.opening)),
            _ => None,
        };
        let opened = opens.filter(|_| matches!(outcome, Outcome::Saved(_)));
        let is_end = matches!(outcome, Outcome::Saved(_))
            && matches!(request.action, Action::Logout(_) | Action::DeleteAccount(_));
        let session = match opened {
            Some((name, opening)) => {
                Some(format!("{}.{}@1.1.1.1.1", name.trim().to_lowercase(), opening.token))
            }
            None if is_end => None,
            None => request.session.clone().filter(|_| is_open),
        };
        let viewer = session.as_ref().map(|_| Viewer {
            username: "ada".parse().unwrap(),
            display_name: "Ada Lind".to_owned(),
            ops: 12,
            news: 3,
            is_keeper: *self.is_keeper.lock(),
            posts_for: *self.posts_for.lock(),
            hindered: self.hindered.lock().clone(),
            app: None,
            pictures_in_s: None,
        });
        let cluster = self.cluster.lock().clone();
        Ok(WireResponse {
            session,
            action: ResponseAction::Response,
            data: Reply { viewer, cluster, outcome },
        })
    }

    fn ask_beside(
        &self,
        about: Option<&UserName>,
        request: &WireRequest,
        _beside: &[u8],
    ) -> Result<(WireResponse, Vec<u8>), AskError> {
        self.ask(about, request).map(|response| (response, PICTURE.to_vec()))
    }
}

/// What every picture is there, as far as anybody looks.
pub(super) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x04\0\0\0\x03";

/// A site with a backend that answers each action fittingly.
pub(super) fn site() -> Site<Fake> {
    site_at("http://127.0.0.1:8080")
}

/// The same at another origin.
pub(super) fn site_at(origin: &str) -> Site<Fake> {
    let fake = Fake {
        answer: Mutex::new(Box::new(|action| Ok(fitting(action)))),
        asked: Mutex::default(),
        knows_session: Mutex::new(true),
        is_keeper: Mutex::new(false),
        posts_for: Mutex::new(Audience::Everyone),
        hindered: Mutex::default(),
        cluster: Mutex::new(cluster(&[MachineState::InStep; 3])),
    };
    let origin = Origin::parse(origin, true).unwrap();
    Site::new(fake, "Fen Lane".to_owned(), [7; 32], origin, Clock::manual(Mono(0), NOW))
}

impl Site<Fake> {
    /// From now on the backend answers so.
    pub(super) fn answer(
        &self,
        answer: impl Fn(&Action) -> Result<Outcome, AskError> + Send + Sync + 'static,
    ) {
        *self.ask.answer.lock() = Box::new(answer);
    }

    /// From now on the backend refuses every write so, and answers reads fittingly.
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.answer(move |action| {
            Ok(match fitting(action) {
                Outcome::Saved(_) => Outcome::Refused(refusal.clone()),
                other => other,
            })
        });
    }

    /// As [`Self::answer`].
    pub(super) fn answering(
        self,
        answer: impl Fn(&Action) -> Result<Outcome, AskError> + Send + Sync + 'static,
    ) -> Self {
        self.answer(answer);
        self
    }

    /// As [`Self::refuse`].
    pub(super) fn refusing(self, refusal: Refusal) -> Self {
        self.refuse(refusal);
        self
    }

    /// All actions that were asked for.
    pub(super) fn asked(&self) -> Vec<Action> {
        self.ask.asked.lock().iter().map(|(_, request)| request.action.clone()).collect()
    }

    /// The last action that was asked for.
    pub(super) fn last_asked(&self) -> Option<Action> {
        self.ask.asked.lock().last().map(|(_, request)| request.action.clone())
    }
}

pub(super) fn cluster(machines: &[MachineState]) -> ClusterBrief {
    ClusterBrief {
        machines: machines.to_vec(),
        answered_by: "birch".to_owned(),
        ..ClusterBrief::default()
    }
}

/// A browser, signed in as ada or not.
pub(super) struct Browser<'a> {
    site: &'a Site<Fake>,
    /// Cookies by name.
    pub(super) cookies: BTreeMap<String, String>,
    /// What it says of where a request comes from.
    pub(super) fetch_site: Option<&'static str>,
    /// In which form it sends forms.
    pub(super) content_type: &'static str,
}

impl<'a> Browser<'a> {
    pub(super) fn stranger(site: &'a Site<Fake>) -> Self {
        Self {
            site,
            cookies: BTreeMap::new(),
            fetch_site: Some("same-origin"),
            content_type: "application/x-www-form-urlencoded",
        }
    }

    pub(super) fn ada(site: &'a Site<Fake>) -> Self {
        let mut browser = Self::stranger(site);
        browser.cookies.insert("s".to_owned(), format!("ada.{TOKEN}"));
        browser.cookies.insert("v".to_owned(), VERSION.to_owned());
        browser
            .cookies
            .insert("u".to_owned(), FormKey::new([7; 32]).stamp(TOKEN, NOW.0 / 86_400_000));
        browser
    }

    pub(super) fn get(&mut self, address: &str) -> Response {
        self.send(Method::Get, address, Vec::new())
    }

    /// Sends fields as they are.
    pub(super) fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Response {
        let encode = |(name, value): &(&str, &str)| format!("{name}={}", encode_query(value));
        let body: Vec<_> = fields.iter().map(encode).collect();
        self.send(Method::Post, address, body.join("&").into_bytes())
    }

    /// Opens `page`, fills in the form that goes to `action`, and sends it with what it hides.
    pub(super) fn submit(&mut self, page: &str, action: &str, typed: &[(&str, &str)]) -> Response {
        let page = self.get(page);
        self.resubmit(&page, action, typed)
    }

    /// Fills in the form on this page that goes to `action`, and sends it with what it hides.
    pub(super) fn resubmit(
        &mut self,
        page: &Response,
        action: &str,
        typed: &[(&str, &str)],
    ) -> Response {
        let mut fields = hidden_fields(page, action);
        fields.retain(|(name, _)| typed.iter().all(|(it, _)| it != name));
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.post(action, &fields)
    }

    pub(super) fn send(&mut self, method: Method, address: &str, body: Vec<u8>) -> Response {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let cookie: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            cookie: (!cookie.is_empty()).then(|| cookie.join("; ")),
            origin: None,
            fetch_site: self.fetch_site.map(str::to_owned),
            accept_language: ACCEPT_LANGUAGE.get().map(str::to_owned),
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0".to_owned()),
            accept_encoding: None,
            if_none_match: None,
            content_type: Some(self.content_type.to_owned()),
            authorization: None,
            idempotency_key: None,
            body,
            client: [192, 0, 2, 7].into(),
            id: "r1".to_owned(),
        };
        let response = self.site.respond(&request);
        for cookie in &response.cookies {
            match &cookie.value {
                Some(value) => {
                    self.cookies.insert(cookie.name.to_owned(), value.as_str().to_owned())
                }
                None => self.cookies.remove(cookie.name),
            };
        }
        response
    }
}

/// The body as text.
pub(super) fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// Where a response sends the browser.
pub(super) fn location(response: &Response) -> &str {
    assert_eq!(response.status, 303, "{}", text(response));
    response.location.as_ref().unwrap().as_str()
}

/// The hidden fields of the form that goes to `action`.
pub(super) fn hidden_fields(page: &Response, action: &str) -> Vec<(String, String)> {
    let html = text(page);
    // The buttons of posts stand outside of their form.
    let is_mark = html.contains(&format!(" formaction=\"{action}\""));
    let form = if is_mark { "<form id=\"m\"".to_owned() } else { format!(" action=\"{action}\"") };
    let start = html.find(&form).unwrap_or_else(|| panic!("{action}: {html}"));
    let form = html[start..].split("</form>").next().unwrap();
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let read = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        (name.to_owned(), unescape(rest.split('"').next().unwrap()))
    };
    inputs.map(read).collect()
}

/// The same without the token, which is masked differently on every page.
pub(super) fn own_fields(page: &Response, action: &str) -> Vec<(String, String)> {
    let mut fields = hidden_fields(page, action);
    fields.retain(|(name, _)| name != "token");
    fields
}

/// The text in a page's first text box.
pub(super) fn textarea(response: &Response) -> String {
    let html = text(response);
    let from = html.find("<textarea").unwrap_or_else(|| panic!("no text box: {html}"));
    let inside = html[from..].split_once('>').unwrap().1.split("</textarea>").next().unwrap();
    // A browser drops the first line break.
    unescape(inside.strip_prefix('\n').unwrap_or(inside))
}

/// Undoes escaping.
pub(super) fn unescape(html: &str) -> String {
    html.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

pub(super) fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

pub(super) fn person(username: &str, display_name: &str) -> Person {
    Person { username: name(username), display_name: display_name.to_owned(), avatar: None }
}

/// A post of so many minutes ago.
pub(super) fn post(
    id: u64,
    username: &str,
    display_name: &str,
    minutes: u64,
    text: &str,
) -> PostView {
    PostView {
        poll: None,
        id: PostId::from_raw(id),
        author: person(username, display_name),
        at: Wall(NOW.0 - minutes * 60_000),
        text: text.to_owned(),
        note: None,
        audience: Audience::Everyone,
        edited_at: None,
        reposted_by: None,
        mine: Mine::default(),
        liked_by: None,
        reply_to: None,
        replies: 0,
        mentions: vec![name("ada"), name("ben")],
        hidden: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

pub(super) fn posts() -> PostPage {
    let mut answer = post(
        897,
        "tomas",
        "Tomas Beran",
        15,
        "@ada The chapel key is with me until Thursday. #seeds",
    );
    answer.reply_to = Some(PostRef { user: name("ada"), id: PostId::from_raw(900) });
    let mut asked = post(
        900,
        "ada",
        "Ada Lind",
        4,
        "The seed swap is on Saturday at ten, in the old chapel. Bring labels.",
    );
    asked.replies = 1;
    let mut edited = post(
        899,
        "ben",
        "Ben Kroll",
        5,
        "Found: one left glove, green, on the bench by the pump. It is now on the fence.",
    );
    edited.edited_at = Some(Wall(NOW.0 - 120_000));
    edited.mine.liked = true;
    let mut reposted = post(
        898,
        "mina",
        "Mina Okafor",
        7,
        "The bread oven is lit on Friday from four. Bring dough, or just come and be warm.",
    );
    reposted.reposted_by = Some(person("ben", "Ben Kroll"));
    let mut noted = post(
        896,
        "yuki",
        "Yuki Aoki",
        25,
        "Frost tonight, says the sky. Cover your lemons.\nSee https://example.org/frost?x=1&y=2",
    );
    noted.note = Some("Weather".to_owned());
    PostPage {
        posts: vec![asked, edited, reposted, answer, noted],
        older: Some(PostId::from_raw(896)),
        suggestions: Vec::new(),
        just_posted: None,
    }
}

pub(super) fn people() -> Vec<PersonRow> {
    let row = |username, display_name, bio_line: &str, followed| PersonRow {
        person: person(username, display_name),
        bio_line: bio_line.to_owned(),
        followed,
    };
    vec![
        row("ada", "Ada Lind", "Seeds, mostly.", None),
        row("ben", "Ben Kroll", "Finder of gloves", Some(true)),
        row("mina", "Mina Okafor", "", Some(false)),
    ]
}

pub(super) fn machines(states: &[MachineState]) -> StatusPage {
    let names = ["apple", "birch", "cedar", "damson", "elder"];
    let all: Vec<_> = (1..=5).map(|n| NodeId::new(n).unwrap()).collect();
    let is_up = |(_, state): &(&NodeId, &MachineState)| **state != MachineState::Down;
    let reached: Vec<_> = all.iter().zip(states).filter(is_up).map(|(node, _)| *node).collect();
    let row = |(index, &state): (usize, &MachineState)| MachineRow {
        node: all[index],
        name: names[index].to_owned(),
        state,
        down_since: (state == MachineState::Down).then_some(Wall(NOW.0 - 360_000)),
        refuses: None,
        damaged: 0,
        behind: Some(0),
        pictures_missing: 0,
        disk_percent: Some(41),
        talks_to: reached.clone(),
        version: Some("0.1.0".to_owned()),
    };
    let up = states.iter().filter(|state| **state != MachineState::Down).count();
    let needed = states.len() / 2 + 1;
    StatusPage {
        machines: states.iter().enumerate().map(row).collect(),
        writes: up >= needed,
        needed: u8::try_from(needed).unwrap(),
        changes: Vec::new(),
    }
}

pub(super) fn thread() -> ThreadPage {
    let parent = PostRef { user: name("ben"), id: PostId::from_raw(899) };
    let mut opened = post(901, "ada", "Ada Lind", 3, "Is it mine? I lost one at the seed swap.");
    opened.reply_to = Some(parent.clone());
    opened.replies = 2;
    opened.edited_at = Some(Wall(NOW.0 - 60_000));
    opened.note = Some("Gloves".to_owned());
    let likers = vec![person("ben", "Ben Kroll"), person("mina", "Mina Okafor")];
    opened.liked_by = Some(LikedBy { people: likers, more: 3 });
    let mut near = post(902, "ben", "Ben Kroll", 2, "@ada Then come and try it on.");
    near.reply_to = Some(PostRef { user: name("ada"), id: PostId::from_raw(901) });
    let mut deep = post(903, "mina", "Mina Okafor", 1, "Mind the fence.");
    deep.reply_to = Some(PostRef { user: name("ben"), id: PostId::from_raw(902) });
    let mut root = post(898, "mina", "Mina Okafor", 9, "Gloves everywhere.");
    root.note = Some("Not only gloves".to_owned());
    ThreadPage {
        ancestors: vec![
            Ancestor::Post(root),
            Ancestor::Deleted(PostRef { user: name("eve"), id: PostId::from_raw(1) }),
            Ancestor::Post(post(
                899,
                "ben",
                "Ben Kroll",
                5,
                "Found: one left glove, green, on the bench by the pump.",
            )),
        ],
        post: opened,
        replies: [(near, 1), (deep, 2)]
            .map(|(post, depth)| ReplyView { post, depth, is_below_unseen: false })
            .into(),
        more_replies: false,
        own: None,
        just_posted: None,
    }
}

/// Two posts that name ada, and a follower between them.
pub(super) fn news() -> NewsPage {
    let follow = PostId::from_raw(899);
    NewsPage {
        news: vec![
            NewsRow::Named(Box::new(post(900, "ben", "Ben Kroll", 4, "@ada The glove is yours?"))),
            NewsRow::Followed { person: person("mina", "Mina Okafor"), at: Wall(follow.at_ms()) },
            NewsRow::Named(Box::new(post(0, "yuki", "Yuki Aoki", 25, "Thanks @ada!"))),
        ],
        older: Some(PostId::from_raw(0)),
        read_to: PostId::from_raw(0),
    }
}

/// What a search finds: recent tags where it asks for nothing.
pub(super) fn found(query: &str) -> FoundPage {
    if query.is_empty() {
        let tags = ["seeds", "größe"].map(|word| word.parse().unwrap());
        return FoundPage { tags: tags.into(), ..FoundPage::default() };
    }
    FoundPage {
        people: people(),
        posts: posts().posts,
        older: Some(PostId::from_raw(896)),
        ..FoundPage::default()
    }
}

pub(super) fn of_ben(id: u64) -> PostRef {
    PostRef { user: name("ben"), id: PostId::from_raw(id) }
}

/// Ada's opened post, which said something else before.
pub(super) fn history() -> HistoryPage {
    let text = |at, text: &str, note: Option<&str>| TextView {
        at: Wall(at),
        text: text.to_owned(),
        note: note.map(str::to_owned),
        mentions: vec![name("ben")],
    };
    let opened = thread().post;
    let texts = vec![
        text(NOW.0 - 180_000, "Is it mien, @ben?", None),
        text(NOW.0 - 60_000, &opened.text, Some("Gloves")),
    ];
    HistoryPage { post: opened, texts }
}

/// A page shows these words and not the others, as its source has them.
#[track_caller]
pub(super) fn check_shows(response: &Response, words: &[&str], others: &[&str]) {
    let html = text(response);
    for words in words {
        assert!(html.contains(words), "{words:?} is not in {html}");
    }
    for others in others {
        assert!(!html.contains(others), "{others:?} is in {html}");
    }
}
