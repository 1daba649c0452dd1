# SPDX-License-Identifier: Apache-2.0
"""Where the C++ package lies that every installation brings: headers, library, CMake files.

They stand beside the compiled module, which in an editable installation is not where the Python
files are.
"""

from __future__ import annotations

from . import _core


def get_include() -> str:
    """Return the folder of the C++ headers, to be given to a compiler with ``-I``.

    Raises
    ------
    FileNotFoundError
        Where laminar was built without its C++ package.

    Examples
    --------
    >>> import laminar
    >>> import os
    >>> os.path.exists(os.path.join(laminar.get_include(), "laminar", "laminar.hpp"))
    True
    """
    return _folder("include", "laminar/laminar.hpp")


def get_cmake_dir() -> str:
    """Return the folder of the CMake package, for ``cmake -Dlaminar_DIR=…``.

    Raises
    ------
    FileNotFoundError
        Where laminar was built without its C++ package.

    Examples
    --------
    >>> import laminar
    >>> import os
    >>> os.path.exists(os.path.join(laminar.get_cmake_dir(), "laminarConfig.cmake"))
    True
    """
    return _folder("lib/cmake/laminar", "laminarConfig.cmake")


def _folder(name: str, holds: str) -> str:
    """Return a folder beside the compiled module, once it is seen to hold a file."""
    from pathlib import Path  # which takes longer to import than anything else here

    folder = Path(_core.__file__).resolve().parent / name
    if not (folder / holds).is_file():
        raise FileNotFoundError(
            f"this installation of laminar has no C++ package: expected {folder / holds}; "
            "install a wheel, or from source without LAMINAR_INSTALL=OFF"
        )
    return str(folder)
