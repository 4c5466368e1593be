//! MNIST for Wengert over HTTPS: mirrors, checksums, and a cut connection that costs only what it cut.
//!
//! The design decision: a crate of its own, because reading files must not bring along a TLS stack.
//!
//! A file arrives under its name with `.part` added and gets its final name when its decompressed content has the right
//! SHA-256. A `.part` that is left behind is continued by the next call; if the two halves do not fit, because the
//! server's file is another one by now, it is fetched anew.
#![forbid(unsafe_code)]

mod error;

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use ureq::{Agent, http::Response};

pub use error::DownloadError;
pub use wengert_files::FileError;

/// Where [`mnist`] can be had, to be tried in this order. The original host refuses to serve the files.
pub const MNIST_MIRRORS: [&str; 2] =
    ["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"];

/// The four files of MNIST. The bytes of the `.gz` differ between distributions; their content does not.
pub const MNIST_FILES: [RemoteFile<'static>; 4] = [
    RemoteFile {
        name: "train-images-idx3-ubyte.gz",
        bytes: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    RemoteFile {
        name: "train-labels-idx1-ubyte.gz",
        bytes: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    RemoteFile {
        name: "t10k-images-idx3-ubyte.gz",
        bytes: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    RemoteFile {
        name: "t10k-labels-idx1-ubyte.gz",
        bytes: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// To connect, to answer, and between two pieces of the answer; a slow connection that keeps moving is never cut.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file on a mirror.
#[derive(Clone, Copy, Debug)]
pub struct RemoteFile<'a> {
    /// Its name, on the mirror and on disk.
    pub name: &'a str,
    /// Size of the decompressed content in bytes.
    pub bytes: u64,
    /// SHA-256 of the decompressed content in lower-case hexadecimal.
    pub sha256: &'a str,
}

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Bytes on disk, of the file as it is sent; includes what an earlier call left.
    pub bytes: u64,
    /// Bytes of the whole file, if the server says.
    pub total: Option<u64>,
}

/// Makes `directory` hold the four files of MNIST, ready for `mnist::load` of `wengert-data`. `mirrors` are base
/// addresses, usually [`MNIST_MIRRORS`].
///
/// # Errors
///
/// As [`RemoteFile::fetch`].
pub fn mnist(
    directory: impl AsRef<Path>,
    mirrors: &[&str],
    mut progress: impl FnMut(Progress),
) -> Result<(), DownloadError> {
    for file in MNIST_FILES {
        file.fetch(&directory, mirrors, &mut progress)?;
    }
    Ok(())
}

/// Why an attempt failed: the next mirror may do better, or nothing will.
enum Failure {
    Mirror(String),
    Local(DownloadError),
}

impl RemoteFile<'_> {
    /// Makes `directory` hold this file and returns its path; a file already there with the right content, compressed
    /// or not, is left alone, and the directory may then be read-only. Waits while another process fetches into the
    /// same directory.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Mirrors`] with what each mirror did, if none delivered the content with the right checksum;
    /// [`DownloadError::File`] if the directory cannot be written, or something else than a file has one of the names.
    /// The final name is never on anything unverified.
    pub fn fetch(
        &self,
        directory: impl AsRef<Path>,
        mirrors: &[&str],
        mut progress: impl FnMut(Progress),
    ) -> Result<PathBuf, DownloadError> {
        let directory = directory.as_ref();
        if let Some(present) = self.present(directory) {
            return Ok(present);
        }
        fs::create_dir_all(directory).map_err(DownloadError::io(directory, "create"))?;
        let _lock = lock(directory)?;
        // Again: another process may have fetched it meanwhile.
        if let Some(present) = self.present(directory) {
            return Ok(present);
        }
        let path = directory.join(self.name);
        refuse_other_than_file(&path)?;
        let mut attempts = Vec::new();
        for mirror in mirrors {
            let url = format!("{}/{}", mirror.trim_end_matches('/'), self.name);
            match self.fetch_from(&url, &path, &mut progress) {
                Ok(()) => return Ok(path),
                Err(Failure::Mirror(why)) => attempts.push(format!("{url}: {why}")),
                Err(Failure::Local(error)) => return Err(error),
            }
        }
        if attempts.is_empty() {
            attempts.push("no mirror was given".into());
        }
        Err(DownloadError::Mirrors { path, attempts })
    }

    /// The file, if it is there and right.
    fn present(&self, directory: &Path) -> Option<PathBuf> {
        let path = directory.join(self.name);
        let mut forms = [path.clone(), path.with_extension("")].into_iter();
        forms.find(|form| form.is_file() && self.verify(form).is_ok())
    }

    fn fetch_from(&self, url: &str, path: &Path, progress: &mut impl FnMut(Progress)) -> Result<(), Failure> {
        let part = path.with_file_name(format!("{}.part", self.name));
        refuse_other_than_file(&part).map_err(Failure::Local)?;
        loop {
            let resumed_at = self.transfer(url, &part, progress)?;
            match self.verify(&part) {
                Ok(()) => {
                    let file = OpenOptions::new().append(true).open(&part);
                    let file = file.map_err(DownloadError::io(&part, "open")).map_err(Failure::Local)?;
                    let placed = wengert_files::place(&file, &part, path);
                    return placed.map_err(DownloadError::io(path, "put in place")).map_err(Failure::Local);
                }
                Err(why) => {
                    remove(&part)?;
                    if resumed_at == 0 {
                        return Err(Failure::Mirror(why));
                    }
                    // The first half was of another file: once more, from the start.
                }
            }
        }
    }

    /// Brings `part` to its full length, continuing what it holds if the server can, and returns where it continued.
    fn transfer(&self, url: &str, part: &Path, progress: &mut impl FnMut(Progress)) -> Result<u64, Failure> {
        let present = fs::metadata(part).map_or(0, |metadata| metadata.len());
        let response = request(url, present).map_err(|error| Failure::Mirror(error.to_string()))?;
        let start = match response.status().as_u16() {
            200 => 0, // everything, whether or not a range was asked for
            206 if range_start(&response) == Some(present) => present,
            206 => {
                remove(part)?;
                return Err(Failure::Mirror("the server sent another range than it was asked for".into()));
            }
            416 if present > 0 => return Ok(present), // nothing left to send; the checksum decides
            status => return Err(Failure::Mirror(format!("expected HTTP status 200, found {status}"))),
        };
        let body = response.into_body();
        let total = body.content_length().map(|rest| start.saturating_add(rest));
        self.receive(body.into_reader(), part, start, total, progress)?;
        Ok(start)
    }

    /// Writes `body` to `part` from byte `start` on; a body shorter than announced is an error of the reader.
    fn receive(
        &self,
        mut body: impl Read,
        part: &Path,
        start: u64,
        total: Option<u64>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), Failure> {
        let local = |error| Failure::Local(DownloadError::io(part, "write")(error));
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(part).map_err(local)?;
        file.set_len(start).and_then(|()| file.seek(SeekFrom::Start(start))).map_err(local)?;
        let (mut bytes, mut buffer) = (start, vec![0; 1 << 16]);
        loop {
            progress(Progress { file: self.name, bytes, total });
            let count = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Mirror(format!("cut after {bytes} bytes: {error}"))),
            };
            bytes += count as u64;
            if bytes > self.limit() {
                remove(part)?;
                return Err(Failure::Mirror(format!("expected at most {} bytes, found more", self.limit())));
            }
            file.write_all(&buffer[..count]).map_err(local)?;
        }
    }

    /// The most bytes a sensible gzip of the content can take: deflate stores what it cannot shrink, at 5 bytes per
    /// block.
    fn limit(&self) -> u64 {
        self.bytes + self.bytes / 100 + 1024
    }

    /// Whether the file at `path`, decompressed if it is gzip, is the right one; if not, what it is instead.
    fn verify(&self, path: &Path) -> Result<(), String> {
        let (bytes, sha256) = digest(path, self.bytes + 1).map_err(|error| self.found(error))?;
        if bytes == self.bytes && sha256 == self.sha256 {
            return Ok(());
        }
        Err(self.found(format_args!("{bytes} bytes with {sha256}")))
    }

    fn found(&self, found: impl Display) -> String {
        format!("expected {} bytes with SHA-256 {}, found {found}", self.bytes, self.sha256)
    }
}

