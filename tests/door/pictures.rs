//! Members who send the largest pictures that are taken, and such as claim to be small, all at once.

use std::io::Write;

use tern::limits::{PICTURE_DECODED_BYTES_MAX, PICTURE_INPUT_BYTES_MAX};
use tern::thread::spawn_named;

use super::attacked;
use crate::cluster::person::Person;

/// Who send at once, and how often each does.
const SENDERS: usize = 6;
const TIMES: usize = 1;
/// Memory that the web server may use meanwhile, in KiB: what was measured, 142 MiB, and some.
const MEMORY_KIB_MAX: u64 = 160 * 1024;

/// A PNG of so many pixels of one colour, padded to so many bytes.
fn padded(width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let row = vec![0; width as usize * 3 + 1];
    let mut zipped = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..height).for_each(|_| zipped.write_all(&row).unwrap());
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let chunk = |file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]| {
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(name);
        crc.update(data);
        file.extend(name);
        file.extend(data);
        file.extend(crc.sum().to_be_bytes());
    };
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &zipped.finish().unwrap());
    // Nobody knows a chunk of that name, and whoever does not know it passes it over.
    let rest = bytes - file.len() - 2 * 12;
    chunk(&mut file, b"teRn", &vec![7; rest]);
    chunk(&mut file, b"IEND", b"");
    assert_eq!(file.len(), bytes);
    file
}

/// The status of each answer that came; each that was written for a member holds what was typed.
fn send(person: &mut Person, picture: &[u8]) -> Option<u16> {
    let more = [("text", "What I typed"), ("more", "")];
    let form = person.act("/", "/post", &more).form("/post");
    let typed = [("text", "What I typed")];
    // Closed before all was sent: a refusal that says so went before.
    let answer = person.try_submit_files(&form, &typed, &[("picture_1", picture)]).ok()?;
    let status = answer.status;
    match status {
        303 => {}
        // By the gate, which has not read it: the browser has it.
        503 if !answer.body.contains("<textarea") => {
            assert!(answer.body.contains("your browser keeps what you typed"), "{}", answer.body);
        }
        422 | 429 | 503 => assert!(answer.body.contains("What I typed"), "{}", answer.body),
        _ => panic!("{status}: {}", answer.body),
    }
    Some(status)
}

fn flood(person: &Person, picture: &[u8]) -> Vec<u16> {
    std::thread::scope(|scope| {
        let sending = (0..SENDERS).map(|_| {
            let mut person = person.clone();
            let send = move |_permit| -> Vec<u16> {
                (0..TIMES).filter_map(|_| send(&mut person, picture)).collect()
            };
            spawn_named(scope, "sender", send).unwrap()
        });
        let sending: Vec<_> = sending.collect();
        sending.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    })
}

#[test]
fn s51_largest_pictures_in_a_crowd_keep_the_web_server_within_its_memory() {
    let (cluster, door) = attacked();
    // A connection that waits for more to be asked holds a thread for longer than the test waits.
    let mut ada = cluster.person("ada").leaving();
    ada.join();
    // As many pixels as are decoded at all, in as many bytes as are read at all.
    let pixels = u32::try_from(PICTURE_DECODED_BYTES_MAX / 3).unwrap();
    let largest = padded(6_000, pixels / 6_000, PICTURE_INPUT_BYTES_MAX);
    let answers = door.attack_within(MEMORY_KIB_MAX, "pictures", |_watch| flood(&ada, &largest));
    println!("answers {answers:?}");
    assert!(answers.contains(&303), "none was taken: {answers:?}");
    // A row more is more than is decoded: each is refused by its header, with a word why.
    let larger = padded(6_000, pixels / 6_000 + 1, PICTURE_INPUT_BYTES_MAX);
    let answers =
        door.attack_within(MEMORY_KIB_MAX, "larger pictures", |_watch| flood(&ada, &larger));
    println!("answers {answers:?}");
    assert!(answers.contains(&422) && !answers.contains(&303), "{answers:?}");
}
