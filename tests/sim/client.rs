//! The clients: what they ask for, how they repeat it, and what they were told.

use std::collections::BTreeMap;

use tern::id::{Hash128, NodeId, PostId, RequestId, RequestKey, UserName};
use tern::replica::version::{Version, chain_hash};

use crate::event::{Ctx, Event, Request, Verdict, What};

/// How long a client waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 2_500;

/// One act of a client, with all its sendings.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) user: UserName,
    pub(crate) key: RequestKey,
    pub(crate) what: What,
    pub(crate) begun: u64,
    /// When it was answered, and how.
    pub(crate) answered: Option<(u64, Verdict)>,
    pub(crate) sendings: u32,
    /// To how many of them the answer was that nothing was saved.
    denials: u32,
}

#[derive(Default)]
struct Client {
    at: Option<usize>,
    /// The version last seen of each user.
    seen: BTreeMap<UserName, Version>,
}

pub(crate) struct Clients {
    all: Vec<Client>,
    pub(crate) deeds: Vec<Deed>,
    users: Vec<UserName>,
    /// Posts that were acknowledged, to be deleted now and then.
    posts: BTreeMap<UserName, Vec<PostId>>,
    pub(crate) machines: Vec<NodeId>,
    pub(crate) is_over: bool,
}

impl Deed {
    /// Whether some sending of it may have been done without its sender hearing of it.
    pub(crate) fn is_open(&self) -> bool {
        self.denials < self.sendings
    }
}

impl Clients {
    pub(crate) fn new(count: usize, users: Vec<UserName>, machines: Vec<NodeId>) -> Self {
        Self {
            all: (0..count).map(|_| Client::default()).collect(),
            deeds: Vec::new(),
            users,
            posts: BTreeMap::new(),
            machines,
            is_over: false,
        }
    }

    pub(crate) fn begin(&self, cx: &mut Ctx) {
        for client in 0..self.all.len() {
            let ms = cx.random.below(300);
            cx.after(ms, Event::Client { client, waited_for: None });
        }
    }

    /// A client has time, or has waited long enough for an answer.
    pub(crate) fn turn(&mut self, cx: &mut Ctx, client: usize, waited_for: Option<(usize, u32)>) {
        match (self.all[client].at, waited_for) {
            (None, None) if !self.is_over => self.start(cx, client),
            (Some(deed), Some((late, sending)))
                if deed == late && self.deeds[deed].sendings == sending =>
            {
                self.again(cx, client);
            }
            _ => {}
        }
    }

    fn start(&mut self, cx: &mut Ctx, client: usize) {
        // The first users are asked for most.
        let (a, b) = (cx.random.index(self.users.len()), cx.random.index(self.users.len()));
        let user = self.users[a.min(b)].clone();
        let what = self.choose(cx, client, &user);
        self.deed(cx, client, (user, what));
    }

    fn deed(&mut self, cx: &mut Ctx, client: usize, (user, what): (UserName, What)) -> usize {
        let key = RequestKey { ops: 0, id: RequestId(cx.random.bytes()) };
        let begun = cx.now;
        self.deeds.push(Deed { user, key, what, begun, answered: None, sendings: 0, denials: 0 });
        let deed = self.deeds.len() - 1;
        self.all[client].at = Some(deed);
        self.send(cx, client);
        deed
    }

    fn choose(&mut self, cx: &mut Ctx, client: usize, user: &UserName) -> What {
        let is_known = self.posts.contains_key(user);
        match cx.random.below(100) {
            _ if !is_known && cx.random.chance(50) => What::Join,
            0..48 => What::Post(format!("post {} of client {client} at @", cx.random.next())),
            48..60 => match self.posts.get(user).filter(|posts| !posts.is_empty()) {
                Some(posts) if cx.random.chance(80) => What::Delete(*cx.random.pick(posts)),
                _ => What::Delete(PostId::from_raw(cx.random.below(1_000))),
            },
            60..66 => What::Follow(cx.random.pick(&self.users).clone()),
            66..70 => What::Unfollow(cx.random.pick(&self.users).clone()),
            70..73 => What::Join,
            73 if cx.random.chance(30) => What::Leave,
            74..88 => What::Read,
            _ => {
                let seen = self.all[client].seen.get(user).copied().unwrap_or_default();
                What::View(seen)
            }
        }
    }

