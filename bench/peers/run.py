# SPDX-License-Identifier: Apache-2.0
"""Time laminar beside its rivals: `python bench/peers/run.py`.

A case is timed only after all rivals gave the right answer. Each rival is a process on its own
processors, fresh in every round; they take turns, so that a drift of the machine's speed hits all.
bench/README.md describes the method.
"""

import argparse
import contextlib
import fcntl
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import cases

HERE = Path(__file__).resolve().parent
PEERS = {  # -> modules
    "laminar": ("laminar",),
    "torch": ("torch",),
    "jax": ("jax",),
    "sklearn": ("sklearn",),
    "onnxruntime": ("onnx", "onnxruntime"),
}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What holds the libraries to an older instruction set; bench/README.md says how far each obeys.
ISAS = {
    "avx2": {
        "LAMINAR_ISA": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
}
TOLERANCE = 1e-3  # of an answer: float32 against float64
TURNS = 5  # of each round
SLEEP = 0.01  # seconds before a timing, in which others' threads stop to wait for work


class Worker:
    """A rival's process on `threads` processors, which sleeps until it is asked for something."""

    def __init__(self, peer: str, threads: int, data: Path, isa: str | None):
        self.name = f"{peer}, {threads} threads"
        processors = sorted(os.sched_getaffinity(0))[:threads]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (read when the process has failed)
        self.process = subprocess.Popen(
            [sys.executable, HERE / f"{peer}_peer.py", f"--threads={threads}", f"--data={data}"],
            env=os.environ
            | dict.fromkeys(THREAD_VARIABLES, str(threads))
            | (ISAS[isa] if isa else {}),
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.about = self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                result: dict[str, Any] = json.loads(line)
                return result
        self.errors.seek(0)
        raise SystemExit(f"{self.name}:\n{self.errors.read()}")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return what the process answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._read()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()  # closes its stdin, which ends it
        self.errors.close()


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


Answer = tuple[list[float], float]  # the right one, and the size that errors in it are relative to


def check_answers(
    workers: dict[str, Worker], name: str, right: dict[bool, Answer]
) -> dict[str, float]:
    """Return each rival's relative error; leave out who lacks the case."""
    errors: dict[str, float] = {}
    for peer, worker in workers.items():
        found = worker.ask(case=name)
        if "not_offered" in found:
            print(f"  {peer} left out of {name}: {found['not_offered']}")
            continue
        expected, scale = right[worker.about["by_rows"]]
        error = max(float(np.abs(np.subtract(a, expected)).max()) for a in found["answers"])
        errors[peer] = error / scale if error == error else float("inf")
    return errors


def time_case(
    workers: dict[str, Worker], name: str, peers: list[str], seconds: float
) -> dict[str, list[float]]:
    """Return each rival's seconds per unit, one per turn; every other turn runs backwards."""
    times: dict[str, list[float]] = {peer: [] for peer in peers}
    for turn in range(TURNS):
        for peer in peers if turn % 2 == 0 else reversed(peers):
            time.sleep(SLEEP)
            times[peer].append(workers[peer].ask(case=name, seconds=seconds)["seconds"])
    return times


def groups(names: list[str]) -> list[list[str]]:
    """Return the cases that a process takes one after another: predictions of as many rows."""
    found: dict[Any, list[str]] = {}
    for name in names:
        case = cases.CASES[name]
        found.setdefault(case.batch if case.predict else name, []).append(name)
    return list(found.values())


def mean_ratio(rows: list[dict[str, Any]]) -> str:
    """Return lines with the geometric means of the ratios: of training and of prediction."""
    lines = []
    for unit in ("training step", "predicted row"):
        for threads in sorted({row["threads"] for row in rows}):
            ratios = [
                row["best_peer_over_laminar"]
                for row in rows
                if row["unit"] == unit
                and row["threads"] == threads
                and "best_peer_over_laminar" in row
            ]
            if ratios:
                behind = [r for r in ratios if r < 1]
                lines.append(
                    f"{unit}, threads {threads}: geometric mean of the ratios "
                    f"{statistics.geometric_mean(ratios):.2f} over {len(ratios)} cases, "
                    f"{len(behind)} behind"
                )
    return "\n".join(lines)


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


def write_data(name: str, folder: Path) -> dict[bool, Answer]:
    """Write a case's data; return the right answers of optimizers, those by rows and others."""
    case = cases.CASES[name]
    data = cases.make_data(case)
    np.savez(folder / f"{name}.npz", **data)
    return {by_rows: cases.reference(case, data, by_rows) for by_rows in (False, True)}


def empty_result(name: str, threads: int) -> dict[str, Any]:
    """Return what the record keeps of a case, before there is anything."""
    unit = "predicted row" if cases.CASES[name].predict else "training step"
    return {"case": name, "threads": threads, "unit": unit, "errors": {}, "seconds": {}}


def summarize(row: dict[str, Any]) -> None:
    """Add medians and the ratio."""
    row["median"] = {p: statistics.median(t) for p, t in row["seconds"].items()}
    others = [m for p, m in row["median"].items() if p != "laminar"]
    if others and "laminar" in row["median"]:
        row["best_peer_over_laminar"] = min(others) / row["median"]["laminar"]


def parse_arguments() -> argparse.Namespace:
    """Return the command line's choices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sets = {"all": tuple(cases.CASES), "train": cases.TRAININGS, "predict": cases.PREDICTIONS}
    parser.add_argument(
        "--cases",
        nargs="+",
        default=list(cases.DEFAULT_CASES),
        choices=[*cases.CASES, *sets],
        metavar="CASE",
        help="'all', 'train' (eight stacks), 'predict' (six networks, 1, 32 and 1024 rows), "
        "or some of: " + ", ".join(cases.CASES),
    )
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes")
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one timing")
    parser.add_argument("--isa", choices=ISAS, help="hold the libraries to this instruction set")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "build/bench/peers.json")
    arguments = parser.parse_args()
    chosen = [name for each in arguments.cases for name in sets.get(each, (each,))]
    arguments.cases = list(dict.fromkeys(chosen))
    if max(arguments.threads) > len(os.sched_getaffinity(0)):
        parser.error("more threads than processors that this process may use")
    return arguments


def main() -> int:
    """Check and time; return 1 if any answer was wrong."""
    arguments = parse_arguments()
    peers = [p for p in arguments.peers if all(map(importlib.util.find_spec, PEERS[p]))]
    for peer in set(arguments.peers) - set(peers):
        print(f"{peer} is not installed and is left out")

    record: dict[str, Any] = {
        "environment": environment() | {"isa": arguments.isa},
        "versions": {},
        "method": {
            "rounds": arguments.rounds,
            "turns": TURNS,
            "seconds": arguments.seconds,
            "tolerance": TOLERANCE,
        },
        "results": [],
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    for group in groups(arguments.cases):
        with tempfile.TemporaryDirectory() as folder:
            right = {name: write_data(name, Path(folder)) for name in group}
            for threads in arguments.threads:
                print(f"{', '.join(group)}; threads: {threads}", flush=True)
                rows = {name: empty_result(name, threads) for name in group}
                for r in range(arguments.rounds):
                    with contextlib.ExitStack() as stack:
                        workers = {
                            peer: stack.enter_context(
                                Worker(peer, threads, Path(folder), arguments.isa)
                            )
                            for peer in peers
                        }
                        for worker in workers.values():
                            record["versions"] |= worker.about["versions"]
                        for name, row in rows.items():
                            if r == 0:
                                row["errors"] = check_answers(workers, name, right[name])
                                if not all(e <= TOLERANCE for e in row["errors"].values()):
                                    print(f"  {name}: the answers disagree: {row['errors']}")
                                    row["wrong"] = True
                            if "wrong" not in row:
                                offered = list(row["errors"])
                                times = time_case(workers, name, offered, arguments.seconds)
                                for peer, taken in times.items():
                                    row["seconds"].setdefault(peer, []).extend(taken)
                for row in rows.values():
                    summarize(row)
                record["results"] += rows.values()
                # After each group, so that an interrupted run keeps what it has.
                arguments.out.write_text(json.dumps(record, indent=2) + "\n")

    print(
        f"\nMicroseconds per training step or predicted row: median (lowest-highest) of "
        f"{TURNS} turns of {arguments.rounds} processes\n\n{report(record['results'], peers)}\n"
    )
    print(mean_ratio(record["results"]))
    print(f"{record['environment']}\n{record['versions']}\nwritten to {arguments.out}")
    return int(any("wrong" in row for row in record["results"]))


if __name__ == "__main__":
    # Never two timings at once on one machine.
    with (Path(tempfile.gettempdir()) / "laminar-bench-peers.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another run of this program is taking times")
        sys.exit(main())
