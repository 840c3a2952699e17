//! Pictures on three machines: kept before anybody is told, there on every machine in the end, gone when no
//! post shows them.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tern::action::{Action, KeptPicture, NewPicture, NewPost, OnePicture, PostedPicture};
use tern::id::PictureName;
use tern::picture::{Use, prepare};
use tern::wire::request::{Outcome, Refusal};

use super::harness::{Machines, eventually};

/// A picture of one colour, as a web server sends it.
pub(crate) fn picture(shade: u8) -> (NewPicture, Vec<u8>) {
    let image = image::RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([shade, u8::try_from(x * 3).unwrap(), u8::try_from(y * 5).unwrap()])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let made = prepare(&bytes.into_inner(), Use::Post).unwrap();
    let [file, thumb] = [&made.full, &made.thumb].map(|it| PictureName::of(it.kind, &it.bytes));
    let file_bytes = u32::try_from(made.full.bytes.len()).unwrap();
    let new = NewPicture { kept: KeptPicture { file, thumb }, file_bytes };
    (new, [made.full.bytes, made.thumb.bytes].concat())
}

pub(crate) fn path(data: &Path, name: PictureName) -> PathBuf {
    let file = name.to_string();
    data.join("pictures").join(&file[..2]).join(file)
}

/// A member and what they send.
struct Sender<'a> {
    all: &'a Machines,
    session: String,
}

impl Sender<'_> {
    /// Has a picture kept by way of a machine.
    fn keep(&self, n: usize, (new, bytes): &(NewPicture, Vec<u8>)) -> Outcome {
        let action = Action::KeepPicture(new.clone());
        let told = self.all.ask_beside(n, Some(&self.session), action, bytes).unwrap();
        told.0.data.outcome
    }

    fn post(&mut self, n: usize, kept: KeptPicture) -> Outcome {
        let pictures = vec![PostedPicture { kept, description: "  A  gull ".to_owned() }];
        let post = NewPost { pictures, ..self.all.new_post("Look") };
        let (told, _) =
            self.all.ask_beside(n, Some(&self.session), Action::Post(post), &[]).unwrap();
        if let Some(renewed) = told.session {
            self.session = renewed;
        }
        told.data.outcome
    }
}

/// What a stranger is given at the picture's address.
fn shown(all: &Machines, n: usize, name: PictureName) -> Result<Vec<u8>, Refusal> {
    let told = all
        .ask_beside(
            n,
            None,
            Action::Picture(OnePicture { name, viewer: None, was_kept: false }),
            &[],
        )
        .unwrap();
    match told.0.data.outcome {
        Outcome::Picture => Ok(told.1),
        Outcome::Refused(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn has_all(all: &Machines, n: usize, kept: KeptPicture) -> bool {
    let is_there = |name: PictureName| {
        std::fs::read(path(&all.data(n), name)).is_ok_and(|bytes| name.is_of(&bytes))
    };
    is_there(kept.file) && is_there(kept.thumb)
}

#[test]
fn pictures_survive_a_machine_and_come_to_whoever_lacks_them() {
    let mut all = Machines::start(3);
    let session = all.join(0, "ada");
    let (one, two) = (picture(10), picture(200));
    let mut ada = Sender { all: &all, session };
    assert!(matches!(ada.keep(0, &one), Outcome::PictureKept));
    // Nobody sees what no post shows.
    assert_eq!(shown(&all, 0, one.0.kept.file), Err(Refusal::NotFound));
    assert!(matches!(ada.post(0, one.0.kept), Outcome::Saved(_)));
    let session = ada.session;
    let full = one.0.kept.file;
    for n in 0..3 {
        eventually(|| has_all(&all, n, one.0.kept).then_some(()));
        eventually(|| shown(&all, n, full).is_ok_and(|bytes| full.is_of(&bytes)).then_some(()));
    }
    // Without one machine a picture is kept, without two it is not.
    all.kill(2);
    let mut ada = Sender { all: &all, session };
    eventually(|| matches!(ada.keep(1, &two), Outcome::PictureKept).then_some(()));
    eventually(|| matches!(ada.post(1, two.0.kept), Outcome::Saved(_)).then_some(()));
    let session = ada.session;
    all.kill(1);
    let ada = Sender { all: &all, session };
    let third = picture(90);
    eventually(|| {
        let refused = ada.keep(0, &third);
        matches!(refused, Outcome::Refused(Refusal::NoMajority { .. })).then_some(())
    });
    // One comes back without any, one with a damaged one.
    std::fs::remove_dir_all(all.data(2).join("pictures")).unwrap();
    std::fs::write(path(&all.data(1), full), "not a picture").unwrap();
    all.spawn(1);
    all.spawn(2);
    for n in [1, 2] {
        all.wait_until_writable(n);
        eventually(|| shown(&all, n, full).is_ok_and(|bytes| full.is_of(&bytes)).then_some(()));
        for kept in [one.0.kept, two.0.kept] {
            eventually(|| has_all(&all, n, kept).then_some(()));
        }
    }
}

#[test]
fn pictures_of_a_deleted_post_are_shown_to_nobody_and_go() {
    let mut all = Machines::start(3);
    let session = all.join(0, "ada");
    let one = picture(10);
    let mut ada = Sender { all: &all, session };
    assert!(matches!(ada.keep(0, &one), Outcome::PictureKept));
    assert!(matches!(ada.post(0, one.0.kept), Outcome::Saved(_)));
    let mut session = ada.session;
    (0..3).for_each(|n| eventually(|| has_all(&all, n, one.0.kept).then_some(())));
    assert_eq!(all.delete_all(0, &mut session, "Look"), 1);
    for n in 0..3 {
        let gone = || shown(&all, n, one.0.kept.file) == Err(Refusal::NotFound);
        eventually(|| gone().then_some(()));
    }
    // Two days later, as far as the files tell.
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for n in 0..3 {
        all.kill(n);
        for name in [one.0.kept.file, one.0.kept.thumb] {
            let file = std::fs::File::options().write(true).open(path(&all.data(n), name));
            file.unwrap().set_modified(long_ago).unwrap();
        }
    }
    (0..3).for_each(|n| all.spawn(n));
    for n in 0..3 {
        let is_gone = || {
            let names = [one.0.kept.file, one.0.kept.thumb];
            names.iter().all(|name| !path(&all.data(n), *name).exists())
        };
        eventually(|| is_gone().then_some(()));
    }
}
