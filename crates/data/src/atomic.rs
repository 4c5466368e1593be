//! A file under its final name is always complete: it is written under another name, synced, then renamed.

use crate::DataError;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Writes `path` with `fill`; on any error `path` is as it was before and nothing is left beside it.
pub(crate) fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), DataError> {
    // The same directory, because a rename across file systems is a copy.
    let temp = temporary().tempfile_in(directory_of(path)).map_err(DataError::io(path, "create"))?;
    let mut buffer = BufWriter::new(temp.as_file());
    fill(&mut buffer).and_then(|()| buffer.flush()).map_err(DataError::io(path, "write"))?;
    drop(buffer);
    place(temp.as_file(), temp.path(), path)
}

/// Gives the complete file `from`, open as `file`, its final name `to` in the same directory.
pub(crate) fn place(file: &File, from: &Path, to: &Path) -> Result<(), DataError> {
    // Without the sync, a power cut after the rename could leave the final name on an empty file.
    file.sync_all()
        .and_then(|()| fs::rename(from, to))
        .and_then(|()| sync_directory(directory_of(to)))
        .map_err(DataError::io(to, "put in place"))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wengert-").suffix(".tmp");
    // Temporary files are private by default; a data file should have the permissions the umask asks for.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(()) // elsewhere a directory cannot be opened as a file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, |w| w.write_all(b"old")).unwrap();
        let error = write(&path, |w| {
            w.write_all(b"half of the ne")?;
            Err(io::Error::other("disk full"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("disk full") && error.to_string().contains("file"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file"]);

        // Another name of the old file keeps its content: the new one was not written into it.
        fs::hard_link(&path, dir.path().join("link")).unwrap();
        write(&path, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(dir.path().join("link")).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file", "link"]);
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let error = write(&dir.path().join("absent").join("file"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }
}
