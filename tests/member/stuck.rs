//! Changes that cannot go on, features, and fields of later versions.

use tern::action::{Action, Mark, NewPost, SetMark};
use tern::id::{NodeId, PostId};
use tern::user::entry::PostRef;
use tern::wire::message::FEATURES;
use tern::wire::operator::Waits;
use tern::wire::request::{Outcome, Refusal};

use super::check_copied;
use super::harness::{Machines, Ran, eventually};
use super::phases::node_file;

fn status(all: &Machines, json: bool) -> String {
    status_by(all, 1..=3, json)
}

/// What these machines say.
fn status_by(all: &Machines, numbers: impl Iterator<Item = u16>, json: bool) -> String {
    let at: Vec<_> = numbers.map(|number| all.address(number)).collect();
    let key = all.key_option();
    let words = ["cluster", "status"].map(str::to_owned).into_iter();
    let more = json.then(|| "--json".to_owned());
    Ran::of(words.chain([format!("--at={}", at.join(",")), key]).chain(more)).text()
}

/// For what a change waits, by what is told as JSON.
fn waits(status: &str) -> Option<Waits> {
    let told: serde_json::Value = serde_json::from_str(status.lines().next()?).ok()?;
    serde_json::from_value(told["pending"]["waits"].clone()).ok()
}

#[test]
fn new_machine_that_dies_before_its_list_opens_is_given_up_for_another() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "before");
    let word = format!("4={}", all.address(4));
    all.change(&["add", &word], 4).done();
    // One that cannot write the list down keeps it from opening.
    all.limit_files(3, Some(0));
    all.spawn(4);
    eventually("an old machine to take on the list", || {
        node_file(&all, 1).filter(|file| file["epoch"] == 2)
    });
    all.kill(4);
    all.limit_files(3, None);
    let waits = eventually("the change to wait for it", || waits(&status(&all, true)));
    assert!(
        matches!(
            waits,
            Waits::NewMembers(_) | Waits::OldMembers(_) | Waits::Readiness | Waits::SameFiles
        ),
        "{waits:?}"
    );
    let said = status(&all, false);
    assert!(said.contains("machines 1, 2, 3 and 4") || said.contains("1, 2, 3, 4"), "{said}");
    all.change(&["remove", "3"], 1).refused(2, "--replace-pending");
    all.change(&["remove", "3", "--replace-pending"], 1).done();
    (1..=2).for_each(|number| all.wait_until_open(number, &[1, 2]));
    assert_eq!(all.ended(3).code(), Some(3));
    all.post(2, &ada, "after");
    all.wait_until_shown(2, &["before", "after"].map(str::to_owned));
    all.spawn(4);
    assert_eq!(all.ended(4).code(), Some(3), "the list that it was to be in is given up");
}

#[test]
fn r0173_new_machine_says_which_of_the_old_ones_it_waits_for() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "before");
    all.change(&["add", &format!("4={}", all.address(4))], 4).done();
    all.kill(2);
    all.kill(3);
    all.spawn(4);
    let others = Waits::OldMembers([2, 3].map(|number| NodeId::new(number).unwrap()).to_vec());
    eventually("it to wait for those that do not answer", || {
        (waits(&status_by(&all, 4..=4, true))? == others).then_some(())
    });
    let words = "enough of the old machines; still without 2, 3";
    assert!(status_by(&all, 4..=4, false).contains(words));
    assert!(all.said(4).contains(&format!("for=\"{words}\"")), "{}", all.said(4));
    // With as many as are enough it has copied all, and waits for the last.
    all.spawn(2);
    let last = Waits::NewMembers(vec![NodeId::new(3).unwrap()]);
    eventually("it to wait for the last one", || {
        (waits(&status_by(&all, 4..=4, true))? == last).then_some(())
    });
    all.spawn(3);
    (1..=4).for_each(|number| all.wait_until_open(number, &[1, 2, 3, 4]));
}

