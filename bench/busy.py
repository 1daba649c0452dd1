# SPDX-License-Identifier: Apache-2.0
"""Training beside busy processes: `python bench/busy.py`.

Trains a network of the size that digits want and 28-5x300-1 while 0, 1, 2 and 4 other processes
want the processors all the time: laminar with the number of threads that it chooses and with one,
PyTorch and scikit-learn as they are. Each figure is the median of fits of 10 epochs in fresh
processes, which take turns.
"""

import argparse
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
sys.path.insert(0, str(PEERS))

import cases  # noqa: E402  (found by the line above)

EPOCHS = 10
CASES = {
    "64-128-64-10": cases.Case(
        "64-128-64-10", (64, 128, 64, 10), "relu", 128, "adam", "categorical", 14
    ),
    "28-5x300-1": cases.Case("28-5x300-1", (28, *[300] * 5, 1), "tanh", 100, "adam", "binary", 10),
}
KINDS = {  # name: module of the rival, its package, threads (0: what it chooses)
    "laminar": ("laminar_peer", "laminar", 0),
    "laminar, 1 thread": ("laminar_peer", "laminar", 1),
    "torch": ("torch_peer", "torch", 0),
    "sklearn": ("sklearn_peer", "sklearn", 0),
}


def measure(kind: str, case: cases.Case, fits: int) -> list[float]:
    """Return the seconds per step of some fits, in this process."""
    module, package, threads = KINDS[kind]
    warnings.simplefilter("ignore")  # scikit-learn's about convergence
    if package == "laminar":
        importlib.import_module(package).set_num_threads(threads)
    data = cases.make_data(case)
    peer = importlib.import_module(module).Peer(
        case, data["x"], data["y"], cases.initial_weights(data)
    )
    peer.fit(1)
    times = []
    for _ in range(fits):
        start = time.perf_counter()
        peer.fit(EPOCHS)
        times.append((time.perf_counter() - start) / (EPOCHS * case.steps))
    return times


def measured_apart(kind: str, case: str, fits: int) -> list[float]:
    """Return the same from a process of its own."""
    command = [sys.executable, __file__, "--measure", kind, "--case", case, "--fits", str(fits)]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return [float(seconds) for seconds in json.loads(result.stdout)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes per figure")
    parser.add_argument("--fits", type=int, default=5, help="fits timed in each process")
    parser.add_argument("--busy", nargs="+", type=int, default=[0, 1, 2, 4])
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--measure", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, CASES[arguments.case], arguments.fits)))
        return
    kinds = [kind for kind, (_, package, _) in KINDS.items() if importlib.util.find_spec(package)]
    print(f"{len(os.sched_getaffinity(0))} processors; microseconds per step, medians\n")
    print("| case | busy processes | " + " | ".join(kinds) + " | laminar / its 1 thread |")
    print("|---" * (len(kinds) + 3) + "|")
    for case in [arguments.case] if arguments.case else CASES:
        for busy in arguments.busy:
            others = [
                subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)
            ]
            try:
                times: dict[str, list[float]] = {kind: [] for kind in kinds}
                for r in range(arguments.rounds):
                    for kind in kinds if r % 2 == 0 else reversed(kinds):
                        times[kind] += measured_apart(kind, case, arguments.fits)
            finally:
                for other in others:
                    other.kill()
                    other.wait()
            median = {kind: statistics.median(seconds) for kind, seconds in times.items()}
            ratio = median["laminar"] / median["laminar, 1 thread"]
            cells = [f"{1e6 * median[kind]:.4g}" for kind in kinds]
            print(f"| {case} | {busy} | {' | '.join(cells)} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
