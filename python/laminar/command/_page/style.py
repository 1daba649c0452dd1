# SPDX-License-Identifier: Apache-2.0
"""The style of a page: light or dark as the reader's system is, and readable on a telephone."""

from __future__ import annotations

from ..._pictures.style import charts

_LIGHT = """
--paper:#fff;--card:#f5f6f8;--ink:#1b1f24;--soft:#5a6572;--line:#dfe3e8;--mark:#fff1d6;
--shade:0,96,190;--k0:#0060be;--k1:#c8500a;--k2:#00805a;--k3:#8e3fa8;--k4:#8a6d00;--k5:#7b8794"""
_DARK = """
--paper:#14171b;--card:#1d2127;--ink:#e8ebef;--soft:#9fabb8;--line:#333a43;--mark:#3a2f17;
--shade:90,165,255;--k0:#6db0ff;--k1:#ff9a5c;--k2:#4ccb9f;--k3:#d6a0f0;--k4:#e5c451;--k5:#8b97a4"""

_SHADES = "".join(f".s{i}{{background:rgba(var(--shade),{i * 0.055:.3f})}}" for i in range(1, 11))
_CHARTS = charts("", "var(--ink)", "var(--soft)", "var(--line)")

STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0 auto;max-width:1180px;padding:0 16px 40px;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}}
h1{{font-size:1.9rem;line-height:1.2;margin:28px 0 4px;overflow-wrap:anywhere}}
h2{{font-size:1.25rem;margin:0 0 8px;padding-top:12px}}
p{{margin:0 0 12px;max-width:75ch;overflow-wrap:anywhere}}
header>p,footer,small,.legend,figure>p{{color:var(--soft)}}
nav{{display:flex;flex-wrap:wrap;gap:6px 16px;margin:16px 0 8px;padding:10px 0;
border-block:1px solid var(--line);font-size:.9rem}}
a{{color:var(--k0)}}
.tiles{{display:flex;flex-wrap:wrap;gap:10px;margin-top:14px}}
.tiles div{{background:var(--card);border-radius:8px;padding:10px 16px;min-width:120px}}
.tiles span{{display:block;font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums}}
section{{margin:20px 0 28px}}
.notes{{background:var(--mark);border-radius:8px;padding:2px 18px 8px}}
.notes ul{{margin:0;padding-left:20px}}
li,dd,td,th{{overflow-wrap:anywhere}}
dl{{display:grid;grid-template-columns:6.5rem 1fr;gap:6px 12px;margin:0;max-width:85ch}}
dt{{font-weight:600}}dd{{margin:0}}
.figures{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:20px}}
figure{{margin:0;max-width:440px;min-width:0}}
figcaption{{font-weight:600;margin-bottom:4px;overflow-wrap:anywhere}}
figcaption b{{font-weight:600}}
figure>p{{font-size:.85rem;margin:2px 0}}
svg{{display:block;width:100%;height:auto;font-size:11px}}
{_CHARTS}
.wide{{overflow-x:auto;margin:0 0 14px}}.figures+.wide{{margin-top:14px}}
table{{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}}
th,td{{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--line);
vertical-align:top}}
thead th{{color:var(--soft);font-weight:500}}
tbody th{{font-weight:400}}
.numbers td,.numbers thead th:not(:first-child){{text-align:right;padding-left:12px}}
.numbers th,.numbers td{{overflow-wrap:break-word}}
.stacked{{width:100%}}.stacked thead th:last-child{{text-align:right}}
.stacked th{{min-width:8rem}}.stacked td:last-child{{text-align:right}}
.odd{{background:var(--mark);border-radius:4px;padding:0 4px}}
.matrix td,.matrix th{{border:1px solid var(--line);padding:5px 10px}}
.matrix td{{text-align:right}}.matrix td,.matrix th{{white-space:nowrap}}
{_SHADES}
pre{{background:var(--card);border-radius:8px;padding:10px 14px;overflow-x:auto;margin:0 0 12px;
font-size:.88rem}}
footer{{font-size:.85rem;border-top:1px solid var(--line);padding-top:10px}}
@media (max-width:640px){{
dl{{grid-template-columns:1fr;gap:0}}dd{{margin-bottom:8px}}
.stacked thead{{display:none}}
.stacked tr{{display:block;padding:6px 0;border-bottom:1px solid var(--line)}}
.stacked th,.stacked td{{display:block;border:0;padding:1px 0}}
.stacked td:last-child{{text-align:left}}
.stacked td:empty{{display:none}}
.stacked td::before{{content:attr(data-label) ": ";color:var(--soft)}}
}}
"""