    fn send(&mut self, cx: &mut Ctx, client: usize) {
        let Some(at) = self.all[client].at else { return };
        let to = *cx.random.pick(&self.machines);
        let deed = &mut self.deeds[at];
        deed.sendings += 1;
        let text = format!("{:?}", deed.what);
        let request = Request {
            client,
            act: at,
            sending: deed.sendings,
            user: deed.user.clone(),
            key: deed.key,
            digest: chain_hash(Hash128::default(), &[text.as_bytes()]),
            what: deed.what.clone(),
        };
        let waited_for = Some((at, deed.sendings));
        let delay = cx.random.between(1, 4);
        cx.after(delay, Event::Request { to, request });
        cx.after(PATIENCE_MS, Event::Client { client, waited_for });
    }

    fn again(&mut self, cx: &mut Ctx, client: usize) {
        let Some(at) = self.all[client].at else { return };
        let is_write = !matches!(self.deeds[at].what, What::Read | What::View(_));
        let is_patient = self.is_over || (self.deeds[at].sendings < 5 && !cx.random.chance(5));
        if is_write && is_patient {
            self.send(cx, client);
        } else {
            self.rest(cx, client);
        }
    }

    fn rest(&mut self, cx: &mut Ctx, client: usize) {
        self.all[client].at = None;
        let ms = if cx.random.chance(20) { cx.random.below(800) } else { cx.random.below(60) };
        cx.after(ms, Event::Client { client, waited_for: None });
    }

    /// A client hears an answer, perhaps to a sending that it has given up.
    pub(crate) fn told(&mut self, cx: &mut Ctx, request: &Request, verdict: Verdict) {
        let at = request.act;
        let is_lost = cx.net.loss > 0 && cx.random.chance(cx.net.loss);
        let is_current = self.all[request.client].at == Some(at);
        if is_lost {
            return;
        }
        self.deeds[at].denials += u32::from(verdict == Verdict::Nothing);
        let name = match &verdict {
            Verdict::Saved { .. } => "acknowledged",
            Verdict::Refused { .. } => "refused",
            Verdict::Seen { .. } => "read",
            Verdict::Nothing => "nothing saved",
            Verdict::Unknown => "unknown",
        };
        cx.totals.add(name, 1);
        let final_word = !matches!(verdict, Verdict::Nothing | Verdict::Unknown);
        let deed = &mut self.deeds[at];
        if final_word && deed.answered.is_none() {
            deed.answered = Some((cx.now, verdict.clone()));
        }
        match &verdict {
            Verdict::Saved { version, post, .. } => {
                let posts = self.posts.entry(request.user.clone()).or_default();
                posts.extend(post);
                let seen = self.all[request.client].seen.entry(request.user.clone());
                let seen = seen.or_default();
                *seen = version.max(seen).to_owned();
            }
            Verdict::Seen { version, .. } => {
                let seen = self.all[request.client].seen.entry(request.user.clone());
                let seen = seen.or_default();
                *seen = version.max(seen).to_owned();
            }
            _ => {}
        }
        if !is_current {
            return;
        }
        if final_word {
            self.rest(cx, request.client);
        } else if self.deeds[at].sendings == request.sending {
            self.again(cx, request.client);
        }
    }

    /// After all faults: one more write on each user, that must succeed.
    pub(crate) fn finish(&mut self, cx: &mut Ctx) -> Vec<usize> {
        let users = self.users.clone();
        let last = users.into_iter().map(|user| {
            self.all.push(Client::default());
            let client = self.all.len() - 1;
            let text = format!("last word {}", cx.random.next());
            self.deed(cx, client, (user, What::Post(text)))
        });
        last.collect()
    }
}
