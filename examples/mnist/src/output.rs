//! The files a run writes. What can fail is tried before training starts: nobody likes to lose a run to a typing error.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::cli::Args;
use crate::report::Epoch;

/// One JSON object per line and epoch, if anyone wants them.
pub struct Metrics(Option<(PathBuf, File)>);

/// Refuses what cannot be written; the error names the flag.
pub fn prepare(args: &Args) -> Outcome<()> {
    for (flag, file) in
        [("--save", &args.save), ("--checkpoint", &args.checkpoint), ("--metrics", &args.metrics)]
    {
        if let Some(file) = file {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            if !parent.unwrap_or(Path::new(".")).is_dir() || file.is_dir() {
                return Err(format!("{flag} {}: not a file in an existing directory", file.display()).into());
            }
        }
    }
    if let Some(directory) = &args.plots {
        fs::create_dir_all(directory).map_err(|e| format!("--plots {}: {e}", directory.display()))?;
    }
    Ok(())
}

impl Metrics {
    /// An empty file, or none.
    pub fn create(args: &Args) -> Outcome<Self> {
        let Some(path) = &args.metrics else { return Ok(Self(None)) };
        let file = File::create(path).map_err(|e| format!("--metrics {}: {e}", path.display()))?;
        Ok(Self(Some((path.clone(), file))))
    }

    pub fn write(&mut self, epoch: &Epoch) -> Outcome<()> {
        let Some((path, file)) = &mut self.0 else { return Ok(()) };
        let line = serde_json::to_string(epoch)? + "\n";
        file.write_all(line.as_bytes()).map_err(|e| format!("--metrics {}: {e}", path.display()).into())
    }
}
