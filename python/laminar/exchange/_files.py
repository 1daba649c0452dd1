# SPDX-License-Identifier: Apache-2.0
"""Files of other programs: written whole or not at all, and read whole."""

from __future__ import annotations

import os
import threading


def write_whole(path: str, content: bytes) -> None:
    """Write a file beside its place and move it there; OSError where that fails."""
    beside = f"{path}.{os.getpid()}-{threading.get_ident()}.part"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
