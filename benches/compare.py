"""Runs the same measurement in several programs by turns (A, B, C, A, B, C, …) and prints a table.

    python compare.py train                   S, M, M-BN and L with 1 and 2 threads: a training loop
    python compare.py inference               one image, 256 images, several threads at once
    python compare.py epoch --data DIR        epochs of MNIST, from the IDX files in DIR
    python compare.py run NAME=COMMAND ...    anything that prints such JSON lines: two builds of the same example, say

The first column is ours; the last says how far it is ahead of the best of the others: above 1 it is ahead, whether the
measure is one of which more or less is better. benches/peers/README.md tells what has to be built and installed before.
Needs Linux.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
from collections import defaultdict, namedtuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "benches" / "peers"
MEASURES = {  # field of a line: its name in the table, whether more is better
    "steps_per_s": ("steps/s", True),
    "images_per_s": ("images/s", True),
    "median_us": ("median, µs", False),
    "p99_us": ("99th percentile, µs", False),
    "seconds": ("s per epoch", False),
}
# What every program in `commands` (name: words) is to do, and on how many cores.
Job = namedtuple("Job", "workload threads cores commands")


def main():
    args = arguments()
    jobs = args.jobs(args)
    ours, *others = jobs[0].commands
    names = [ours, *(name for name in others if not args.peers or name in args.peers)]
    samples, versions = measure(jobs, names, args)
    print(table(samples, versions, names))
    print(conditions(args))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)

    def mode(name, jobs):
        sub = modes.add_parser(name)
        sub.set_defaults(jobs=jobs)
        sub.add_argument("--reps", type=int, default=3, help="processes of each program for each row")
        sub.add_argument("--threads", type=int, nargs="+", default=[1, 2])
        sub.add_argument("--peers", nargs="+", help="only these, beside ours")
        sub.add_argument("--lines", type=pathlib.Path, help="append what the programs print to this file")
        if name != "run":
            target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
            sub.add_argument("--target", type=pathlib.Path, default=target, help="where cargo built our examples")
            sub.add_argument("--python", default=sys.executable, help="the Python of the peers [default: this one]")
        if name in ("train", "inference"):
            sub.add_argument("--seconds", default="3", help="how long one measurement goes on")
        return sub

    train = mode("train", train_jobs)
    train.add_argument("--workloads", nargs="+", default=["S", "M", "M-BN", "L"])
    inference = mode("inference", inference_jobs)
    inference.add_argument("--clients", type=int, nargs="*", default=[2], help="so many threads at once")
    target = os.environ.get("CARGO_TARGET_DIR", PEERS / "rust" / "target")
    inference.add_argument("--rust-target", type=pathlib.Path, default=target, help="where cargo built candle and burn")
    epoch = mode("epoch", epoch_jobs)
    epoch.add_argument("--data", type=pathlib.Path, required=True)
    epoch.add_argument("--epochs", type=int, default=3, help="in one process; the first does not count")
    run = mode("run", run_jobs)
    run.add_argument("commands", nargs="+", metavar="NAME=COMMAND",
                     help="{workload} and {threads} in a command are filled in")
    run.add_argument("--workloads", nargs="+", default=[""])
    return parser.parse_args()


def example(args, name, *words):
    return [args.target / "release" / "examples" / name, *words]


def script(args, name, peers, *words):
    return {peer: [args.python, PEERS / name, "--peer", peer, *words] for peer in peers}


def train_jobs(args):
    jobs = []
    for workload in args.workloads:
        for threads in args.threads:
            words = ["--workload", workload, "--threads", threads, "--seconds", args.seconds]
            peers = script(args, "train.py", ["jax", "torch", "torch-compile"], *words)
            jobs.append(Job(workload, threads, threads, {"wengert": example(args, "bench", *words), **peers}))
    return jobs


def inference_jobs(args):
    rust = args.rust_target / "release" / "peers-inference"

    def job(threads, cores, *words):
        words = [*words, "--seconds", args.seconds]
        commands = {"wengert": example(args, "latency", "--threads", threads, *words)}
        commands["wengert-prepared"] = example(args, "latency", "--prepared", "--threads", threads, *words)
        python = ["onnxruntime", "jax", "torch", "torch-compile"]
        commands |= script(args, "inference.py", python, "--threads", threads, *words)
        commands |= {peer: [rust, peer, *words] for peer in ("candle", "burn")}
        return Job("", threads, cores, commands)

    alone = [job(threads, threads) for threads in args.threads]
    return alone + [job(1, clients, "--clients", clients) for clients in args.clients]


def epoch_jobs(args):
    jobs = []
    for threads in args.threads:
        words = ["--data", args.data, "--epochs", args.epochs, "--threads", threads]
        ours = example(args, "mnist", *words, "--metrics", "/dev/stdout", "--quiet")
        peers = script(args, "epoch.py", ["jax", "torch", "torch-dataloader"], *words)
        jobs.append(Job("mnist", threads, threads, {"wengert": ours, **peers}))
    return jobs


def run_jobs(args):
    named = dict(command.split("=", 1) for command in args.commands)

    def fill(command, workload, threads):
        return shlex.split(command.replace("{workload}", workload).replace("{threads}", str(threads)))

    return [
        Job(workload, threads, threads, {name: fill(named[name], workload, threads) for name in named})
        for workload in args.workloads
        for threads in args.threads
    ]


def measure(jobs, names, args):
    """The values by row and program, and the programs' versions."""
    samples, versions = defaultdict(lambda: defaultdict(list)), {}
    for job in jobs:
        for rep in range(args.reps):
            for name in names:
                what = f"{job.workload}, {job.threads} thread(s), repetition {rep + 1}: {name}"
                print(what.removeprefix(", "), file=sys.stderr)
                for line in run(job.commands[name], job):
                    record = {"workload": job.workload, **line, "peer": name, "threads": job.threads}
                    if args.lines:
                        with args.lines.open("a") as file:
                            print(json.dumps(record), file=file)
                    if record.get("epoch") == 1:
                        continue
                    versions.setdefault(name, record.get("version", ""))
                    for field in MEASURES.keys() & record.keys():
                        samples[record["workload"], job.threads, field][name].append(record[field])
    return samples, versions


