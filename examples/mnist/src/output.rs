//! What a run writes. What can fail is tried before training starts: nobody likes to lose a run to a typing error.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::cli::Args;
use crate::report::{Epoch, Speed};
use crate::{Outcome, plots};

/// Standard output. That it is full, or that nobody reads any more, must not end a run that has files to write.
pub struct Console {
    quiet: bool,
    error: Option<io::Error>,
}

impl Console {
    pub fn new(args: &Args) -> Self {
        Self { quiet: args.quiet, error: None }
    }

    /// Unless `--quiet`.
    pub fn say(&mut self, line: impl Display) {
        if !self.quiet {
            self.result(line);
        }
    }

    /// In any case.
    pub fn result(&mut self, line: impl Display) {
        if let (None, Err(error)) = (&self.error, writeln!(io::stdout(), "{line}")) {
            self.error = Some(error);
        }
    }

    /// A reader that has seen enough, such as `head`, is not an error.
    pub fn close(self) -> Outcome<()> {
        match self.error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(format!("standard output: {error}; all files are written").into())
            }
            _ => Ok(()),
        }
    }
}

/// The files of a run, each with its flag.
fn files(args: &Args) -> Vec<(&'static str, PathBuf)> {
    let flags = [("--save", &args.save), ("--checkpoint", &args.checkpoint), ("--metrics", &args.metrics)];
    let mut files: Vec<_> =
        flags.into_iter().filter_map(|(flag, file)| Some((flag, file.clone()?))).collect();
    let pictures = args.plots.iter().flat_map(|directory| plots::FILES.map(|name| directory.join(name)));
    files.extend(pictures.map(|picture| ("--plots", picture)));
    files
}

/// Refuses what cannot be written, two outputs in one file, and outputs that would replace a file of `data`; the error
/// names the flag.
pub fn prepare(args: &Args, data: &[PathBuf]) -> Outcome<()> {
    if let Some(directory) = &args.plots {
        fs::create_dir_all(directory).map_err(|e| format!("--plots {}: {e}", directory.display()))?;
    }
    let files = files(args);
    for (index, (flag, file)) in files.iter().enumerate() {
        let refuse = |why: String| Err(format!("{flag} {}: {why}", file.display()).into());
        if let Err(error) = try_to_write(flag, file) {
            return refuse(error.to_string());
        }
        if let Some((other, _)) = files[..index].iter().find(|(_, other)| same_file(file, other)) {
            return refuse(format!("this is also the file of {other}"));
        }
        if let Some(data) = data.iter().find(|data| same_file(file, data)) {
            return refuse(format!("this would replace the data in {}", data.display()));
        }
    }
    Ok(())
}

/// Whether `file` can be written; changes nothing. What is written as a whole goes beside the old file first.
fn try_to_write(flag: &str, file: &Path) -> io::Result<()> {
    let file = follow(file)?;
    let whole = matches!(flag, "--save" | "--checkpoint");
    match fs::metadata(&file) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A terminal, a pipe: `Metrics` opens it, which may wait for its other end.
        Ok(metadata) if !metadata.is_file() && flag == "--metrics" => Ok(()),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("not a file that can be replaced")),
        Ok(_) if !whole => OpenOptions::new().append(true).open(&file).map(drop),
        _ => tempfile::tempfile_in(file.parent().unwrap_or(Path::new("/"))).map(drop),
    }
}

/// Also through links of both kinds. A file that is not there yet counts as the place where it will be.
fn same_file(a: &Path, b: &Path) -> bool {
    let ordinary = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let same_place = matches!((follow(a), follow(b)), (Ok(a), Ok(b)) if a == b);
    match (ordinary(a), ordinary(b)) {
        (true, true) => same_place || same_file::is_same_file(a, b).unwrap_or(false),
        _ => same_place && !a.exists(),
    }
}

/// Where a file is, or will be, after all links: a link may point to what is not there yet.
fn follow(file: &Path) -> io::Result<PathBuf> {
    let mut file = file.to_path_buf();
    for _ in 0..40 {
        let Some(name) = file.file_name() else { return file.canonicalize() };
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let place = parent.unwrap_or(Path::new(".")).canonicalize()?.join(name);
        match fs::read_link(&place) {
            Ok(target) => file = place.with_file_name(target),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::other("too many links"))
}

/// One JSON object per line and epoch, if anyone wants them. As with [`Console`], that it is full ends no run.
pub struct Metrics {
    file: Option<(PathBuf, File)>,
    error: Option<io::Error>,
}

/// How long a pipe waits for somebody who reads it.
const PATIENCE: Duration = Duration::from_secs(3);

/// To open a pipe waits for its other end, perhaps for ever; so another thread does it, and ends with the program. Not
/// to wait at all needs a flag that the standard library has no name for, and would miss a reader that is starting.
fn open(path: &Path) -> io::Result<File> {
    if path.is_file() || !path.exists() {
        return File::create(path);
    }
    let (sender, opened) = mpsc::channel();
    let path = path.to_owned();
    thread::spawn(move || sender.send(File::create(path)));
    let nobody = |_| io::Error::other(format!("nobody opened it to read within {} s", PATIENCE.as_secs()));
    opened.recv_timeout(PATIENCE).map_err(nobody)?
}

/// A line of it. How fast an epoch was is known to the process that trained it; the checkpoint, which is the same for
/// equal runs, does not say.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    epoch: &'a Epoch,
    #[serde(flatten)]
    speed: Option<&'a Speed>,
}

impl Metrics {
    /// A file with the epochs that are done, or none. Where it has a line for an epoch already, that line stays.
    pub fn create(args: &Args, done: &[Epoch]) -> Outcome<Self> {
        let Some(path) = &args.metrics else { return Ok(Self { file: None, error: None }) };
        // Not of a pipe, which has nothing to tell and no end.
        let old = if path.is_file() { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
        let file = open(path).map_err(|e| format!("--metrics {}: {e}", path.display()))?;
        let mut metrics = Self { file: Some((path.clone(), file)), error: None };
        for epoch in done {
            let same = |line: &&str| serde_json::from_str(line).is_ok_and(|old: Epoch| old == *epoch);
            match old.lines().find(same) {
                Some(line) => metrics.line(line.to_owned()),
                None => metrics.write(epoch, None)?,
            }
        }
        Ok(metrics)
    }

    pub fn write(&mut self, epoch: &Epoch, speed: Option<&Speed>) -> serde_json::Result<()> {
        self.line(serde_json::to_string(&Line { epoch, speed })?);
        Ok(())
    }

    fn line(&mut self, line: String) {
        if let (None, Some((_, file))) = (&self.error, &mut self.file) {
            self.error = file.write_all((line + "\n").as_bytes()).err();
        }
    }

    /// What went wrong meanwhile.
    pub fn close(self) -> Outcome<()> {
        match (self.file, self.error) {
            (Some((path, _)), Some(error)) => Err(format!("--metrics {}: {error}", path.display()).into()),
            _ => Ok(()),
        }
    }
}
