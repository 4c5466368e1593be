//! The measurements of benches/programs/latency.rs, with candle and with burn.
//!
//!     RAYON_NUM_THREADS=1 cargo run --release -- candle
//!     RAYON_NUM_THREADS=1 cargo run --release -- burn --clients 2 --seconds 5
//!
//! The number of threads is asked of the environment, because candle looks nowhere else.

mod burn_net;
mod candle_net;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const INPUT: usize = 784;
const HIDDEN: [usize; 2] = [256, 128];
const CLASSES: usize = 10;
const ROWS: usize = 1024;
const BATCH: usize = 256;

/// Rows of images in, rows of logits out: from memory of ours to memory of ours.
trait Net: Sync {
    fn logits(&self, rows: &[f32]) -> Vec<f32>;
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| Some(words[words.iter().position(|word| word == name)? + 1].as_str());
    let threads: usize = std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|n| n.parse().ok())
        .expect("RAYON_NUM_THREADS is set");
    let seconds: f64 = option("--seconds").map_or(3.0, |text| text.parse().expect("a number"));
    let seconds = Duration::from_secs_f64(seconds);

    let (net, version): (Box<dyn Net>, _) = match words.first().map(String::as_str) {
        Some("candle") => (Box::new(candle_net::network()), "0.11.1"),
        Some("burn") => (Box::new(burn_net::network()), "0.22.1"),
        _ => panic!("usage: candle|burn [--clients N] [--seconds S]"),
    };
    let print = |mut line: Value| {
        line["peer"] = json!(words[0]);
        line["version"] = json!(version);
        line["kind"] = json!("inference");
        line["threads"] = json!(threads);
        println!("{line}");
    };

    // Greys between 0 and 1 without a pattern; which ones does not matter.
    let images: Vec<f32> = (0..ROWS * INPUT).map(|i| (i as f32 * 0.618_034).fract()).collect();
    let call = |i: usize, batch: usize| {
        let start = i * batch % ROWS;
        black_box(net.logits(&images[start * INPUT..(start + batch) * INPUT]));
    };
    if let Some(n) = option("--clients") {
        let n = n.parse().expect("a number of threads");
        print(
            json!({ "workload": format!("{n} clients"), "images_per_s": clients(n, seconds, &|i| call(i, 1)) }),
        );
        return;
    }
    let times = measure(seconds, |i| call(i, 1));
    let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e6;
    print(json!({
        "workload": "batch 1", "median_us": quantile(0.5), "p99_us": quantile(0.99), "calls": times.len(),
    }));
    let times = measure(seconds, |i| call(i, BATCH));
    let images_per_s = (BATCH * times.len()) as f64 / times.iter().sum::<Duration>().as_secs_f64();
    print(json!({ "workload": "batch 256", "images_per_s": images_per_s, "calls": times.len() }));
}

/// The time of every call, in rising order, after a tenth of the time to warm up.
fn measure(seconds: Duration, mut call: impl FnMut(usize)) -> Vec<Duration> {
    let mut run = |seconds: Duration| {
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < seconds {
            let before = Instant::now();
            call(times.len());
            times.push(before.elapsed());
        }
        times
    };
    run(seconds / 10);
    let mut times = run(seconds);
    times.sort();
    times
}

/// Calls per second of `n` threads together.
fn clients(n: usize, seconds: Duration, call: &(impl Fn(usize) + Sync)) -> f64 {
    let together = Barrier::new(n);
    let client = || {
        let run = |seconds: Duration| {
            let (start, mut calls) = (Instant::now(), 0);
            while start.elapsed() < seconds {
                call(calls);
                calls += 1;
            }
            calls as f64 / start.elapsed().as_secs_f64()
        };
        run(seconds / 10);
        together.wait();
        run(seconds)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n).map(|_| scope.spawn(client)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}
