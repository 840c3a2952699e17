//! Joining, signing in, and what needs the password: hashing happens before the lock is taken, and
//! what was verified is checked again under it.

use std::net::IpAddr;

use super::Backend;
use super::view::{Asked, Asker, Done, Permit, Result, SessionNow};
use super::write::{OneAct, Wrote, invalid, saved};
use crate::action::{
    self, Action, Admission, Change, ChangePassword, DeleteAccount, Join, Login, NewSession,
    Opening, Problem, RequestKey,
};
use crate::auth::password::Verdict;
use crate::auth::policy;
use crate::auth::session::{SessionText, Token};
use crate::auth::throttle::ActKind;
use crate::auth::{AuthError, policy::Names};
use crate::id::UserName;
use crate::limits::DEVICE_CHARS_MAX;
use crate::metrics;
use crate::replica::version::Version;
use crate::user::{Receipt, Seen, Status};
use crate::wire::request::{Field, FieldProblem, Outcome, Refusal};

/// A password that is right, by the record that was the newest to be had.
pub(super) struct Verified {
    /// That record.
    pub(super) hash: String,
    /// A record of today's strength, where that one is weaker.
    rehashed: Option<String>,
}

impl Backend {
    pub(super) fn join(&self, asked: Asked<'_>, data: Join) -> Result {
        let Asked { permit, .. } = asked;
        let name = self.check_join(&data)?;
        let display_name = data.display_name.clone();
        let (token, session) = opening_of(&data.opening)?;
        let address = network_address(&data.opening)?;
        self.throttle.check_join(address, self.clock.mono()).map_err(too_many)?;
        let key = data.key;
        let before = self.look(&name, |user| user.seen(key, digest_of_join(&data)));
        match before {
            None | Some(Seen::Same(_)) => {}
            Some(_) => return Err(invalid(Field::Username, Problem::Taken)),
        }
        let password = data.password.clone();
        let password_hash = self.hasher.hash(&password).map_err(busy)?;
        // One that was done already is only told again.
        let admission = match before {
            None => self.admission(permit, &data.code, &name)?,
            Some(_) => Admission::Free,
        };
        let change = Change::Join { display_name, password_hash, admission, session };
        let request = Some((key, digest_of_join(&data)));
        let act = OneAct { user: &name, request };
        let who = action::Who { session: None };
        let now = self.now();
        let plan = |user: &_| action::handle(user, &who, &change, now);
        let (wrote, version) = match self.change(permit, &act, &plan) {
            Ok(written) => written,
            Err(Refusal::Conflict | Refusal::Expired) => {
                return Err(invalid(Field::Username, Problem::Taken));
            }
            Err(other) => return Err(other),
        };
        match wrote {
            Wrote::Now(_) => {
                log::info!(user:% = name, client:% = address; "joined");
                self.throttle.password_chosen(&name, address);
                Ok(self.signed_in(&name, token, version))
            }
            // Joined at an earlier sending: whoever knows the password is let in, nobody else.
            Wrote::Before(_) => match self.verify(permit, &name, &password, address) {
                Ok(verified) => self.open_session(permit, &name, verified, &data.opening),
                Err(Refusal::BadLogin) => Err(invalid(Field::Username, Problem::Taken)),
                Err(other) => Err(other),
            },
        }
    }

