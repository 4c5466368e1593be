//! Random numbers that follow from the seed and the number of the step.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::{Real, Tape};

impl<F: Real> Tape<F> {
    /// Lends the tape's random generator.
    ///
    /// # Panics
    ///
    /// If the tape was not made by [`with_rng`](Tape::with_seed).
    #[doc(alias = "random")]
    #[track_caller]
    pub fn with_rng<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        let Some(seed) = self.seed else {
            panic!("this tape has no random numbers: make it with Tape::with_seed(seed)");
        };
        let mut rng = self.rng.borrow_mut();
        draw(rng.get_or_insert_with(|| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            bytes[8..16].copy_from_slice(&self.step.to_le_bytes());
            StdRng::from_seed(bytes)
        }))
    }
}
