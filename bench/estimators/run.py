# SPDX-License-Identifier: Apache-2.0
"""laminar.sklearn in scikit-learn's place: `python bench/estimators/run.py`.

Runs one and the same script with the estimators of both, in fresh processes on one processor each,
in turns, and prints scores on test rows (mean and standard deviation over seeds) and the ratio of
the times of fit. Fails where scores differ by more than chance lets them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import data
import script

LIBRARIES = ("laminar", "sklearn")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LIMIT = 4.0  # standard errors of a difference; by chance one in a hundred passes it with five seeds

RESOLUTION = 0.002  # a row in 500; the tests have 111 to 4,000


def run_script(library: str, task: str, seed: int, processors: int) -> dict[str, Any]:
    """Run the script in a process of its own, with one thread on each of its processors."""
    chosen = sorted(os.sched_getaffinity(0))[:processors]
    finished = subprocess.run(
        [sys.executable, Path(script.__file__), library, task, str(seed)],
        env=os.environ | dict.fromkeys(THREADS, "1"),
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise SystemExit(f"{library}, {task}, seed {seed}:\n{finished.stderr}")
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def both(task: str, seeds: int, processors: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Return the results of all seeds; every other seed runs the libraries backwards."""
    results: dict[str, list[dict[str, Any]]] = {library: [] for library in LIBRARIES}
    for seed in range(seeds):
        for library in LIBRARIES[:: 1 if seed % 2 == 0 else -1]:
            results[library].append(run_script(library, task, seed, processors))
    return results


def standard_errors(a: list[float], b: list[float]) -> float:
    """Return the difference of two means in standard errors, which a row of the test limits."""
    difference = abs(statistics.fmean(a) - statistics.fmean(b))
    error = ((statistics.variance(a) + statistics.variance(b)) / len(a)) ** 0.5
    return difference / max(error, RESOLUTION)


def column(results: list[dict[str, Any]], key: str) -> list[float]:
    """Return one figure of all seeds."""
    return [result[key] for result in results]


def compare(tasks: list[str], seeds: int) -> bool:
    """Print the table of scores; return whether all agree."""
    print("| task | laminar | scikit-learn | apart, standard errors | sklearn / laminar, time |")
    print("|---|---|---|---|---|")
    agree = True
    for task in tasks:
        results = both(task, seeds)
        scores = [column(results[library], "score") for library in LIBRARIES]
        times = [column(results[library], "seconds") for library in LIBRARIES]
        apart = standard_errors(*scores)
        agree = agree and apart <= LIMIT
        cells = [f"{statistics.fmean(s):.4f} ± {statistics.stdev(s):.4f}" for s in scores]
        ratios = [theirs / ours for ours, theirs in zip(*times, strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"| {task} | {cells[0]} | {cells[1]} | {apart:.1f} | {spread} |", flush=True)
    return agree


def search(seeds: int) -> bool:
    """Print the times of searches in one process and in two; return whether both find the same."""
    print("\n| search | laminar, s | scikit-learn, s |\n|---|---|---|")
    found: dict[str, list[Any]] = {library: [] for library in LIBRARIES}
    for task in script.SEARCHES:
        results = both(task, seeds, processors=2)
        cells = []
        for library in LIBRARIES:
            times = column(results[library], "seconds")
            cells.append(f"{statistics.median(times):.2f} ({min(times):.2f}-{max(times):.2f})")
            found[library].append([result["found"] for result in results[library]])
        print(f"| {task} | {cells[0]} | {cells[1]} |", flush=True)
    return all(one == two for one, two in found.values())


def main() -> int:
    """Run what the command line asks for; return 1 where the libraries disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", nargs="+", choices=data.DATA, default=list(data.DATA))
    parser.add_argument("--no-search", action="store_true", help="leave GridSearchCV out")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds must be at least 2, for a standard deviation")
    chosen = []
    for name in arguments.data:
        try:
            data.DATA[name]()
        except FileNotFoundError as error:
            print(
                f"{name} left out: {error.filename} is absent; LAMINAR_TEST_DATA names its folder"
            )
        else:
            chosen.append(name)
    tasks = [task for task, (name, _, _) in script.TASKS.items() if name in chosen]
    agree = compare(tasks, arguments.seeds)
    if not arguments.no_search:
        agree = search(arguments.seeds) and agree
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
