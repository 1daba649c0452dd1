# SPDX-License-Identifier: Apache-2.0
"""Files of every optimizer, schedule, precision, layer and activation give what they once gave.

Numbers that are found again up to rounding, but not to the bit, are a drift: kernels have changed.
Others are a damage: files of users would predict something else.
"""

from __future__ import annotations

import platform

import golden_entries
import numpy as np
import pytest

NAMES = sorted(golden_entries.entries())
X86 = platform.machine() in ("x86_64", "AMD64")


def test_every_entry_of_the_lists_has_a_file() -> None:
    files = {path.stem for path in golden_entries.ENTRIES.glob("*.safetensors")}
    missing = set(NAMES) - (files & set(golden_entries.expected()))
    assert not missing, f"{sorted(missing)} have no golden file: {golden_entries.COMMAND} makes it"
    assert files <= set(NAMES), "files that users may have are kept, and read, for ever"
    size = sum(path.stat().st_size for path in golden_entries.ENTRIES.iterdir())
    assert size < 800_000


def tolerances(name: str) -> tuple[float, float]:
    precision = name.removeprefix("precision_")
    return golden_entries.TOLERANCE.get(precision, golden_entries.TOLERANCE["float32"])


@pytest.mark.kernels
@pytest.mark.parametrize("name", NAMES)
def test_files_give_what_they_gave(name: str) -> None:
    wanted = golden_entries.expected()[name]
    found = golden_entries.outcome(name)
    assert len(found) == len(wanted["numbers"])
    for values, numbers, tolerance in zip(found, wanted["numbers"], tolerances(name), strict=False):
        known = np.array(numbers, np.float64).reshape(values.shape)
        error = float(np.abs(values - known).max())
        assert error <= tolerance * np.abs(known).max(), f"damage: numbers are {error:.3g} apart"
    if X86:
        bits = [golden_entries.fnv1a(values) for values in found]
        assert bits == wanted["bits"][golden_entries.kernels()], (
            "drift: the same numbers up to rounding, in other bits; where that is meant, "
            f"remove their hashes from {golden_entries.EXPECTED.name}, and "
            f"{golden_entries.COMMAND} adds the new ones"
        )


def test_damage_and_drift_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "optimizer_adam"
    wanted = golden_entries.expected()
    whole = golden_entries.outcome(name)
    for factor, message in ((1 + 1e-3, "damage"), (1 + 3e-7, "drift")):
        changed = [(values * factor).astype(values.dtype) for values in whole]
        monkeypatch.setattr(golden_entries, "outcome", lambda name, changed=changed: changed)
        if message == "damage" or X86:
            with pytest.raises(AssertionError, match=message):
                test_files_give_what_they_gave(name)
    assert wanted == golden_entries.expected()
