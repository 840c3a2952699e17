//! Members who send the largest pictures that are taken, and such as claim to be small, all at once; and
//! members who take for ever.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use tern::limits::{BODY_BYTES_MAX, PICTURE_DECODED_BYTES_MAX, PICTURE_INPUT_BYTES_MAX};
use tern::thread::{Stop, spawn_named};

use super::attacked;
use super::watch::Door;
use crate::cluster::person::Person;
use crate::web::client::{Client, LOCALHOST};

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

/// How often each of them sends such a text: others come meanwhile, again and again.
const SAID: usize = 20;

/// Sends a text as long as the largest picture, all of which would be escaped if it came back.
fn say_much(person: &mut Person) {
    let form = person.act("/", "/post", &[("text", "Look"), ("more", "")]).form("/post");
    let text = "&".repeat(PICTURE_INPUT_BYTES_MAX);
    for _ in 0..SAID {
        let answer = person.submit_files(&form, &[("text", &text)], &[]);
        assert_eq!(answer.status, 413, "{}", answer.body);
        assert!(answer.body.contains("go back and shorten it"), "{}", answer.body);
    }
}

#[test]
fn r0153_texts_as_long_as_pictures_keep_the_web_server_within_its_memory() {
    let (cluster, door) = attacked();
    let mut all = ["ada", "ben"].map(|name| cluster.person(name).leaving());
    all.iter_mut().for_each(Person::join);
    door.attack_within(MEMORY_KIB_MAX, "long texts", |_watch| {
        std::thread::scope(|scope| {
            let say = |person| spawn_named(scope, "sender", move |_permit| say_much(person));
            let saying = all.each_mut().map(|person| say(person).unwrap());
            for sender in saying {
                sender.join().unwrap();
            }
        });
    });
}

/// Bytes that a form with pictures announces, and how often one of them comes.
const DRIPPED_BYTES: usize = 7_000_000;
const DRIP: Duration = Duration::from_millis(250);

/// Sends the head of such a form, then a byte now and then until it is told to stop; what it was told.
fn drip(person: &Person, door: &Door, stop: &Stop) -> String {
    let mut client = Client::connect_from(LOCALHOST, door.address);
    client.send(format!(
        "POST /post HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: {DRIPPED_BYTES}\r\n\
         Content-Type: multipart/form-data; boundary=tern\r\n\r\n",
        door.address,
        person.cookies(),
    ));
    client.stream.set_read_timeout(Some(DRIP)).unwrap();
    while !stop.is_closed() {
        client.send("x");
        let mut told = [0; 64];
        match client.stream.read(&mut told) {
            Ok(count) => return String::from_utf8_lossy(&told[..count]).into_owned(),
            Err(error)
                if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind()) => {}
            Err(error) => return error.to_string(),
        }
    }
    String::new()
}

#[test]
fn r0055_members_who_drip_give_their_place_to_those_who_wait() {
    let (cluster, door) = attacked();
    let mut all = ["ada", "ben", "cleo"].map(|name| cluster.person(name));
    all.iter_mut().for_each(Person::join);
    let [ada, ben, cleo] = &mut all;
    let stop = Stop::new();
    std::thread::scope(|scope| {
        let dripping = [&*ada, &*ben].map(|person| {
            let (door, stop) = (&door, &stop);
            spawn_named(scope, "drip", move |_permit| drip(person, door, stop)).unwrap()
        });
        // Both have been let in by then.
        stop.wait(Duration::from_secs(2));
        let form = cleo.act("/", "/post", &[("text", "Look"), ("more", "")]).form("/post");
        let typed = [("text", "What I typed")];
        let large = padded(40, 40, BODY_BYTES_MAX * 2);
        let answer = cleo.submit_files(&form, &typed, &[("picture_1", &large)]);
        stop.close();
        assert_eq!(answer.status, 303, "{}", answer.body);
        let told = dripping.map(|drip| drip.join().unwrap());
        assert!(told.iter().any(|told| told.starts_with("HTTP/1.1 408 ")), "{told:?}");
    });
}
