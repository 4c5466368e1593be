//! Downloads, against a server that the test itself runs on the loopback.

mod server;

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use server::{Answer, Server};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use wengert_data::{idx, mnist};
use wengert_download::{DownloadError, Progress, RemoteFile};

const NAME: &str = "train-labels-idx1-ubyte.gz";

/// Content that does not compress, so that half of the gzip is about half of it.
fn content() -> Vec<u8> {
    let mut state = 1u32;
    let random = (0..300_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    [0, 0, 8, 1].into_iter().chain(300_000u32.to_be_bytes()).chain(random).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes and total of every [`Progress`], in order.
type Seen = Vec<(u64, Option<u64>)>;

/// Fetches the file whose content is [`content`]; also returns what was told of the progress.
fn fetch(directory: &Path, servers: &[&Server]) -> (Result<(), DownloadError>, Seen) {
    let sha256 = sha256(&content());
    let file = RemoteFile { name: NAME, bytes: content().len() as u64, sha256: &sha256 };
    let mirrors: Vec<&str> = servers.iter().map(|server| server.address()).collect();
    let mut seen = Seen::new();
    let result = file.fetch(directory, &mirrors, |Progress { file, bytes, total }| {
        assert_eq!(file, NAME);
        seen.push((bytes, total));
    });
    (result.map(|path| assert_eq!(path, directory.join(NAME))), seen)
}

fn assert_complete(directory: &Path) {
    assert_eq!(idx::read(directory.join(NAME)).unwrap().as_slice().unwrap(), &content()[8..]);
    assert!(!directory.join(format!("{NAME}.part")).exists());
}

/// Nothing has the final name; returns what is kept for the next call.
fn assert_incomplete(directory: &Path) -> Option<Vec<u8>> {
    assert!(!directory.join(NAME).exists());
    fs::read(directory.join(format!("{NAME}.part"))).ok()
}

#[test]
fn a_file_is_fetched_once() {
    let directory = TempDir::new().unwrap();
    let target = directory.path().join("datasets/mnist");
    let packed = gzip(&content());
    let length = packed.len() as u64;
    let server = Server::start(move |_| Answer::whole(&packed));
    let (result, seen) = fetch(&target, &[&server]);
    result.unwrap();
    assert_complete(&target);
    assert_eq!((seen[0], *seen.last().unwrap()), ((0, Some(length)), (length, Some(length))));
    assert!(seen.is_sorted() && seen.len() > 3);

    fetch(&target, &[&server]).0.unwrap();
    assert_eq!(server.requests().len(), 1, "a verified file is not fetched again");
    assert_eq!(server.requests()[0].path, format!("/base/{NAME}"));

    // A damaged one is, and so is one of which the decompressed form is there but wrong.
    fs::write(target.join(NAME), &gzip(&content())[..1000]).unwrap();
    fs::write(target.join(NAME.trim_end_matches(".gz")), b"wrong").unwrap();
    fetch(&target, &[&server]).0.unwrap();
    assert_eq!(server.requests().len(), 2);
    assert_complete(&target);
}

#[test]
fn the_decompressed_file_serves_as_well() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(|_| Answer::status(500));
    let plain = directory.path().join(NAME.trim_end_matches(".gz"));
    fs::write(&plain, content()).unwrap();
    let sha256 = sha256(&content());
    let file = RemoteFile { name: NAME, bytes: content().len() as u64, sha256: &sha256 };
    assert_eq!(file.fetch(directory.path(), &[server.address()], |_| ()).unwrap(), plain);
    assert!(server.requests().is_empty());
}

/// Nobody, not even root, can make the lock here: as in a read-only directory.
#[test]
fn a_file_that_is_there_needs_nothing_written() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join(".download.lock")).unwrap();
    let server = Server::start(|_| Answer::whole(&gzip(&content())));
    let error = fetch(directory.path(), &[&server]).0.unwrap_err().to_string();
    assert!(error.contains(".download.lock: expected a file or nothing"), "{error}");
    fs::write(directory.path().join(NAME), gzip(&content())).unwrap();
    fetch(directory.path(), &[&server]).0.unwrap();
    assert!(server.requests().is_empty());
}

/// To open a pipe would wait for ever; to rename over it would turn it into a file.
#[test]
#[cfg(unix)]
fn a_pipe_by_one_of_the_names_is_refused() {
    use std::os::unix::fs::FileTypeExt;
    for name in [NAME, &format!("{NAME}.part"), ".download.lock"] {
        let directory = TempDir::new().unwrap();
        let pipe = directory.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let server = Server::start(|_| Answer::whole(&gzip(&content())));
        let error = fetch(directory.path(), &[&server]).0.unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name}: expected a file or nothing, found something else")),
            "{error}"
        );
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }
}

