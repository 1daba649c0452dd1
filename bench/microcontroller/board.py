# SPDX-License-Identifier: Apache-2.0
"""Integer programs on a Cortex-M4: compiled by arm-none-eabi-gcc, run on QEMU's board mps2-an386.

Debian has both: gcc-arm-none-eabi and qemu-system-arm.
"""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).parent
PREFIX = "arm-none-eabi-"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic")
MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding")

# Reads rows from its own constants, and says what the program makes of each, four digits a value.
_MAIN = """
#include <stdint.h>
void @_predict(const int{bits}_t *x, int16_t *out);
void say(const char *text);
int main(void);
static const int{bits}_t rows[{rows}][{inputs}] = {{
{values}
}};
int main(void) {{
  static const char digits[] = "0123456789abcdef";
  char text[4 * {outputs} + 2];
  for (int i = 0; i < {rows}; ++i) {{
    int16_t out[{outputs}];
    @_predict(rows[i], out);
    for (int j = 0; j < {outputs}; ++j) {{
      for (int k = 0; k < 4; ++k) {{
        text[4 * j + k] = digits[((uint16_t)out[j] >> (12 - 4 * k)) & 15];
      }}
    }}
    text[4 * {outputs}] = '\\n';
    text[4 * {outputs} + 1] = 0;
    say(text);
  }}
  return 0;
}}
"""


class Sizes(NamedTuple):
    """Bytes of a compiled program: code and constants, variables, and the stack of a call."""

    flash: int
    variables: int
    stack: int


def missing() -> str:
    """Return the first tool that is not installed; nothing where all are."""
    tools = (f"{PREFIX}gcc", "qemu-system-arm")
    return next((tool for tool in tools if shutil.which(tool) is None), "")


def compiled(source: str, name: str, folder: Path) -> Path:
    """Compile a program's C to an object, with warnings as errors."""
    (folder / f"{name}.c").write_text(source, encoding="ascii")
    options = (*WARNINGS, *MACHINE, "-fstack-usage", "-ffunction-sections", "-fdata-sections")
    _run(f"{PREFIX}gcc", *options, "-c", f"{name}.c", "-o", f"{name}.o", folder=folder)
    return folder / f"{name}.o"


def sizes(program: Path) -> Sizes:
    """Return what an object takes; the stack is that of all functions that predict calls."""
    line = _run(f"{PREFIX}size", program.name, folder=program.parent).splitlines()[1].split()
    used = {}
    for row in program.with_suffix(".su").read_text().splitlines():
        place, size, _ = row.split("\t")
        used[place.split(":")[-1]] = int(size)
    own = [size for function, size in used.items() if "_predict" in function]
    deepest = max(size for function, size in used.items() if "_predict" not in function)
    return Sizes(int(line[0]), int(line[1]) + int(line[2]), sum(own) + 2 * deepest)


def undefined(program: Path) -> list[str]:
    """Return what an object calls that it does not define."""
    text = _run(f"{PREFIX}nm", "--undefined-only", program.name, folder=program.parent)
    return [line.split()[-1] for line in text.splitlines()]


def run(program: Path, name: str, rows: np.ndarray, outputs: int) -> np.ndarray:
    """Return what a program makes of rows on the board."""
    folder, bits = program.parent, 8 * rows.itemsize
    words = {"bits": bits, "rows": len(rows), "inputs": rows.shape[1], "outputs": outputs}
    values = ",\n".join("{" + ",".join(map(str, row)) + "}" for row in rows.tolist())
    text = _MAIN.format(**words, values=values).replace("@", name)
    (folder / "main.c").write_text(text, encoding="ascii")
    files = ("main.c", str(HERE / "start.c"), program.name)
    link = ("-nostdlib", "-T", str(HERE / "link.ld"), "-Wl,--gc-sections", "-Wl,-z,noexecstack")
    _run(
        f"{PREFIX}gcc", *WARNINGS, *MACHINE, *files, *link, "-lgcc", "-o", "all.elf", folder=folder
    )
    board = ("-machine", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none")
    debugger = ("-semihosting-config", "enable=on,target=native")
    said = _run("qemu-system-arm", *board, *debugger, "-kernel", "all.elf", folder=folder)
    lines = "".join(said.split())
    found = np.frombuffer(bytes.fromhex(lines), ">i2").astype(np.int16)
    return found.reshape(len(rows), outputs)


def _run(*command: str, folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout or done.stderr  # QEMU's debugger writes to stderr
