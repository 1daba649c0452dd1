# SPDX-License-Identifier: Apache-2.0
"""``laminar train`` beside others on real tables: `python bench/tables/run.py`.

The same splits for all: 3 seeds, a quarter of the rows for the test, classes in their shares. A
method does a table in a process of its own. What is done is kept in the file of results after every
process, and not done again. `sources.py` says where tables come from, `methods.py` what runs.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import methods
import pandas
import report
import sources

ROOT = Path(__file__).parents[2]
Results = dict[str, dict[str, list[dict[str, Any]]]]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _split(frame: pandas.DataFrame, entry: sources.Entry, seed: int) -> tuple[Any, Any]:
    from sklearn.model_selection import train_test_split

    classes = frame[entry.target] if entry.task == "classification" else None
    parts = train_test_split(frame, test_size=0.25, random_state=seed, stratify=classes)
    return parts[0].reset_index(drop=True), parts[1].reset_index(drop=True)


def _one(
    method: str, tasks: list[tuple[Any, ...]], limit: int, threads: int
) -> list[dict[str, Any]]:
    """Return what a process measured, a list with an entry for each split."""
    kind = method if method in methods.METHODS else "laminar"
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(tasks, file)
        file.flush()
        command = [sys.executable, str(Path(methods.__file__)), kind, file.name]
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        environment |= {"PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=limit, env=environment
            )
        except subprocess.TimeoutExpired:
            return [{"error": f"more than {limit} s"}]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"seed"')]
    return lines or [{"error": done.stderr[-2000:]}]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tables", metavar="NAME,NAME,...", help="those alone")
    parser.add_argument("--quick", action="store_true", help="leave out large tables")
    parser.add_argument("--methods", default=",".join(methods.METHODS), metavar="NAME,NAME,...")
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME=OPTIONS",
        help="laminar train once more, with options, such as 'one=--ensemble 1'; repeatable",
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of each method")
    parser.add_argument("--folder", type=Path, help="CSV files, the target in the last column")
    parser.add_argument("--limit", type=int, default=1800, help="seconds for a method and a table")
    parser.add_argument("--again", metavar="NAME,NAME,...", help="methods that are done once more")
    parser.add_argument("--list", action="store_true", help="say where each table comes from")
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "bench" / "tables.json")
    parser.add_argument("--picture", type=Path, help="a .png file; beside the results by default")
    return parser.parse_args()


def main() -> None:
    """Run what is missing, then print the tables and draw the picture."""
    arguments = _arguments()
    entries = [entry for entry in sources.TABLES if not (arguments.quick and entry.slow)]
    if arguments.folder is not None:
        entries += sources.of_folder(arguments.folder)
    if arguments.tables:
        names = arguments.tables.split(",")
        entries = [entry for entry in entries if entry.name in names]
    if arguments.list:
        for entry in entries:
            derived = f", another task of {entry.derived}" if entry.derived else ""
            print(f"{entry.name}: {entry.origin} {entry.item}, {entry.target}{derived}")
        return
    path: Path = arguments.results
    path.parent.mkdir(parents=True, exist_ok=True)
    results: Results = json.loads(path.read_text()) if path.exists() else {}
    again = (arguments.again or "").split(",")
    options = {name: () for name in arguments.methods.split(",")}
    for variant in arguments.variant:
        name, _, text = variant.partition("=")
        options[name] = tuple(text.split())
    for entry in entries:
        known = results.setdefault(entry.name, {})
        missing = [name for name in options if name not in known or name in again]
        if not missing:
            continue
        try:
            frame = sources.frame_of(entry, arguments.folder)
        except sources.AbsentError as absent:
            print(f"{entry.name}: skipped, {absent}", flush=True)
            continue
        splits = [_split(frame, entry, seed) for seed in range(arguments.seeds)]
        for name in missing:
            tasks = [
                (*parts, entry.target, entry.task, seed, options[name])
                for seed, parts in enumerate(splits)
            ]
            known[name] = _one(name, tasks, arguments.limit, arguments.threads)
            first = known[name][0]
            shown = first.get("error", f"{first.get('score', 0):.4f}")
            print(f"{entry.name}, {len(frame):,} rows, {name}: {shown}", flush=True)
        results[entry.name]["about"] = [{"rows": len(frame), "columns": frame.shape[1] - 1}]
        scratch = path.with_suffix(".part")
        scratch.write_text(json.dumps(results, indent=1))
        scratch.replace(path)
    report.show(results, list(options), entries)
    report.draw(results, list(options), entries, arguments.picture or path.with_suffix(".png"))


if __name__ == "__main__":
    main()