/// Length and SHA-256 of the decompressed content of `path`, of which no more than `limit` bytes are read.
fn digest(path: &Path, limit: u64) -> io::Result<(u64, String)> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let gzip = file.fill_buf()?.starts_with(&GZIP_MAGIC);
    // A gzip file may have several members, one after the other.
    let content: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut content = content.take(limit);
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn request(url: &str, present: u64) -> Result<Response<ureq::Body>, ureq::Error> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(PATIENCE))
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE));
    let request = Agent::new_with_config(config.build()).get(url);
    match present {
        0 => request.call(),
        _ => request.header("Range", format!("bytes={present}-")).call(),
    }
}

/// The first byte of a `Content-Range: bytes 100-999/1000`.
fn range_start(response: &Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn remove(part: &Path) -> Result<(), Failure> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::Local(DownloadError::io(part, "remove")(error)))
        }
        _ => Ok(()),
    }
}

/// To open a pipe waits for its other end, a device is not to be written over, and what a link leads to is not ours.
fn refuse_other_than_file(path: &Path) -> Result<(), DownloadError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(FileError::malformed(path, "a file or nothing", "something else").into())
        }
        _ => Ok(()),
    }
}

/// Holds off other processes until dropped. Its own file, because the `.part` changes its name while it is in use.
fn lock(directory: &Path) -> Result<File, DownloadError> {
    let path = directory.join(".download.lock");
    refuse_other_than_file(&path)?;
    let file = File::create(&path).map_err(DownloadError::io(&path, "create"))?;
    match file.lock() {
        // A file system may lack locks: download all the same.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => {
            Err(DownloadError::io(&path, "lock")(error))
        }
        _ => Ok(file),
    }
}