    /// What can be said of a join without asking anybody: all fields at once, so that a person is
    /// told once.
    pub(super) fn check_join(&self, data: &Join) -> std::result::Result<UserName, Refusal> {
        let mut problems = Vec::new();
        let mut note = |field, problem| problems.push(FieldProblem { field, problem });
        let name = action::field::username(&data.username, std::slice::from_ref(&self.community));
        let name = name.map_err(|problem| note(Field::Username, self.offering_free(problem))).ok();
        let keepers = self.cluster.local.index().keepers();
        let looks_like_one = |name: &UserName| {
            keepers.iter().any(|keeper| keeper != name && action::field::looks_like(name, keeper))
        };
        if name.as_ref().is_some_and(looks_like_one) {
            note(Field::Username, Problem::Reserved);
        }
        if let Some(name) = &name
            && let Err(problem) = action::field::display_name(&data.display_name, name)
        {
            note(Field::DisplayName, problem);
        }
        let names = Names {
            username: &data.username,
            display_name: &data.display_name,
            community: &self.community,
            host: "",
        };
        if let Some(problem) = policy::check(&data.password, names) {
            note(Field::Password, problem);
        }
        name.filter(|_| problems.is_empty()).ok_or(Refusal::Invalid { problems })
    }

    /// The same, without the offer of a name that somebody has, or had.
    fn offering_free(&self, mut problem: Problem) -> Problem {
        if let Problem::BadStart { suggestion } | Problem::BadChar { suggestion, .. } = &mut problem
        {
            suggestion.take_if(|name| self.look(name, |_| ()).is_some());
        }
        problem
    }

    pub(super) fn login(&self, asked: Asked<'_>, data: Login) -> Result {
        let Asked { permit, .. } = asked;
        let address = network_address(&data.opening)?;
        let name = UserName::from_input(&data.username).ok();
        let verified = match &name {
            Some(name) => self.verify_sign_in(permit, name, &data.password, address),
            None => Err(self.refuse_no_name(&data, address)),
        };
        let verified = verified.inspect_err(|refusal| {
            if matches!(refusal, Refusal::BadLogin | Refusal::TooMany { .. }) {
                metrics::LOGIN_FAILURES.count();
            }
            if matches!(refusal, Refusal::TooMany { .. }) {
                let is_borne = |name: &&UserName| self.cluster.local.index().is_active(name);
                let shown = name.as_ref().filter(is_borne).map_or("-", UserName::as_str);
                log::info!(user:% = shown, client:% = address; "sign-in held off");
            }
        });
        let (verified, name) = (verified?, name.ok_or(Refusal::BadLogin)?);
        let done = self.open_session(permit, &name, verified, &data.opening)?;
        log::info!(user:% = name, client:% = address; "signed in");
        Ok(done)
    }

    /// What was typed can be no name: it costs what a wrong password does, and is counted as one.
    fn refuse_no_name(&self, data: &Login, address: IpAddr) -> Refusal {
        let typed = data.username.as_str();
        if let Err(later) = self.throttle.check_login(typed, address, self.clock.mono()) {
            return too_many(later);
        }
        match self.hasher.verify_dummy(&data.password) {
            Ok(_no_match) => Refusal::BadLogin,
            Err(error) => {
                self.throttle.login_undecided(typed, address);
                busy(error)
            }
        }
    }

    /// Checks a password as [`Self::verify`], unless somebody signed in as this user too often. Only what
    /// succeeds is counted, so that strangers lock nobody out; whoever is held off is told so before
    /// anything is hashed.
    fn verify_sign_in(
        &self,
        permit: &mut Permit,
        name: &UserName,
        password: &str,
        address: IpAddr,
    ) -> std::result::Result<Verified, Refusal> {
        let now = self.clock.mono();
        self.throttle.may_act(name, ActKind::SignIn, now).map_err(too_many)?;
        let verified = self.verify(permit, name, password, address)?;
        self.allow(name, ActKind::SignIn)?;
        Ok(verified)
    }

