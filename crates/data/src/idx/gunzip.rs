use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The content of a gzip file, which may have several members, one after the other, and zeros behind them: what writes
/// in blocks pads with zeros, and Python's `gzip` reads that too.
pub(super) struct Gunzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(file: R) -> Self {
        Self(Some(GzDecoder::new(file)))
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            // The member is at its end, and its checksum was right.
            let more = skip_zeros(member.get_mut())?;
            self.0 = self.0.take().filter(|_| more).map(|member| GzDecoder::new(member.into_inner()));
        }
        Ok(0)
    }
}

/// Whether something else follows.
fn skip_zeros(file: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = file.fill_buf()?;
        match bytes.iter().position(|&byte| byte != 0) {
            Some(zeros) => {
                file.consume(zeros);
                return Ok(true);
            }
            None if bytes.is_empty() => return Ok(false),
            None => {
                let zeros = bytes.len();
                file.consume(zeros);
            }
        }
    }
}
