# SPDX-License-Identifier: Apache-2.0
"""Check that a kernel object hands nothing but its table to the linker.

An inline function or template that a file built with -mavx512f emits has the same symbol as the
copy in a baseline file; the linker keeps one for the whole program, perhaps the one that the
processor cannot run. Likewise, a namespace-scope initializer would run AVX code before the
dispatcher has looked at the processor. So a kernel object may define one kind of global symbol, its
table accessors, may need only the C functions listed here, and may have no initializer.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

TABLE_ACCESSOR = re.compile(r"laminar.*kernels.*table")

LIBM = [
    "ceil",
    "cos",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "fma",
    "log",
    "log1p",
    "log2",
]
LIBM += ["pow", "rint", "round", "sin", "sqrt", "tanh", "trunc"]

# What the compiler itself may call, and the scalar functions of libm.
ALLOWED_UNDEFINED = {
    "_GLOBAL_OFFSET_TABLE_",
    "__stack_chk_fail",
    "abort",
    "memcpy",
    "memmove",
    "memset",
    *LIBM,
    *(name + "f" for name in LIBM),
}


def output_of(*command: str) -> list[str]:
    """Return the lines that a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def problems_of(path: Path, nm: str, readelf: str) -> list[str]:
    """Return what is wrong with one object file, one sentence each."""
    problems = []
    accessors = 0
    for line in output_of(nm, "--format=posix", str(path)):
        name, kind = line.split()[:2]
        if kind in "WwVvu":
            problems.append(f"{name}: a weak or unique symbol, shared with other files")
        elif kind == "U":
            if name not in ALLOWED_UNDEFINED:
                problems.append(f"{name}: needs a symbol from outside")
        elif kind == "T" and TABLE_ACCESSOR.search(name):
            accessors += 1
        elif kind.isupper():
            problems.append(f"{name}: a global symbol that is no table accessor")
    if not accessors:
        problems.append("no table accessor found: is this a kernel object?")
    for line in output_of(readelf, "--sections", "--wide", str(path)):
        if re.search(r"\.(init_array|ctors)\b", line):
            problems.append("it has an initializer, which runs code before main")
    return problems


def main() -> int:
    """Check the objects named on the command line; return 1 if any is unfit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("objects", nargs="+", type=Path)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--readelf", default="readelf")
    arguments = parser.parse_args()

    failed = False
    for path in arguments.objects:
        problems = problems_of(path, arguments.nm, arguments.readelf)
        print(f"{path.name}: {'unfit' if problems else 'fit'}")
        for problem in problems:
            print(f"  {problem}")
        failed |= bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