    /// Checks the password of somebody who is not signed in; the same time and answer whether or not there
    /// is such a user.
    pub(super) fn verify(
        &self,
        permit: &mut Permit,
        name: &UserName,
        password: &str,
        address: IpAddr,
    ) -> std::result::Result<Verified, Refusal> {
        self.throttle.check_login(name.as_str(), address, self.clock.mono()).map_err(too_many)?;
        let found = self.compare(permit, name, password).inspect_err(|_| {
            self.throttle.login_undecided(name.as_str(), address);
        });
        match found.map_err(busy)? {
            (Some((verdict @ (Verdict::Match | Verdict::MatchWeak), hash)), _) => {
                self.throttle.login_succeeded(name.as_str(), address);
                // Too busy to hash again: the next sign-in does it.
                let is_weak = verdict == Verdict::MatchWeak;
                let rehashed = is_weak.then(|| self.hasher.hash(password).ok()).flatten();
                Ok(Verified { hash, rehashed })
            }
            (_, false) => Err(Refusal::Behind),
            (found, true) => {
                // A name that nobody bears may be a password in the wrong field.
                let shown = if found.is_some() { name.as_str() } else { "-" };
                log::info!(user:% = shown, client:% = address; "sign-in failed");
                Err(Refusal::BadLogin)
            }
        }
    }

    /// What a password comes to by the newest record that can be had, with that record; nothing, after the
    /// same time, where there is no such user. And whether a majority said that there is no newer one.
    fn compare(
        &self,
        permit: &mut Permit,
        name: &UserName,
        password: &str,
    ) -> std::result::Result<(Option<(Verdict, String)>, bool), AuthError> {
        let is_newest = self.refresh(permit, name);
        let active = |user: &crate::user::User| {
            (user.status == Status::Active).then(|| user.password.clone())
        };
        let found = match self.look(name, active).flatten() {
            None => self.hasher.verify_dummy(password).map(|_| None),
            Some(stored) => {
                self.hasher.verify(password, &stored).map(|verdict| Some((verdict, stored)))
            }
        };
        Ok((found?, is_newest))
    }

    /// Writes a session into the user's file. Safe to repeat: the same token opens the same session.
    pub(super) fn open_session(
        &self,
        permit: &mut Permit,
        name: &UserName,
        verified: Verified,
        opening: &Opening,
    ) -> Result {
        let (token, session) = opening_of(opening)?;
        let Verified { hash: verified_hash, rehashed } = verified;
        let change = Change::OpenSession { verified_hash, session, rehashed };
        let who = action::Who { session: None };
        let now = self.now();
        let act = OneAct { user: name, request: None };
        let (_wrote, version) =
            self.change(permit, &act, &|user| action::handle(user, &who, &change, now))?;
        Ok(self.signed_in(name, token, version))
    }

    pub(super) fn signed_in(&self, name: &UserName, token: Token, version: Version) -> Done {
        let seen = Some(self.committed(name).max(version));
        let session = SessionText { user: name.clone(), token, seen };
        let outcome = Outcome::Saved(saved(Receipt::Done));
        Done { outcome, session: SessionNow::Is(session) }
    }

    pub(super) fn change_password(&self, asked: Asked<'_>, data: ChangePassword) -> Result {
        let asker = asked.signed_in()?;
        let permit = asked.permit;
        let name = asker.user().clone();
        let display_name = self.look(&name, |user| user.display_name.clone()).unwrap_or_default();
        let names = Names {
            username: name.as_str(),
            display_name: &display_name,
            community: &self.community,
            host: "",
        };
        if let Some(problem) = policy::check(&data.new, names) {
            return Err(invalid(Field::NewPassword, problem));
        }
        self.allow(&name, ActKind::Password)?;
        let address = network_address(&data.opening)?;
        let (token, session) = opening_of(&data.opening)?;
        let verified_hash = self.verified_hash(permit, &name, &data.current)?;
        let new_hash = self.hasher.hash(&data.new).map_err(busy)?;
        let key = data.key;
        let digest = Action::ChangePassword(data).digest();
        let change = Change::ChangePassword { verified_hash, new_hash, session };
        let (receipt, version) = self.act_of(permit, asker, (key, digest), &change)?;
        log::info!(user:% = name, sessions_ended = receipt.sessions_ended(); "password changed");
        self.throttle.password_chosen(&name, address);
        let Done { session, .. } = self.signed_in(&name, token, version);
        Ok(Done { outcome: Outcome::Saved(saved(receipt)), session })
    }

