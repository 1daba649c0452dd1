# SPDX-License-Identifier: Apache-2.0
"""Interrupts the save of a model at every system call about files, and looks what is left.

strace kills the program at call n, or lets the call fail, for every n there is: afterwards the old
file or the new one must load, whole, and a call that failed must be reported, with the old file in
place and nothing beside it, unless the new one had taken its place already.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
CALLS = ("openat", "write", "fsync", "close", "rename")
ERRORS = ("ENOSPC", "EIO")
OLD, NEW = "1", "2"


def main() -> int:
    """Run all interruptions; the exit status tells whether every file was whole."""
    program = sys.argv[1]
    if shutil.which("strace") is None:
        print("skipped: strace is not installed")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.safetensors")
        counts = counted(program, path)
        if counts is None:
            print("skipped: strace may not trace here")
            return SKIPPED
        points = [
            (call, number, outcome)
            for call in CALLS
            for number in range(1, counts[call] + 1)
            for outcome in ("signal=KILL", *(f"error={error}" for error in ERRORS))
        ]
        failures = [p for p in points if not survives(program, path, *p)]
    kills = sum(outcome == "signal=KILL" for _, _, outcome in points)
    print(f"{kills} kills and {len(points) - kills} failing calls: {len(failures)} lost a file")
    for failure in failures:
        print(*failure)
    return 1 if failures or kills < 40 else 0


def traced(program: str, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Write the new file under strace, which looks at the calls about this folder alone."""
    command = ["strace", "-f", "-qq", *options, program, "write", str(path), NEW]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def counted(program: str, path: Path) -> dict[str, int] | None:
    """Return how often each call is made by a save, start of the program included."""
    trace = Path(f"{path}.trace")
    result = traced(program, path, "-o", str(trace), "-e", f"trace={','.join(CALLS)}")
    if result.returncode != 0 or not path.exists():
        return None
    text = trace.read_text()
    trace.unlink()
    return {call: len(re.findall(rf"\b{call}\(", text)) for call in CALLS}


def survives(program: str, path: Path, call: str, number: int, outcome: str) -> bool:
    """Whether a whole file is left when call ``number`` ends like this."""
    for left in path.parent.iterdir():
        left.unlink()
    subprocess.run([program, "write", str(path), OLD], timeout=60, check=True)
    result = traced(
        program, path, "-o", "/dev/null", "-e", f"trace={call}",
        "-e", f"inject={call}:{outcome}:when={number}",
    )  # fmt: skip
    read = subprocess.run(
        [program, "read", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    if read.stdout not in (f"{OLD} whole\n", f"{NEW} whole\n"):
        return False
    if outcome == "signal=KILL":
        return True
    beside = [p.name for p in path.parent.iterdir() if p != path]
    reported = result.returncode != 0
    # Calls before main load the program's libraries; those it may do without.
    return not beside and (reported or read.stdout == f"{NEW} whole\n")


if __name__ == "__main__":
    sys.exit(main())
