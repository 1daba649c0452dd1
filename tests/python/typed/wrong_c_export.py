# SPDX-License-Identifier: Apache-2.0
"""Programs that are wrong: a type checker says so at each line that expects it."""

from __future__ import annotations

import laminar

model = laminar.Sequential([laminar.layers.Dense(1)])

model.to_c(3)  # expect: arg-type
model.to_c(named="net")  # expect: call-arg
model.to_c() + b"\n"  # expect: operator
model.to_cpp()  # expect: attr-defined
model.export()  # expect: call-overload
model.export("net.c", opset=13.5)  # expect: call-overload
model.load_torch_weights(3.5)  # expect: arg-type
laminar.ensemble([3])  # expect: list-item
laminar.fit_many([model])  # expect: call-arg
