# SPDX-License-Identifier: Apache-2.0
"""An epoch on data larger than memory beside one on data in memory: `python bench/streaming.py`.

A sparse file of `--gigabytes` is mapped and streamed in a process whose own memory is limited to
`--limit` (as `ulimit -d` does); the same network then trains on arrays in memory, both pinned to
the same processors. The rate of the one is told as a share of the other's. With `--parquet` a
smaller data set of random numbers is written and read as Parquet too, where reading costs more.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def epoch(data: object, y: object, rows: int) -> dict[str, float]:
    """Train one epoch; return rows a second and the largest memory of the process."""
    network = model()
    start = time.perf_counter()
    network.fit(data, y, batch_size=BATCH, verbose=0)
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in status if line.startswith("VmData"))
    return {"rows": rows, "seconds": seconds, "rate": rows / seconds, "own_mb": own / 1024}


def worker(kind: str, folder: Path, rows: int, limit: int) -> None:
    """Measure one kind of data in this process, and print what came out as JSON."""
    if kind == "memory":
        rng = np.random.default_rng(0)
        x = rng.standard_normal((rows, FEATURES), dtype=np.float32)
        result = epoch(x, np.zeros(rows, np.float32), rows)
    else:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        if kind == "mapped":
            data = Dataset.from_npy(folder / "x.npy", folder / "y.npy")
        else:
            data = Dataset.from_files(folder / "parquet", "y", task="regression")
        result = epoch(data, None, rows)
    print(json.dumps(result))


def write_sparse(folder: Path, rows: int) -> None:
    """Create mapped arrays of zeros that take no room on the disk."""
    for name, shape in (("x", (rows, FEATURES)), ("y", (rows,))):
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, shape).flush()


def write_parquet(folder: Path, rows: int) -> None:
    """Write files of random numbers."""
    import pyarrow
    import pyarrow.parquet

    (folder / "parquet").mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):
        names = [f"x{j}" for j in range(FEATURES)]
        columns = {name: rng.standard_normal(rows // 4, dtype=np.float32) for name in names}
        columns["y"] = rng.standard_normal(rows // 4, dtype=np.float32)
        pyarrow.parquet.write_table(
            pyarrow.table(columns), folder / "parquet" / f"{i}.parquet", row_group_size=50_000
        )


def main() -> None:
    """Write the data, measure in fresh processes, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--limit", type=float, default=2, help="gigabytes")
    parser.add_argument("--parquet", type=int, default=0, metavar="ROWS")
    parser.add_argument(
        "--rounds", type=int, default=1, help="of those in memory, before and after"
    )
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker is not None:
        kind, folder, rows, limit = arguments.worker
        worker(kind, Path(folder), int(rows), int(limit))
        return

    rows = int(arguments.gigabytes * 1e9 / (4 * (FEATURES + 1)))
    limit = int(arguments.limit * 1e9)

    def measured(kind: str, folder: Path, rows: int) -> dict[str, float]:
        command = [sys.executable, __file__, "--worker", kind, str(folder), str(rows), str(limit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{kind}: {done.stderr}")
        result: dict[str, float] = json.loads(done.stdout)
        print(
            f"{kind}: {rows:,} rows ({4e-9 * rows * (FEATURES + 1):.2f} GB) in "
            f"{result['seconds']:.1f} s, {result['rate'] / 1e6:.3f} million rows a second, "
            f"{result['own_mb']:.0f} MB of its own",
            flush=True,
        )
        return result

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = 1_000_000
        memory = [measured("memory", folder, small) for _ in range(arguments.rounds)]
        write_sparse(folder, rows)
        mapped = measured("mapped", folder, rows)
        if arguments.parquet:
            write_parquet(folder, arguments.parquet)
            parquet = measured("parquet", folder, arguments.parquet)
        memory += [measured("memory", folder, small) for _ in range(arguments.rounds)]
    rate = float(np.median([result["rate"] for result in memory]))
    print(f"mapped: {mapped['rate'] / rate:.0%} of the rate in memory")
    if arguments.parquet:
        print(f"parquet: {parquet['rate'] / rate:.0%} of the rate in memory")


if __name__ == "__main__":
    main()