/// Its files do not say that their last lines are committed; those it copied from do.
#[test]
fn r0010_new_machine_that_dies_once_it_has_copied_is_taken_on_later() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.post(1, &ada, "before");
    all.change(&["add", &format!("4={}", all.address(4))], 4).done();
    all.kill(1);
    all.spawn(4);
    let copied = |all: &Machines| all.said(4).matches("copied what the others hold").count();
    eventually("the new machine to copy", || (copied(&all) == 1).then_some(()));
    all.kill(4);
    all.spawn(4);
    eventually("the new machine to find that it lacks nothing", || {
        (copied(&all) == 2).then_some(())
    });
    all.spawn(1);
    check_copied(&all, 4, "ada", ["before"]);
    (1..=4).for_each(|number| all.wait_until_open(number, &[1, 2, 3, 4]));
    all.post(4, &ada, "after");
}

#[test]
fn features_of_the_first_version_finished_and_unknown_fields_kept() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    for number in 1..=3 {
        all.kill(number);
        let mut file = node_file(&all, number).unwrap();
        let fields = file.as_object_mut().unwrap();
        assert!(fields.remove("features").is_some());
        fields.insert("later".to_owned(), "kept".into());
        for member in fields["members"].as_array_mut().unwrap() {
            member.as_object_mut().unwrap().insert("colour".to_owned(), "red".into());
        }
        std::fs::write(all.data(number).join("node.json"), file.to_string()).unwrap();
    }
    (1..=3).for_each(|number| all.spawn(number));
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    assert_eq!(all.held(1).unwrap().offer.current.features, 0);
    for act in social_acts(&all) {
        let told = all.ask(1, Some(&ada), act).unwrap().data.outcome;
        assert_eq!(told, Outcome::Refused(Refusal::NotYet), "an older machine could not read it");
    }
    all.kill(3);
    all.change(&["upgrade", "finish"], 1).refused(4, "machine 3");
    all.spawn(3);
    all.wait_until_open(3, &[1, 2, 3]);
    all.change(&["upgrade", "finish"], 1).done();
    let finished = |all: &Machines, number| {
        let list = all.held(number)?.offer.current;
        (list.features == FEATURES && list.epoch == 2).then_some(())
    };
    (1..=3).for_each(|n| eventually("the upgrade to be finished", || finished(&all, n)));
    (1..=3).for_each(|number| all.wait_until_open(number, &[1, 2, 3]));
    all.change(&["upgrade", "finish"], 1).refused(2, "use it");
    for number in 1..=3 {
        all.kill(number);
        all.spawn(number);
        all.wait_until_open(number, &[1, 2, 3]);
        assert!(finished(&all, number).is_some());
        let file = node_file(&all, number).unwrap();
        assert_eq!((&file["later"], &file["features"]), (&"kept".into(), &FEATURES.into()));
        assert_eq!(file["before"]["members"][2]["colour"], "red");
        assert_eq!(file["members"][2]["colour"], "red");
    }
    all.post(3, &ada, "with all that is new");
    for act in social_acts(&all) {
        let told = all.ask(3, Some(&ada), act).unwrap().data.outcome;
        let Outcome::Saved(_) = told else { panic!("{told:?}") };
    }
}

/// Acts that take what the first version does not know: on no post that there is, where they take one.
fn social_acts(all: &Machines) -> [Action; 2] {
    let key = all.caller().key();
    let post = PostRef { user: "ada".parse().unwrap(), id: PostId::from_raw(1) };
    let note = "Ends the book".to_owned();
    [
        Action::Mark(SetMark { key, post, mark: Mark::Like, on: false }),
        Action::Post(NewPost { note, ..all.caller().new_post("It was the gardener.") }),
    ]
}

#[test]
fn two_new_machines_at_once_one_is_taken_and_the_other_told() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    for number in 4..=5 {
        let word = format!("{number}={}", all.address(number));
        all.change(&["add", &word], number).done();
    }
    all.spawn(4);
    (1..=4).for_each(|number| all.wait_until_open(number, &[1, 2, 3, 4]));
    all.spawn(5);
    assert_eq!(all.ended(5).code(), Some(3));
    assert!(all.said(5).contains("another change of the members was made first"));
    std::fs::remove_dir_all(all.data(5)).unwrap();
    let word = format!("5={}", all.address(5));
    all.change(&["add", &word], 5).done();
    all.spawn(5);
    (1..=5).for_each(|number| all.wait_until_open(number, &[1, 2, 3, 4, 5]));
    all.post(5, &ada, "five");
}
