//! Pictures in backups, and in directories that are looked at: there and back, and said where they are not.

use std::path::{Path, PathBuf};

use tern::action::{Action, KeptPicture, NewPost, OnePicture, PostedPicture};
use tern::id::PictureName;
use tern::wire::request::Outcome;

use super::check::{check, findings};
use super::{backup, creation, restored, verified};
use crate::member::harness::{Machines, Ran, eventually};
use crate::repair::pictures::{path, picture};

/// Has a member post a picture through machine 1.
fn post(all: &Machines, session: &str, shade: u8) -> KeptPicture {
    let (new, bytes) = picture(shade);
    let (caller, kept) = (all.caller(), new.kept);
    let keep = (Action::KeepPicture(new), bytes.as_slice());
    let told = caller.ask_beside(1, Some(session), keep).unwrap().0.data.outcome;
    assert!(matches!(told, Outcome::PictureKept), "{told:?}");
    let pictures = vec![PostedPicture { kept, description: String::new() }];
    let post = NewPost { pictures, ..caller.new_post("Look") };
    assert!(caller.is_saved(1, session, &post));
    kept
}

fn files(kept: &[KeptPicture]) -> Vec<PictureName> {
    kept.iter().flat_map(|kept| [kept.file, kept.thumb]).collect()
}

/// A machine with a member who has posted two pictures.
fn one_machine() -> (Machines, [KeptPicture; 2]) {
    let all = Machines::start(1);
    let session = all.join(1, "ada");
    let kept = [10, 200].map(|shade| post(&all, &session, shade));
    (all, kept)
}

fn is_shown(all: &Machines, number: u16, name: PictureName) -> bool {
    let asked = (Action::Picture(OnePicture { name, viewer: None, was_kept: false }), &[][..]);
    let told = all.caller().ask_beside(number, None, asked);
    told.is_ok_and(|(told, bytes)| {
        matches!(told.data.outcome, Outcome::Picture) && name.is_of(&bytes)
    })
}

fn made(all: &Machines, name: &str) -> (PathBuf, Ran) {
    let (to, words) = creation(all, 1, name);
    (to, Ran::of(words))
}

#[test]
fn pictures_come_back_from_a_backup_on_every_machine() {
    let (all, kept) = one_machine();
    let (whole, ran) = made(&all, "a.tar");
    let told = ran.done();
    assert!(told.contains("1 user, 4 files of pictures, "), "{told}");
    verified(&whole);
    // A picture's bytes are looked at, and one that is not whole is never brought back.
    let bytes = std::fs::read(&whole).unwrap();
    let file = std::fs::read(path(&all.data(1), kept[0].file)).unwrap();
    let at = bytes.windows(file.len()).position(|window| window == file).unwrap();
    let mut rotten = bytes;
    rotten[at + file.len() / 2] ^= 1;
    let bad = all.dir.path().join("bad.tar");
    std::fs::write(&bad, rotten).unwrap();
    let (shown, data) = (bad.display().to_string(), all.dir.path().join("db"));
    let what = format!("{}: it is not the picture of that name", kept[0].file);
    backup(&["verify", &shown]).refused(1, &what);
    backup(&["restore", &shown, &format!("--data={}", data.display())]).refused(1, &what);
    assert!(!data.exists(), "nothing was left behind");

    let new = restored(&whole);
    check_restored(&new, &kept);
}

fn check_restored(new: &Machines, kept: &[KeptPicture]) {
    for name in files(kept) {
        for number in 1..=3 {
            eventually(&format!("{name} on machine {number}"), || {
                let file = std::fs::read(path(&new.data(number), name)).unwrap_or_default();
                (name.is_of(&file) && is_shown(new, number, name)).then_some(())
            });
        }
    }
}

#[test]
fn picture_that_no_machine_has_is_said_wherever_somebody_looks() {
    let (mut all, kept) = one_machine();
    let lost = path(&all.data(1), kept[0].file);
    let aside = all.dir.path().join("aside");
    std::fs::rename(&lost, &aside).unwrap();
    let (file, ran) = made(&all, "lacking.tar");
    ran.refused(5, "1 files of pictures are missing");
    let shown = file.display().to_string();
    let told = backup(&["verify", &shown]).done();
    assert!(told.contains("1 files of pictures are not in it"), "{told}");
    let json = backup(&["verify", &shown, "--json"]).done();
    assert!(json.contains("\"pictures\":3,\"pictures_missing\":1,"), "{json}");
    let missing = || match all.ask(1, None, Action::ClusterStatus).unwrap().data.outcome {
        Outcome::Status(page) => page.machines[0].pictures_missing,
        other => panic!("{other:?}"),
    };
    eventually("the machine to say that it lacks one", || (missing() == 1).then_some(()));
    let data = all.dir.path().join("db");
    let told = backup(&["restore", &shown, &format!("--data={}", data.display())]).done();
    assert!(told.contains("1 files of pictures were missing already"), "{told}");
    all.kill(1);
    for data in [&all.data(1), &data] {
        let found = (in_data(kept[0].file), "missing_picture".to_owned());
        assert_eq!(findings(data, 1), [found]);
    }
    // Put back by hand, it is there again.
    std::fs::rename(&aside, &lost).unwrap();
    check(&all.data(1), &[]).done();
}

fn in_data(name: PictureName) -> String {
    path(Path::new(""), name).display().to_string()
}

#[test]
fn check_looks_at_pictures_and_sets_damaged_ones_aside() {
    let (mut all, kept) = one_machine();
    all.kill(1);
    let data = all.data(1);
    let told = check(&data, &[]).done();
    assert!(told.contains("1 user's file and 4 of pictures, "), "{told}");
    // What no post refers to is no fault, and is counted.
    let (new, bytes) = picture(90);
    let unneeded = path(&data, new.kept.file);
    std::fs::create_dir_all(unneeded.parent().unwrap()).unwrap();
    std::fs::write(&unneeded, &bytes[..new.file_bytes as usize]).unwrap();
    super::check::make_private(&data);
    let told = check(&data, &[]).done();
    assert!(told.contains(" 5 of pictures, 1 of which no post refers to, "), "{told}");

    let rotten = path(&data, kept[1].file);
    std::fs::write(&rotten, "rotten").unwrap();
    let name = in_data(kept[1].file);
    assert_eq!(findings(&data, 1), [(name.clone(), "damaged_picture".to_owned())]);
    let left = unneeded.with_extension("jpg.tmp");
    std::fs::write(&left, "half").unwrap();
    let told = check(&data, &["--repair"]).ended_with(1);
    for said in [format!("mended: {name}: set aside in damaged/").as_str(), ".jpg.tmp: removed"] {
        assert!(told.contains(said), "{said:?} in {told}");
    }
    assert!(!left.exists() && unneeded.exists() && !rotten.exists());
    let aside = data.join("damaged").join(kept[1].file.to_string());
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "rotten");
    // Somebody else has to give it back.
    assert_eq!(findings(&data, 1), [(name, "missing_picture".to_owned())]);
}