    pub(super) fn delete_account(&self, asked: Asked<'_>, data: DeleteAccount) -> Result {
        let asker = asked.signed_in()?;
        let permit = asked.permit;
        let name = asker.user().clone();
        if UserName::from_input(&data.username).as_ref() != Ok(&name) {
            return Err(invalid(Field::Username, Problem::Wrong));
        }
        let verified_hash = self.verified_hash(permit, &name, &data.password)?;
        let key = data.key;
        let digest = Action::DeleteAccount(data).digest();
        let change = Change::Leave { verified_hash };
        self.act_of(permit, asker, (key, digest), &change)?;
        log::info!(user:% = name; "account deleted");
        let outcome = Outcome::Saved(saved(Receipt::Done));
        Ok(Done { outcome, session: SessionNow::Ended })
    }

    /// The record that somebody's own password, given with what they do, was found to match.
    pub(super) fn verified_hash(
        &self,
        permit: &mut Permit,
        name: &UserName,
        password: &str,
    ) -> std::result::Result<String, Refusal> {
        // Who is signed in is no stranger from anywhere: what counts is how often they are wrong.
        self.throttle.check_confirmation(name, self.clock.mono()).map_err(too_many)?;
        let found = self.compare(permit, name, password).inspect_err(|_| {
            self.throttle.confirmation_undecided(name);
        });
        match found.map_err(busy)? {
            (Some((Verdict::Match | Verdict::MatchWeak, hash)), _) => {
                self.throttle.confirmed(name);
                Ok(hash)
            }
            (_, false) => Err(Refusal::Behind),
            (_, true) => {
                log::info!(user:% = name; "own password wrong");
                Err(invalid(Field::Password, Problem::Wrong))
            }
        }
    }

    /// One act of a signed-in person that has verified their password.
    fn act_of(
        &self,
        permit: &mut Permit,
        asker: &Asker,
        request: (RequestKey, crate::id::Hash128),
        change: &Change,
    ) -> std::result::Result<(Receipt, Version), Refusal> {
        let session = Some(asker.id.clone());
        let act = OneAct { user: asker.user(), request: Some(request) };
        let who = action::Who { session };
        let now = self.now();
        let plan = |user: &_| action::handle(user, &who, change, now);
        let (wrote, version) = self.change(permit, &act, &plan)?;
        Ok((wrote.receipt(), version))
    }
}

fn digest_of_join(data: &Join) -> crate::id::Hash128 {
    Action::Join(data.clone()).digest()
}

/// The session that a web server asks to open.
pub(super) fn opening_of(opening: &Opening) -> std::result::Result<(Token, NewSession), Refusal> {
    let token = Token::parse(&opening.token)
        .map_err(|_| Refusal::BadRequest { detail: "malformed session token".to_owned() })?;
    let device = opening.device.chars().filter(|c| !c.is_control()).take(DEVICE_CHARS_MAX);
    let session = NewSession {
        id: token.id(),
        device: device.collect(),
        address: network_address(opening)?.to_string(),
        app: None,
    };
    Ok((token, session))
}

pub(super) fn network_address(opening: &Opening) -> std::result::Result<IpAddr, Refusal> {
    let detail = || Refusal::BadRequest { detail: "malformed network address".to_owned() };
    opening.address.parse().map_err(|_| detail())
}

pub(super) fn busy(error: AuthError) -> Refusal {
    if let AuthError::Busy { retry_after_s } = error {
        return Refusal::Busy { retry_after_s };
    }
    log::error!(error:%; "password not checked");
    Refusal::Busy { retry_after_s: 10 }
}

pub(super) fn too_many(later: crate::auth::throttle::RetryAfter) -> Refusal {
    Refusal::TooMany { retry_after_s: later.seconds }
}
