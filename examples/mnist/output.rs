//! The files a run writes. What can fail is tried before training starts: nobody likes to lose a run to a typing error.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::cli::Args;
use crate::report::Epoch;

/// One JSON object per line and epoch.
pub struct Metrics {
    path: PathBuf,
    file: File,
}

/// Opens what the flags name; the error names the flag.
pub fn prepare(args: &Args) -> Outcome<Option<Metrics>> {
    if let Some(directory) = &args.plots {
        fs::create_dir_all(directory).map_err(|e| format!("--plots {}: {e}", directory.display()))?;
    }
    if let Some(file) = &args.save {
        let directory =
            file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !directory.is_dir() || file.is_dir() {
            return Err(format!("--save {}: not a file in an existing directory", file.display()).into());
        }
    }
    let open = |path: &PathBuf| {
        let file = File::create(path).map_err(|e| format!("--metrics {}: {e}", path.display()))?;
        Ok(Metrics { path: path.clone(), file })
    };
    args.metrics.as_ref().map(open).transpose()
}

impl Metrics {
    pub fn write(&mut self, epoch: &Epoch) -> Outcome<()> {
        let line = serde_json::to_string(epoch)? + "\n";
        self.file
            .write_all(line.as_bytes())
            .map_err(|e| format!("--metrics {}: {e}", self.path.display()).into())
    }
}
