# SPDX-License-Identifier: Apache-2.0
"""An epoch on data larger than memory beside one on data in memory: `python bench/streaming.py`.

A sparse file of `--gigabytes` is mapped and streamed in a process whose own memory is limited to
`--limit` (as `ulimit -d` does); the same network then trains on arrays in memory, both pinned to
the same processors. The rate of the one is told as a share of the other's.

With `--tables` so many rows are written as CSV (numbers and two columns of categories) and as
Parquet (random float32), and read by pyarrow alone, by `Dataset.from_files`, and in an epoch: where
all rows fit into the buffer, where none is kept so that each epoch reads, and in memory. Those
follow each other in each round, and the median is told. Memory is that of a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import laminar
from laminar import layers
from laminar.data import Dataset

FEATURES = 100
BATCH = 256


def model() -> laminar.Sequential:
    """Return a small network."""
    built = laminar.Sequential(
        [
            layers.Input((FEATURES,)),
            layers.Dense(64, "relu"),
            layers.Dense(32, "relu"),
            layers.Dense(1),
        ],
        seed=0,
    )
    built.compile("adam", "mse")
    return built


def own_memory(what: str) -> float:
    """Return a line of what Linux knows of this process's memory, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(what)) / 1024


def epoch(data: object, y: object, rows: int) -> dict[str, float]:
    """Train one epoch; return rows a second and the largest memory of the process."""
    network = model()
    start = time.perf_counter()
    network.fit(data, y, batch_size=BATCH, verbose=0)
    seconds = time.perf_counter() - start
    own = own_memory("VmData")
    return {"rows": rows, "seconds": seconds, "rate": rows / seconds, "own_mb": own}


def asked(what: str, *arguments: object) -> dict[str, Any]:
    """Return what a fresh process measures."""
    command = [sys.executable, __file__, "--worker", what, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def memory(rows: int) -> dict[str, float]:
    """Measure an epoch on arrays in memory."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, FEATURES), dtype=np.float32)
    return epoch(x, np.zeros(rows, np.float32), rows)


def mapped(rows: int, folder: Path, limit: int) -> dict[str, float]:
    """Measure an epoch on mapped files in little memory."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return epoch(Dataset.from_npy(folder / "x.npy", folder / "y.npy"), None, rows)


def write_sparse(folder: Path, rows: int) -> None:
    """Create mapped arrays of zeros that take no room on the disk."""
    for name, shape in (("x", (rows, FEATURES)), ("y", (rows,))):
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, shape).flush()


def write_tables(folder: Path, rows: int) -> None:
    """Write files of random numbers: one of CSV, four of Parquet."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.standard_normal(rows).round(6) for i in range(14)}
    columns["town"] = rng.choice(["Bonn", "Ulm", "Kiel", "Graz"], rows)
    columns["kind"] = rng.choice([f"k{i}" for i in range(40)], rows)
    columns["y"] = rng.standard_normal(rows).round(6)
    for kind in ("csv", "parquet"):
        (folder / kind).mkdir()
    pyarrow.csv.write_csv(pyarrow.table(columns), folder / "csv" / "0.csv")
    for i in range(4):
        names = [*(f"x{j}" for j in range(FEATURES)), "y"]
        part = {name: rng.standard_normal(rows // 4, dtype=np.float32) for name in names}
        pyarrow.parquet.write_table(
            pyarrow.table(part), folder / "parquet" / f"{i}.parquet", row_group_size=50_000
        )


def fitting(data: Dataset) -> Callable[[object, object], object]:
    """Return what trains a small network for an epoch."""
    assert data.mean is not None
    network = laminar.Sequential(
        [
            layers.Normalization(mean=data.mean, variance=data.variance),
            layers.Dense(64, "relu"),
            layers.Dense(32, "relu"),
            layers.Dense(1),
        ],
        seed=0,
    )
    network.compile("adam", "mse")
    return lambda x, y: network.fit(x, y, batch_size=BATCH, verbose=0)


def files_read(folder: Path) -> None:
    """Read a folder's files by pyarrow alone."""
    from pyarrow import csv, parquet

    read = csv.read_csv if folder.name == "csv" else parquet.read_table
    for file in sorted(folder.iterdir()):
        read(file)


