# SPDX-License-Identifier: Apache-2.0
"""Time laminar beside its rivals: `python bench/peers/run.py`.

Every measurement is a fresh process on its own processors. A case is timed only after all rivals
gave the right answer; the rounds are interleaved, so that a drift of the machine's speed hits all.
bench/README.md describes the method.
"""

import argparse
import fcntl
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import cases

HERE = Path(__file__).resolve().parent
PEERS = {"laminar": "laminar", "torch": "torch", "jax": "jax", "sklearn": "sklearn"}  # -> module
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
TOLERANCE = 1e-3  # of an answer: float32 against float64


def run_worker(peer: str, case: str, threads: int, data: Path, *options: str) -> dict[str, Any]:
    """Run a rival's process on `threads` processors and return what it printed."""
    processors = sorted(os.sched_getaffinity(0))[:threads]
    arguments = [f"--case={case}", f"--threads={threads}", f"--data={data}", *options]
    finished = subprocess.run(
        [sys.executable, HERE / f"{peer}_peer.py", *arguments],
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
        preexec_fn=lambda: os.sched_setaffinity(0, processors),
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise SystemExit(f"{peer}, {case}, {threads} threads:\n{finished.stderr}")
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def environment() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    cpu = {
        key.strip(): value.strip()
        for key, _, value in (
            line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()
        )
    }
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "processors": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def check_answers(
    case: str,
    threads: int,
    peers: list[str],
    data: Path,
    right: dict[bool, tuple[list[float], float]],
) -> tuple[dict[str, float], dict[str, str]]:
    """Return each rival's relative error, and the versions; leave out who lacks the case."""
    errors, versions = {}, {}
    for peer in peers:
        result = run_worker(peer, case, threads, data)
        versions |= result["versions"]
        if "not_offered" in result:
            print(f"  {peer} left out: {result['not_offered']}")
            continue
        expected, scale = right[result["by_rows"]]
        pairs = zip(result["answer"], expected, strict=True)
        # written so that NaN counts as an error
        errors[peer] = max(abs(a - e) if a == a else float("inf") for a, e in pairs) / scale
    return errors, versions


def time_case(
    case: str, threads: int, peers: list[str], data: Path, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Return each rival's seconds per unit, one per round; every other round runs backwards."""
    times: dict[str, list[float]] = {peer: [] for peer in peers}
    for r in range(rounds):
        for peer in peers if r % 2 == 0 else reversed(peers):
            result = run_worker(peer, case, threads, data, f"--seconds={seconds}")
            times[peer].append(result["seconds"])
    return times


def report(rows: list[dict[str, Any]], peers: list[str]) -> str:
    """Return the results as a Markdown table: medians (lowest-highest) in microseconds, ratio."""
    lines = [
        "| case | threads | " + " | ".join(peers) + " | best peer / laminar |",
        "|---" * (len(peers) + 3) + "|",
    ]
    for row in rows:
        cells = [row["case"], str(row["threads"])]
        for peer in peers:
            t = [1e6 * s for s in row["seconds"].get(peer, [])]
            cells.append(f"{statistics.median(t):.4g} ({min(t):.4g}-{max(t):.4g})" if t else "-")
        ratio = row.get("best_peer_over_laminar")
        cells.append(f"{ratio:.2f}" if ratio else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's choices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cases",
        nargs="+",
        default=list(cases.DEFAULT_CASES),
        choices=[*cases.CASES, "all"],
        metavar="CASE",
        help="'all', or some of: " + ", ".join(cases.CASES),
    )
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes per figure")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one timing")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "build/bench/peers.json")
    arguments = parser.parse_args()
    if "all" in arguments.cases:
        arguments.cases = list(cases.CASES)
    if max(arguments.threads) > len(os.sched_getaffinity(0)):
        parser.error("more threads than processors that this process may use")
    return arguments


def main() -> int:
    """Check and time; return 1 if any answer was wrong."""
    arguments = parse_arguments()
    peers = [p for p in arguments.peers if importlib.util.find_spec(PEERS[p])]
    for peer in set(arguments.peers) - set(peers):
        print(f"{peer} is not installed and is left out")

    record: dict[str, Any] = {
        "environment": environment(),
        "versions": {},
        "method": {
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "tolerance": TOLERANCE,
        },
        "results": [],
    }
    wrong = False
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.cases:
            data_file = Path(folder) / "case.npz"
            data = cases.make_data(cases.CASES[name])
            np.savez(data_file, **data)
            right = {rows: cases.reference(cases.CASES[name], data, rows) for rows in (False, True)}
            del data
            for threads in arguments.threads:
                print(f"{name}, threads: {threads}", flush=True)
                errors, versions = check_answers(name, threads, peers, data_file, right)
                record["versions"] |= versions
                row: dict[str, Any] = {"case": name, "threads": threads, "errors": errors}
                row["unit"] = "predicted row" if cases.CASES[name].predict else "training step"
                row["seconds"] = {}
                record["results"].append(row)
                if not all(error <= TOLERANCE for error in errors.values()):
                    print(f"  not timed: the answers disagree, relative errors {errors}")
                    wrong = True
                    continue
                times = time_case(
                    name, threads, list(errors), data_file, arguments.rounds, arguments.seconds
                )
                row["seconds"] = times
                row["median"] = {p: statistics.median(t) for p, t in times.items()}
                others = [m for p, m in row["median"].items() if p != "laminar"]
                if others and "laminar" in times:
                    row["best_peer_over_laminar"] = min(others) / row["median"]["laminar"]
                # After each row, so that an interrupted run keeps what it has.
                arguments.out.write_text(json.dumps(record, indent=2) + "\n")

    print(
        f"\nMicroseconds per training step or predicted row: median (lowest-highest) of "
        f"{arguments.rounds} processes\n\n{report(record['results'], peers)}\n"
    )
    print(f"{record['environment']}\n{record['versions']}\nwritten to {arguments.out}")
    return int(wrong)


if __name__ == "__main__":
    # Never two timings at once on one machine.
    with (Path(tempfile.gettempdir()) / "laminar-bench-peers.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another run of this program is taking times")
        sys.exit(main())
