//! Ctrl-C and SIGTERM. While a run has something to save, the first of them asks it to save and end; the second, or one
//! that comes earlier, ends the program at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

pub struct Signals {
    /// The last signal that came; 0 if none did.
    received: Arc<AtomicUsize>,
    /// Whether the next one ends the program.
    at_once: Arc<AtomicBool>,
}

impl Signals {
    pub fn install() -> io::Result<Self> {
        let signals = Self { received: Arc::default(), at_once: Arc::new(AtomicBool::new(true)) };
        for signal in [SIGINT, SIGTERM] {
            // In this order: the signal that sets `at_once` does not end the program itself.
            flag::register_conditional_shutdown(signal, code(signal), signals.at_once.clone())?;
            flag::register_usize(signal, signals.received.clone(), signal as usize)?;
            flag::register(signal, signals.at_once.clone())?;
        }
        Ok(signals)
    }

    /// From now on the first signal waits for the run to ask for it.
    pub fn defer(&self) {
        self.at_once.store(false, Ordering::SeqCst);
    }

    /// The exit code of the signal that came.
    pub fn received(&self) -> Option<u8> {
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(code(signal as i32) as u8),
        }
    }
}

/// A shell's code for a program that a signal ended: 130 for Ctrl-C, 143 for SIGTERM.
fn code(signal: i32) -> i32 {
    128 + signal
}
