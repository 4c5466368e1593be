//! Ranks as processes that an MPI has started.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use mpi::environment::Universe;
use mpi::topology::{Rank, SimpleCommunicator};
use mpi::traits::{Communicator, Destination, Equivalence, Source};
use mpi::{Threading, request};

use crate::agreement::agree;
use crate::{Group, GroupError};

/// How long MPI may take to end all processes.
const PATIENCE: Duration = Duration::from_secs(5);
/// A rank polls without sleeping for `BUSY`, then every `PAUSE`.
const BUSY: Duration = Duration::from_micros(200);
const PAUSE: Duration = Duration::from_micros(50);

/// All processes of `mpirun`.
pub struct World {
    world: SimpleCommunicator,
    deadline: Duration,
    /// The last message that was sent: the next one is received into its memory, whose pages the system has cleared.
    sent: Cell<Vec<u8>>,
    /// Last, as it ends MPI when it is dropped.
    _universe: Universe,
}

impl World {
    /// Runs `train` in each process. Where it fails, or panics, or another rank has not answered for `deadline`, the
    /// process prints why to standard error, and all processes end with an exit code that is not 0: within a second, or
    /// within six where MPI itself hangs. The deadline also applies to the start and the end of MPI, which wait for
    /// all.
    ///
    /// Rank 0 may keep the others waiting, to evaluate or to write a file, and so does the slowest, in a step or while
    /// it loads its data: the deadline must be longer than that. A process that was suspended does not count that time.
    ///
    /// Processes that another MPI's `mpirun` has started, so that each would be alone, end with an error, too.
    ///
    /// # Panics
    ///
    /// If MPI has been initialized before.
    pub fn run<E: Display>(deadline: Duration, train: impl FnOnce(&Self) -> Result<(), E>) -> ExitCode {
        // Only this thread calls MPI; those of rayon compute.
        let start = || mpi::initialize_with_threading(Threading::Funneled).expect("MPI is initialized once");
        let (universe, _) = within(deadline, "MPI has not started", start);
        let world = Self { world: universe.world(), deadline, sent: Cell::default(), _universe: universe };
        let several =
            |name| std::env::var(name).is_ok_and(|text| text.parse().is_ok_and(|size: usize| size > 1));
        if world.size() == 1 && ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].into_iter().any(several) {
            world.fail(&"it was built for another MPI than that of `mpirun`, so that each process is alone");
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| train(&world)));
        outcome.unwrap_or_else(|_| world.fail(&"it has panicked")).unwrap_or_else(|error| world.fail(&error));
        agree(&world, None).unwrap_or_else(|error| world.fail(&error));
        within(deadline, "MPI has not ended", || drop(world));
        ExitCode::SUCCESS
    }

    fn fail(&self, error: &dyn Display) -> ! {
        say(&format!("rank {} of {}: error: {error}", self.rank(), self.size()));
        // Others may be about to say the same.
        thread::sleep(Duration::from_millis(500));
        within(PATIENCE, "MPI has not ended the other processes", || self.world.abort(1))
    }

    /// Waits until `done` has something, for a message from or to `rank`.
    fn wait<T>(&self, rank: usize, mut done: impl FnMut() -> Option<T>) -> T {
        let mut waited = Duration::ZERO;
        loop {
            let start = Instant::now();
            if let Some(found) = done() {
                return found;
            }
            if waited > self.deadline {
                // A message that is under way cannot be taken back, so that there is no error to return.
                self.fail(&GroupError::Deadline(rank, self.deadline));
            }
            let pause: fn() = if waited < BUSY { thread::yield_now } else { || thread::sleep(PAUSE) };
            pause();
            // In more it was suspended, and so were the others, perhaps.
            waited += start.elapsed().min(Duration::from_secs(1));
        }
    }

    fn finish<'a>(&self, rank: usize, request: request::Request<'a, [u8], &request::LocalScope<'a>>) {
        let mut pending = Some(request);
        self.wait(rank, || pending.take()?.test().map_err(|request| pending = Some(request)).ok());
    }
}

/// In one piece, as all processes write to one terminal, and perhaps to nobody.
fn say(message: &str) {
    let _ = io::stderr().write_all(format!("{message}\n").as_bytes());
}

/// Where MPI waits for other processes, it waits for ever: this one then ends after `deadline`, and says what hangs.
fn within<T>(deadline: Duration, silence: &'static str, call: impl FnOnce() -> T) -> T {
    let (done, waiting) = mpsc::channel::<()>();
    thread::spawn(move || {
        if waiting.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
            say(&format!("error: {silence} within {deadline:?}: another process is gone, or hangs"));
            process::abort();
        }
    });
    let result = call();
    drop(done);
    result
}

impl Group for World {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    /// Where another group would return an error, this one prints it and ends the process.
    ///
    /// # Panics
    ///
    /// If the message has 2³¹ bytes or more, which MPI cannot count.
    fn exchange(&self, to: &[usize], message: Vec<u8>, from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        assert!(i32::try_from(message.len()).is_ok(), "`exchange`: a message of {} bytes", message.len());
        let at = |rank: usize| self.world.process_at_rank(rank as Rank);
        let received = request::scope(|scope| {
            let sent: Vec<_> =
                to.iter().map(|&rank| (rank, at(rank).immediate_send(scope, &message[..]))).collect();
            let mut received = Vec::new();
            if let Some(rank) = from {
                let (message, status) = self.wait(rank, || at(rank).immediate_matched_probe());
                received = self.sent.take();
                received.resize(status.count(u8::equivalent_datatype()) as usize, 0);
                request::scope(|scope| {
                    self.finish(rank, message.immediate_matched_receive_into(scope, &mut received[..]));
                });
            }
            sent.into_iter().for_each(|(rank, request)| self.finish(rank, request));
            received
        });
        self.sent.set(message);
        Ok(received)
    }
}