def times_of_tables(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of reading and of epochs."""
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = call()
        times.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def surveyed(buffer_size: str = "256MiB") -> Dataset:
        return Dataset.from_files(folder, "y", task="regression", buffer_size=buffer_size)

    def all_timed() -> None:
        timed("pyarrow", lambda: files_read(folder))
        data = timed("from_files", surveyed)
        fit = fitting(data)
        timed("epoch", lambda: fit(data, None))
        batches = list(data.batches(1 << 16, shuffle=False))
        x, y = (np.concatenate([batch[i] for batch in batches]) for i in (0, 1))
        del batches
        timed("in memory", lambda: fit(x, y))
        few = surveyed("16MB")
        timed("epoch that reads", lambda: fit(few, None))

    all_timed()  # which imports what is needed, and brings the files into memory
    times.clear()
    for _ in range(rounds):
        all_timed()
    return times


def peak_of_tables(folder: Path, buffer_size: str) -> dict[str, float]:
    """Return the megabytes that a process takes at most, beside what it has before."""
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401

    before = own_memory("VmHWM")
    data = Dataset.from_files(folder, "y", task="regression", buffer_size=buffer_size)
    fitting(data)(data, None)
    return {"mb": own_memory("VmHWM") - before}


def tell_tables(folder: Path, rows: int, rounds: int) -> None:
    """Measure tables in fresh processes, and print a line for each kind."""
    print(
        "| files | MB | pyarrow, s | from_files | epoch | in memory | epoch that reads | peak, MB |"
    )
    for kind in ("csv", "parquet"):
        size = sum(file.stat().st_size for file in (folder / kind).iterdir()) / 1e6
        times = asked("times", folder / kind, rounds)
        mid = {name: float(np.median(seconds)) for name, seconds in times.items()}
        peaks = [asked("peak", folder / kind, buffer)["mb"] for buffer in ("256MiB", "16MB")]
        cells = " | ".join(f"{mid[name]:.2f}" for name in times)
        print(f"| {kind} | {size:.0f} | {cells} | {peaks[0]:.0f}, {peaks[1]:.0f} |")
        once = mid["from_files"] + mid["epoch"] - mid["in memory"]
        print(
            f"{kind}: {rows / mid['epoch'] / 1e6:.2f} and where it reads "
            f"{rows / mid['epoch that reads'] / 1e6:.2f} million rows a second, "
            f"{mid['in memory'] / mid['epoch']:.0%} and "
            f"{mid['in memory'] / mid['epoch that reads']:.0%} of the rate in memory; "
            f"the survey at {mid['pyarrow'] / mid['from_files']:.0%}, all but training at "
            f"{mid['pyarrow'] / once:.0%} of pyarrow's rate",
            flush=True,
        )


def tell(what: str, result: dict[str, float]) -> float:
    """Print a line on an epoch; return its rows a second."""
    rows = int(result["rows"])
    print(
        f"{what}: {rows:,} rows ({4e-9 * rows * (FEATURES + 1):.2f} GB) in "
        f"{result['seconds']:.1f} s, {result['rate'] / 1e6:.3f} million rows a second, "
        f"{result['own_mb']:.0f} MB of its own",
        flush=True,
    )
    return result["rate"]


def tell_mapped(folder: Path, gigabytes: float, limit: int, rounds: int) -> None:
    """Measure what is larger than memory in a fresh process, between some in memory."""
    rows = int(gigabytes * 1e9 / (4 * (FEATURES + 1)))
    small = 1_000_000
    rates = [tell("memory", asked("memory", small)) for _ in range(rounds)]
    write_sparse(folder, rows)
    rate = tell("mapped", asked("mapped", rows, folder, limit))
    rates += [tell("memory", asked("memory", small)) for _ in range(rounds)]
    print(f"mapped: {rate / np.median(rates):.0%} of the rate in memory")


# {what a process measures: how, from the words of its command line}
WORKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "memory": lambda rows: memory(int(rows)),
    "mapped": lambda rows, folder, limit: mapped(int(rows), Path(folder), int(limit)),
    "times": lambda folder, rounds: times_of_tables(Path(folder), int(rounds)),
    "peak": lambda folder, buffer_size: peak_of_tables(Path(folder), buffer_size),
}


def main() -> None:
    """Write the data, measure in fresh processes, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=20, help="0 leaves this out")
    parser.add_argument("--limit", type=float, default=2, help="gigabytes")
    parser.add_argument("--tables", type=int, default=0, metavar="ROWS")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker is not None:
        what, *words = arguments.worker
        print(json.dumps(WORKERS[what](*words)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.gigabytes:
            limit = int(arguments.limit * 1e9)
            tell_mapped(folder, arguments.gigabytes, limit, arguments.rounds)
        if arguments.tables:
            write_tables(folder, arguments.tables)
            tell_tables(folder, arguments.tables, arguments.rounds)


if __name__ == "__main__":
    main()
