use std::io::{self, Write};
use std::str;

use wengert_files::harmless;

/// What a file says, names of tensors above all, must not be able to steer the terminal.
///
/// It takes text, each character in one piece, as formatting gives it; and what is escaped stays what it was in JSON.
pub(crate) struct Terminal<W>(pub(crate) W);

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(io::Error::other)?;
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            self.0.write_all(harmless(line).as_bytes())?;
            self.0.write_all(end.as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
