//! What may be at the path that is written: each kind is written, followed or refused, never replaced by another.
#![cfg(unix)]

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

fn save(path: &Path) -> io::Result<()> {
    wengert_files::write(path, |file| file.write_all(b"new"))
}

/// As a download does it.
fn place(path: &Path) -> io::Result<()> {
    let part = path.with_file_name("part");
    fs::write(&part, "new")?;
    let placed = wengert_files::place(&File::open(&part)?, &part, path);
    if placed.is_err() {
        fs::remove_file(part)?;
    }
    placed
}

const BOTH: [fn(&Path) -> io::Result<()>; 2] = [save, place];

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn links_are_followed_and_stay() {
    for save in BOTH {
        let dir = TempDir::new().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("below")).unwrap();
        fs::write(at("below/file"), "old").unwrap();
        symlink("below/file", at("relative")).unwrap();
        symlink(at("below/file"), at("absolute")).unwrap();
        symlink("relative", at("twice")).unwrap();
        symlink("below", at("folder")).unwrap();
        symlink("below/../below/made", at("dangling")).unwrap();
        symlink("dangling", at("dangling twice")).unwrap();
        let targets = [
            ("relative", "below/file"),
            ("absolute", "below/file"),
            ("twice", "below/file"),
            ("folder/file", "below/file"),
            ("dangling", "below/made"),
            ("dangling twice", "below/made"),
        ];
        for (link, target) in targets {
            wengert_files::try_to_write(&at(link)).unwrap_or_else(|error| panic!("{link}: {error}"));
            save(&at(link)).unwrap_or_else(|error| panic!("{link}: {error}"));
            assert_eq!(fs::read_to_string(at(target)).unwrap(), "new", "{link}");
            fs::write(at(target), "old").unwrap();
            assert!(link.contains('/') || at(link).is_symlink(), "{link} was replaced");
        }
        assert_eq!(names(&at("below")), ["file", "made"]);
        symlink("loop", at("loop")).unwrap();
        save(&at("loop")).unwrap_err();
        wengert_files::try_to_write(&at("loop")).unwrap_err();
        symlink("absent/file", at("nowhere")).unwrap();
        save(&at("nowhere")).unwrap_err();
        wengert_files::try_to_write(&at("nowhere")).unwrap_err();
        assert!(at("loop").is_symlink() && at("nowhere").is_symlink());
    }
}

#[test]
fn what_is_not_a_plain_file_is_refused_at_once_and_left_as_it_is() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    pipe(&at("pipe"));
    let _listener = UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink("pipe", at("link to a pipe")).unwrap();
    symlink("/dev/null", at("link to a device")).unwrap();
    let before = names(dir.path());
    let refused = |save: fn(&Path) -> io::Result<()>, path: &Path| {
        let kind = || fs::symlink_metadata(path).map(|old| (old.file_type(), old.ino())).unwrap();
        let old = kind();
        let error = save(path).unwrap_err().to_string();
        assert!(error.starts_with("it is a "), "{}: {error}", path.display());
        assert_eq!(kind(), old, "{}", path.display());
    };
    for name in ["pipe", "socket", "directory", "link to a pipe", "link to a device"] {
        BOTH.into_iter().for_each(|save| refused(save, &at(name)));
        refused(wengert_files::try_to_write, &at(name));
    }
    ["/dev/null", "/dev/full"].into_iter().for_each(|device| refused(save, Path::new(device)));
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert_eq!(names(dir.path()), before);
}

/// What the next write opens to see whether it is abandoned.
#[test]
fn a_pipe_by_the_name_of_a_temporary_file_is_left_alone() {
    let dir = TempDir::new().unwrap();
    pipe(&dir.path().join(".wengert-0123456789abcdef.tmp"));
    symlink("/dev/zero", dir.path().join(".wengert-link.tmp")).unwrap();
    save(&dir.path().join("file")).unwrap();
    assert_eq!(names(dir.path()), [".wengert-0123456789abcdef.tmp", ".wengert-link.tmp", "file"]);
}

