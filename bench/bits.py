# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of the weights after training each case with several numbers of threads.

`python bench/bits.py` prints one line a case and fails where two numbers of threads disagree.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

import laminar

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import cases
import laminar_peer

THREADS = (1, 2, 3, 4, 8)


def digest(case: cases.Case, data: cases.Arrays, threads: int) -> str:
    """Return the hash of the weights after one pass over the data."""
    laminar.set_num_threads(threads)
    weights = cases.initial_weights(data)
    peer = laminar_peer.Peer(case, data["x"], data["y"], weights)
    peer.fit(1)
    return hashlib.sha256(b"".join(np.ascontiguousarray(w) for w in peer.weights())).hexdigest()


def main() -> int:
    """Print the table; return 1 where bits differ."""
    print("| case | threads | SHA-256 of the weights |\n|---|---|---|")
    differ = False
    for case in cases.CASES.values():
        if case.predict:
            continue
        data = cases.make_data(case)
        found = {digest(case, data, threads) for threads in THREADS}
        differ |= len(found) > 1
        print(f"| {case.name} | {', '.join(map(str, THREADS))} | {' '.join(sorted(found))} |")
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