#[test]
fn the_second_mirror_serves_when_the_first_cannot() {
    let directory = TempDir::new().unwrap();
    let empty = Server::start(|_| Answer::status(404));
    let full = Server::start(|_| Answer::whole(&gzip(&content())));
    fetch(directory.path(), &[&empty, &full]).0.unwrap();
    assert_complete(directory.path());
    assert_eq!((empty.requests().len(), full.requests().len()), (1, 1));
}

#[test]
fn when_all_mirrors_fail_the_error_tells_what_each_did() {
    let directory = TempDir::new().unwrap();
    let absent = Server::start(|_| Answer::status(404));
    let gone = Server::start(|_| Answer::status(503));
    let error = fetch(directory.path(), &[&absent, &gone]).0.unwrap_err();
    assert!(matches!(&error, DownloadError::Mirrors { attempts, .. } if attempts.len() == 2), "{error:?}");
    for part in [NAME, absent.address(), "found 404", gone.address(), "found 503"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(assert_incomplete(directory.path()), None);

    let error = fetch(directory.path(), &[]).0.unwrap_err().to_string();
    assert!(error.contains("no mirror was given"), "{error}");
    // A port where nobody listens.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error =
        wengert_download::mnist(directory.path(), &[&format!("http://{address}")], |_| ()).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_cut_connection_is_resumed_where_it_was_cut() {
    let directory = TempDir::new().unwrap();
    let packed = gzip(&content());
    let half = packed.len() / 2;
    let body = packed.clone();
    let server = Server::start(move |request| match request.range_start {
        None => Answer::whole(&body).cut_after(half),
        Some(start) => Answer::range(&body, start),
    });
    let error = fetch(directory.path(), &[&server]).0.unwrap_err();
    assert!(error.to_string().contains("cut after"), "{error}");
    let kept = assert_incomplete(directory.path()).unwrap();
    assert!(!kept.is_empty() && packed.starts_with(&kept));

    let (result, seen) = fetch(directory.path(), &[&server]);
    result.unwrap();
    assert_complete(directory.path());
    assert_eq!(server.requests()[1].range_start, Some(kept.len()));
    assert_eq!(seen[0], (kept.len() as u64, Some(packed.len() as u64)));
}

#[test]
fn a_cut_at_any_place_is_resumed() {
    let packed = gzip(&content());
    for cut in [0, 1, 2, 17, packed.len() - 1] {
        let directory = TempDir::new().unwrap();
        let body = packed.clone();
        let server = Server::start(move |request| match request.range_start {
            None => Answer::whole(&body).cut_after(cut),
            Some(start) => Answer::range(&body, start),
        });
        let second = Server::start({
            let body = packed.clone();
            move |request| Answer::range(&body, request.range_start.unwrap_or(0))
        });
        fetch(directory.path(), &[&server, &second]).0.unwrap();
        assert_complete(directory.path());
    }
}

#[test]
fn a_server_that_ignores_the_range_sends_everything_again() {
    let packed = gzip(&content());
    for leftover in [packed[..1000].to_vec(), vec![0; packed.len() + 5]] {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join(format!("{NAME}.part")), &leftover).unwrap();
        let body = packed.clone();
        let server = Server::start(move |_| Answer::whole(&body));
        fetch(directory.path(), &[&server]).0.unwrap();
        assert_eq!(server.requests()[0].range_start, Some(leftover.len()));
        assert_eq!(server.requests().len(), 1);
        assert_complete(directory.path());
    }
}

#[test]
fn a_part_of_another_file_is_dropped_and_the_file_fetched_anew() {
    let packed = gzip(&content());
    for leftover in [packed[1..1000].to_vec(), vec![0; packed.len() + 5], packed.clone()] {
        let directory = TempDir::new().unwrap();
        let complete = leftover == packed;
        fs::write(directory.path().join(format!("{NAME}.part")), leftover).unwrap();
        let body = packed.clone();
        let server = Server::start(move |request| match request.range_start {
            None => Answer::whole(&body),
            Some(start) if start >= body.len() => Answer::status(416),
            Some(start) => Answer::range(&body, start),
        });
        fetch(directory.path(), &[&server]).0.unwrap();
        assert_complete(directory.path());
        // A part that was complete already is recognised by its checksum.
        assert_eq!(server.requests().len(), if complete { 1 } else { 2 });
    }
}

#[test]
fn a_range_that_was_not_asked_for_is_not_glued_on() {
    let directory = TempDir::new().unwrap();
    let packed = gzip(&content());
    fs::write(directory.path().join(format!("{NAME}.part")), &packed[..1000]).unwrap();
    let server = Server::start(move |request| match request.range_start {
        Some(start) => Answer::range(&packed, start + 1),
        None => Answer::whole(&packed),
    });
    let error = fetch(directory.path(), &[&server]).0.unwrap_err();
    assert!(error.to_string().contains("another range"), "{error}");
    assert_eq!(assert_incomplete(directory.path()), None);
    fetch(directory.path(), &[&server]).0.unwrap();
    assert_complete(directory.path());
}

#[test]
fn wrong_content_is_a_checksum_error_and_no_file() {
    let mut wrong = content();
    wrong[1000] ^= 1;
    let damaged = [&gzip(&content())[..2000], b"?"].concat();
    for body in [gzip(&wrong), damaged, b"<html>Sign in to the network</html>".to_vec(), Vec::new()] {
        let directory = TempDir::new().unwrap();
        let server = Server::start(move |_| Answer::whole(&body));
        let error = fetch(directory.path(), &[&server]).0.unwrap_err().to_string();
        assert!(error.contains("SHA-256") && error.contains(&sha256(&content())), "{error}");
        assert_eq!(assert_incomplete(directory.path()), None);
    }
}

#[test]
fn an_endless_body_is_cut_off() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(|_| Answer::endless());
    let (result, seen) = fetch(directory.path(), &[&server]);
    assert!(result.unwrap_err().to_string().contains("expected at most"));
    assert!(seen.last().unwrap().0 < 400_000);
    assert_eq!(assert_incomplete(directory.path()), None);
}

