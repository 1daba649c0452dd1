# SPDX-License-Identifier: Apache-2.0
"""Results as tables of text and one picture: ranks, normalised scores, times, memory."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import sources

Results = dict[str, dict[str, list[dict[str, Any]]]]
_WORST = -1e9  # of a method that failed


def _complete(results: Results, methods: list[str], entries: list[sources.Entry]) -> list[str]:
    return [
        entry.name
        for entry in entries
        if all(name in results.get(entry.name, {}) for name in methods)
    ]


def _scores(results: Results, table: str, methods: list[str]) -> Any:
    """Return the scores, (methods, seeds); those of failures are very low."""
    seeds = max(len(results[table][name]) for name in methods)
    found = np.full((len(methods), seeds), _WORST)
    for row, name in zip(found, methods, strict=True):
        for seed, one in enumerate(results[table][name]):
            row[seed] = one.get("score", _WORST)
    return found


def _ranks(scores: Any) -> Any:
    """Return ranks from 1, the best; equal ones share the mean of theirs."""
    better = (scores[None] > scores[:, None]).sum(axis=1)
    equal = (scores[None] == scores[:, None]).sum(axis=1)
    return better + (equal + 1) / 2


def summary(results: Results, methods: list[str], tables: list[str]) -> dict[str, dict[str, float]]:
    """Return for each method its mean rank, mean normalised score, and how often it is what."""
    ranks, normal = [], []
    for table in tables:
        scores = _scores(results, table, methods)
        ranks.append(_ranks(scores.mean(axis=1)))
        shown = np.where(scores > _WORST, scores, np.nan)
        low, high = np.nanmin(shown, axis=0), np.nanmax(shown, axis=0)
        share = (shown - low) / np.where(high > low, high - low, 1)
        normal.append(np.where(high > low, np.nan_to_num(share), 1).mean(axis=1))
    found = {}
    for i, name in enumerate(methods):
        of = [one for table in tables for one in results[table][name] if "seconds" in one]
        found[name] = {
            "rank": float(np.mean([row[i] for row in ranks])),
            "normalised": float(np.mean([row[i] for row in normal])),
            "best": sum(row[i] <= 1.5 for row in ranks),
            "last": sum(row[i] == len(methods) for row in ranks),
            "seconds": statistics.median(one["seconds"] for one in of),
            "total": sum(one["seconds"] for one in of),
            "mebibytes": statistics.median(one["mebibytes"] for one in of),
        }
    return found


def show(results: Results, methods: list[str], entries: list[sources.Entry]) -> None:
    """Print everything."""
    tables = _complete(results, methods, entries)
    if not tables:
        print("no table has been done by all methods")
        return
    kinds = {entry.name: entry.task for entry in entries}
    width = max(map(len, [*tables, "table"]))
    heads = "".join(f"{name:>16}" for name in methods)
    print(f"\n{'table':{width}} {'rows':>7} {heads}")
    for table in tables:
        cells = []
        for name in methods:
            values = [one["score"] for one in results[table][name] if "score" in one]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            shown = f"{statistics.fmean(values):.4f} ±{spread:.4f}" if values else "failed"
            cells.append(f"{shown:>16}")
        print(f"{table:{width}} {results[table]['about'][0]['rows']:7,} {''.join(cells)}")
    for title, chosen in (
        ("all tables", tables),
        ("regression (R2)", [t for t in tables if kinds[t] == "regression"]),
        ("classification (AUC, - log loss)", [t for t in tables if kinds[t] == "classification"]),
    ):
        if not chosen:
            continue
        print(f"\n{title}: {len(chosen)}")
        print(f"{'':16}rank  normalised  best  last  seconds  total  MiB")
        for name, row in summary(results, methods, chosen).items():
            print(
                f"{name:14}{row['rank']:6.2f} {row['normalised']:11.3f} {row['best']:5.0f} "
                f"{row['last']:5.0f} {row['seconds']:8.2f} {row['total']:6.0f} "
                f"{row['mebibytes']:4.0f}"
            )
    for name in methods:
        if not name.startswith("laminar"):
            continue
        i = methods.index(name)
        last = [
            table
            for table in tables
            if _ranks(_scores(results, table, methods).mean(axis=1))[i] == len(methods)
        ]
        print(f"\n{name} is last on: {', '.join(last) or 'none'}")
    for table in tables:
        for name in methods:
            for one in results[table][name]:
                if "error" in one:
                    print(f"{table}, {name}: {one['error'].strip().splitlines()[-1][:300]}")
                    break


def draw(results: Results, methods: list[str], entries: list[sources.Entry], path: Path) -> None:
    """Draw what each method loses to the best, table by table; needs Matplotlib."""
    tables = _complete(results, methods, entries)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture: pip install matplotlib")
        return
    if not tables:
        return
    found = summary(results, methods, tables)
    figure = Figure((9, 0.22 * len(tables) + 1.5), layout="constrained")
    axes = figure.subplots()
    for i, name in enumerate(methods):
        shares = [summary(results, methods, [table])[name]["normalised"] for table in tables]
        label = f"{name}, mean rank {found[name]['rank']:.2f}"
        axes.plot(shares, range(len(tables)), "osD^vP*"[i % 7], label=label, alpha=0.8)
    axes.set_yticks(range(len(tables)), tables, fontsize=8)
    axes.set_ylim(len(tables) - 0.5, -0.5)
    axes.set_xlabel("normalised score: 1 the best of the methods, 0 the worst, mean of seeds")
    axes.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(methods), fontsize=8)
    figure.savefig(path, dpi=120)
    print(f"\n{path}")
