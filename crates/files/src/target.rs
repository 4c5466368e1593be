use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The plain file that a path leads to, if there is one yet.
pub(crate) struct Target {
    /// Without symbolic links in its last place: to rename onto a link is to replace it.
    pub(crate) path: PathBuf,
    pub(crate) old: Option<Metadata>,
}

impl Target {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(old) if old.is_file() => Ok(Self { path: fs::canonicalize(path)?, old: Some(old) }),
            Ok(old) if old.is_dir() => Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory")),
            Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "it is a pipe, a socket or a device")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut path = path.to_owned();
                while let Ok(link) = fs::read_link(&path) {
                    path = directory_of(&path).join(link); // and what it leads to is still to be made
                }
                Ok(Self { path, old: None })
            }
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Gives `file` the permissions of the file that it replaces, and its owner and group as far as the system allows it.
#[cfg(unix)]
pub(crate) fn pass_on_access(old: &Metadata, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        let _ =
            fchown(file, Some(old.uid()), Some(old.gid())).or_else(|_| fchown(file, None, Some(old.gid())));
    }
    // What one group might do is not for another. And new content is not trusted to run as the owner.
    let same_group = file.metadata()?.gid() == old.gid();
    let mode = old.mode() & if same_group { 0o777 } else { 0o707 };
    if new.mode() & 0o777 == mode {
        return Ok(()); // also where a file system has no permissions to set
    }
    file.set_permissions(PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn pass_on_access(old: &Metadata, file: &File) -> io::Result<()> {
    file.set_permissions(old.permissions())
}