#[test]
fn a_bomb_is_not_decompressed_further_than_the_file_should_be() {
    let directory = TempDir::new().unwrap();
    let bomb = gzip(&vec![0; 16 << 20]);
    let server = Server::start(move |_| Answer::whole(&bomb));
    let error = fetch(directory.path(), &[&server]).0.unwrap_err().to_string();
    assert!(error.contains("found 300009 bytes"), "one more than the content has: {error}");
}

/// To open a pipe that nobody reads would be to wait for ever.
#[test]
#[cfg(unix)]
fn what_is_not_a_plain_file_is_refused_and_left_as_it_is() {
    let server = Server::start(|_| Answer::whole(&gzip(&content())));
    for name in [".download.lock".to_owned(), format!("{NAME}.part"), NAME.to_owned()] {
        let directory = TempDir::new().unwrap();
        let pipe = directory.path().join(&name);
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let error = fetch(directory.path(), &[&server]).0.unwrap_err().to_string();
        assert!(error.contains(&name), "{error}");
        assert!(!fs::symlink_metadata(pipe).unwrap().is_file());
    }
}

/// A file by the lock's name that is a directory: like a directory that cannot be written, also for root.
#[test]
fn a_file_that_is_there_needs_no_lock() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join(NAME), gzip(&content())).unwrap();
    fs::create_dir(directory.path().join(".download.lock")).unwrap();
    fetch(directory.path(), &[]).0.unwrap();
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let directory = TempDir::new().unwrap();
    let packed = gzip(&content());
    let server = Server::start(move |_| Answer::whole(&packed));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| fetch(directory.path(), &[&server]).0.unwrap());
        }
    });
    assert_complete(directory.path());
    assert_eq!(server.requests().len(), 1, "the second waited for the first and found its file");
}

#[test]
fn the_real_mnist_from_the_loopback() {
    let Some(source) = std::env::var_os("WENGERT_MNIST_DIR") else {
        println!("skipped: WENGERT_MNIST_DIR is not set");
        return;
    };
    let directory = TempDir::new().unwrap();
    let server = Server::start(move |request| {
        let name = request.path.rsplit('/').next().unwrap();
        Answer::whole(&fs::read(Path::new(&source).join(name)).unwrap())
    });
    wengert_download::mnist(directory.path(), &[server.address()], |_| ()).unwrap();
    assert_eq!(mnist::load(directory.path()).unwrap().train.labels()[..5], [5, 0, 4, 1, 9]);
    wengert_download::mnist(directory.path(), &[server.address()], |_| ()).unwrap();
    assert_eq!(server.requests().len(), 4);
}