def run(command, job):
    """The JSON lines that the command prints; none if it fails."""
    variables = {f"{library}_NUM_THREADS": str(job.threads) for library in ("OMP", "MKL", "OPENBLAS", "RAYON")}
    cores = sorted(os.sched_getaffinity(0))[: job.cores]
    words = ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]
    done = subprocess.run(words, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"  failed: {shlex.join(words)}\n  {done.stderr.strip()[-500:]}", file=sys.stderr)
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def table(samples, versions, names):
    ours, others = names[0], names[1:]
    head = ["workload", "threads", "", *(f"{name} {versions.get(name, '')}".strip() for name in names), "ahead"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for (workload, threads, field), values in sorted_rows(samples):
        label, more_is_better = MEASURES[field]
        medians = {name: statistics.median(values[name]) for name in names if values[name]}
        lead = "–"
        if ours in medians and len(medians) > 1:
            best_of = max if more_is_better else min
            best = best_of((name for name in others if name in medians), key=medians.get)
            ratio = medians[ours] / medians[best]
            lead = f"{ratio if more_is_better else 1 / ratio:.2f} ({best})"
        cells = [cell(values[name]) for name in names]
        lines.append([workload, str(threads), label, *cells, lead])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sorted_rows(samples):
    """Rows in the order of the jobs, the measures of one line in the order of MEASURES."""
    places = {key[:2]: place for place, key in reversed(list(enumerate(samples)))}
    return sorted(samples.items(), key=lambda row: (places[row[0][:2]], list(MEASURES).index(row[0][2])))


def cell(values):
    if not values:
        return "–"
    median = statistics.median(values)
    number = f"{median:,.0f}" if median >= 1000 else f"{median:.3g}"
    return f"{number} ({100 * (max(values) - min(values)) / median:.0f} %)"


def conditions(args):
    with open("/proc/cpuinfo") as info:
        cpu = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "an unknown CPU")
    return f"""
Medians; in brackets, how far the largest and the smallest are apart. Processes of each program for each row:
{args.reps}, by turns. A process with N threads, or N clients, is pinned to N cores with taskset, and OMP_, MKL_,
OPENBLAS_ and RAYON_NUM_THREADS are its number of threads: one thread has one core, whatever the program. The first
epoch of a process does not count. {os.cpu_count()} cores of {cpu}."""


if __name__ == "__main__":
    main()
