/// No file is longer, and nothing of a file that is longer is read: 4 GiB.
pub(in crate::checkpoint) const MAX_LENGTH: u64 = u32::MAX as u64;

/// Of a file of either format, before it is written: a longer one could not be read again.
pub(in crate::checkpoint) fn check_length(bytes: u64) -> Result<(), String> {
    if bytes <= MAX_LENGTH {
        return Ok(());
    }
    Err(format!("it takes {bytes} bytes, and at most {MAX_LENGTH} are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_could_not_be_read_again_is_not_written() {
        assert_eq!(check_length(MAX_LENGTH), Ok(()));
        let why = check_length(1 << 32).unwrap_err();
        assert_eq!(why, "it takes 4294967296 bytes, and at most 4294967295 are allowed");
    }
}
