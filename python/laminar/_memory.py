# SPDX-License-Identifier: Apache-2.0
"""How much memory there is, and arrays in a temporary file where it is not enough."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_ZEROS = 1 << 20
# What file systems without such a call answer.
_CANNOT_RESERVE = (errno.EINVAL, errno.ENODEV, errno.ENOSYS, errno.EOPNOTSUPP)


def most() -> int | None:
    """Return the bytes that the process may have at all; None where the system does not tell."""
    limits = [_of_machine(), *_limits_of_process()]
    known = [limit for limit in limits if limit is not None]
    return min(known, default=None)


def _of_machine() -> int | None:
    if sys.platform == "win32":
        return _of_windows()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _of_windows() -> int | None:
    import ctypes

    names = ("length", "load", *("total", "free", "total_page", "free_page"), "a", "b", "c")
    kinds = (ctypes.c_uint32, ctypes.c_uint32, *(ctypes.c_uint64,) * 7)

    class Status(ctypes.Structure):
        _fields_ = list(zip(names, kinds, strict=True))

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel: Any = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.total)


def _limits_of_process() -> list[int]:
    try:
        import resource
    except ImportError:  # on Windows
        return []
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS)]
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]


def in_temporary_file(shape: tuple[int, ...], dtype: DTypeLike, where: str) -> NDArray[Any]:
    """Return an array in a temporary file, whose room on the disk is taken beforehand.

    A file with holes would end the process where the disk is full when they are written to.

    Raises
    ------
    OSError
        Where the folder for temporary files has not so much room.
    """
    kind = np.dtype(dtype)
    size = max(int(np.prod(shape, dtype=object)) * kind.itemsize, 1)
    try:
        with tempfile.TemporaryFile() as file:  # its contents live as long as they are mapped
            _reserve(file, size)
            return np.memmap(file, kind, "r+", shape=shape)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{where}: there is no room for {size:,} bytes in the folder for temporary files, "
            f"{tempfile.gettempdir()!r} ({error.strerror}); make room, or set TMPDIR to a folder "
            "that has it",
        ) from None


def _reserve(file: Any, size: int) -> None:
    """Make a file of zeros that lie on the disk."""
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT_RESERVE:
            raise
        zeros = bytes(_ZEROS)
        for at in range(0, size, _ZEROS):
            file.write(zeros[: size - at])
        file.flush()