#[test]
fn permissions_stay_and_are_nowhere_wider_meanwhile() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    for bits in [0o600, 0o644, 0o640, 0o660, 0o666, 0o400, 0o755, 0o606] {
        for save in BOTH {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
            save(&path).unwrap();
            assert_eq!((mode(&path), fs::read(&path).unwrap()), (bits, b"new".to_vec()), "{bits:o}");
            fs::remove_file(&path).unwrap();
        }
    }
    fs::write(&path, "secret").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    wengert_files::write(&path, |file| {
        assert_eq!(file.get_ref().metadata()?.mode() & 0o077, 0);
        file.write_all(b"new secret")
    })
    .unwrap();
    // Nobody promised that the new content may run as the owner.
    fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
    save(&path).unwrap();
    assert_eq!(mode(&path), 0o755);
}

/// Set where a test runs itself as a process that is killed, or as one of a user with few rights.
const PATH: &str = "WENGERT_TEST_TARGET";

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn this_test(program: &Path, name: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture"]).env(PATH, path).stdout(Stdio::piped());
    command
}

#[test]
fn the_next_write_removes_what_a_killed_writer_left() {
    if let Some(path) = std::env::var_os(PATH) {
        let forever = wengert_files::write(Path::new(&path), |file| {
            file.write_all(b"half")?;
            println!("writing");
            loop {
                std::thread::park();
            }
        });
        unreachable!("{forever:?}");
    }
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    let mut child = this_test(&this_program(), "the_next_write_removes_what_a_killed_writer_left", &path)
        .spawn()
        .unwrap();
    let mut lines = io::BufRead::lines(io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("writing")));
    save(&dir.path().join("other")).unwrap();
    assert_eq!(names(dir.path()).len(), 2, "the file of a writer that is alive stays");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(dir.path()).len(), 2);
    save(&path).unwrap();
    assert_eq!(names(dir.path()), ["file", "other"]);
}

/// Root may do everything, so the test becomes somebody else.
#[test]
fn a_directory_that_cannot_be_listed_is_written_without_a_false_error() {
    use std::os::unix::process::CommandExt;
    if let Some(path) = std::env::var_os(PATH) {
        let path = Path::new(&path);
        fs::read_dir(path.parent().unwrap()).unwrap_err();
        save(path).unwrap();
        save(path).unwrap();
        return;
    }
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o733)).unwrap();
    let below = dir.path().join("below");
    fs::create_dir(&below).unwrap();
    let program = dir.path().join("program"); // where the other user can reach it
    fs::copy(this_program(), &program).unwrap();
    let name = "a_directory_that_cannot_be_listed_is_written_without_a_false_error";
    let mut command = this_test(&program, name, &below.join("file"));
    if fs::metadata(&below).unwrap().uid() == 0 {
        std::os::unix::fs::chown(&below, Some(65_534), Some(65_534)).unwrap();
        command.uid(65_534).gid(65_534).current_dir("/");
    }
    fs::set_permissions(&below, Permissions::from_mode(0o300)).unwrap();
    // A process that another test has just started may still have the copy open for writing.
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => break output.unwrap(),
        }
    };
    fs::set_permissions(&below, Permissions::from_mode(0o700)).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(
        (names(&below), fs::read(below.join("file")).unwrap()),
        (vec!["file".to_owned()], b"new".to_vec())
    );
}

/// As root: the file of another user stays that user's.
#[test]
fn the_owner_stays_where_the_system_allows_it() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "old").unwrap();
    let own = fs::metadata(&path).unwrap();
    if own.uid() == 0 {
        std::os::unix::fs::chown(&path, Some(65_534), Some(65_533)).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    save(&path).unwrap();
    let expected = if own.uid() == 0 { (65_534, 65_533) } else { (own.uid(), own.gid()) };
    let new = fs::metadata(&path).unwrap();
    assert_eq!(((new.uid(), new.gid()), mode(&path)), (expected, 0o640));
}

#[test]
fn writers_at_once_all_succeed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| save(&path).unwrap()));
        }
    });
    assert_eq!(names(dir.path()), ["file"]);
}
