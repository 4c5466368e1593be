//! Ranks as processes that an MPI has started.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use mpi::environment::Universe;
use mpi::request::Request;
use mpi::topology::{Rank, SimpleCommunicator};
use mpi::traits::{Communicator, Destination, Equivalence, Source};
use mpi::{Threading, request};

use crate::agreement::agree;
use crate::{Group, GroupError};

/// How long MPI may take to end them.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a rank looks for a message all the time, and then how often.
const BUSY: Duration = Duration::from_micros(200);
const PAUSE: Duration = Duration::from_micros(50);

/// All processes of `mpirun`.
///
/// Dropped by a panic, it ends them all: the others would wait.
pub struct World {
    world: SimpleCommunicator,
    deadline: Duration,
    /// Last, as it ends MPI when it is dropped.
    _universe: Universe,
}

impl World {
    /// Runs `train` in each process. Where it fails, or panics, or another rank has not answered for `deadline`, the
    /// process prints why to standard error, and all processes end with an exit code that is not 0: within a second, or
    /// within six where MPI itself hangs. The deadline is also for the start and the end of MPI, which wait for all.
    ///
    /// Rank 0 may keep the others waiting, to evaluate or to write a file: the deadline must be longer than that.
    ///
    /// # Panics
    ///
    /// If MPI has been initialized before.
    pub fn run<E: Display>(deadline: Duration, train: impl FnOnce(&Self) -> Result<(), E>) -> ExitCode {
        // Only this thread calls MPI; those of rayon compute.
        let start = || mpi::initialize_with_threading(Threading::Funneled).expect("MPI is initialized once");
        let (universe, _) = within(deadline, "MPI has not started", start);
        let world = Self { world: universe.world(), deadline, _universe: universe };
        train(&world).unwrap_or_else(|error| world.fail(&error));
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
        let start = Instant::now();
        loop {
            if let Some(found) = done() {
                return found;
            }
            if start.elapsed() < BUSY {
                thread::yield_now()
            } else {
                thread::sleep(PAUSE)
            }
            if start.elapsed() > self.deadline {
                // A message that is under way cannot be taken back, so that there is no error to return.
                self.fail(&GroupError::Deadline(rank, self.deadline));
            }
        }
    }

    fn finish<'a>(&self, rank: usize, request: Request<'a, [u8], &request::LocalScope<'a>>) {
        let mut pending = Some(request);
        self.wait(rank, || {
            let request = pending.take().expect("kept until it is done");
            request.test().map_err(|request| pending = Some(request)).ok()
        });
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
            say(&format!("error: {silence} for {deadline:?}: another process is gone, or hangs"));
            process::abort();
        }
    });
    let result = call();
    drop(done);
    result
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            self.fail(&"it has panicked");
        }
    }
}

impl Group for World {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    /// # Panics
    ///
    /// If the message has 2³¹ bytes or more, which MPI cannot count.
    fn exchange(&self, to: &[usize], message: &[u8], from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        assert!(i32::try_from(message.len()).is_ok(), "`exchange`: a message of {} bytes", message.len());
        let at = |rank: usize| self.world.process_at_rank(rank as Rank);
        request::scope(|scope| {
            let sent: Vec<_> =
                to.iter().map(|&rank| (rank, at(rank).immediate_send(scope, message))).collect();
            let mut received = Vec::new();
            if let Some(rank) = from {
                let (message, status) = self.wait(rank, || at(rank).immediate_matched_probe());
                received = vec![0; status.count(u8::equivalent_datatype()) as usize];
                request::scope(|scope| {
                    self.finish(rank, message.immediate_matched_receive_into(scope, &mut received[..]));
                });
            }
            sent.into_iter().for_each(|(rank, request)| self.finish(rank, request));
            Ok(received)
        })
    }
}
