# SPDX-License-Identifier: Apache-2.0
"""Record files of PyTorch, and what their models give.

    python tests/python/golden/record_torch_files.py

needs torch, onnx and safetensors and writes torch_*.onnx, torch_*.safetensors and torch_files.npz
beside this file. test_onnx_import.py and test_torch_weights.py read them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch_models
from safetensors.torch import save_file

FOLDER = Path(__file__).parent
RECORDED = (("smooth", torch.float32), ("batch norm", torch.float64), ("prelu", torch.float32))


def main() -> None:
    """Write all files."""
    outputs = {}
    for name, dtype in RECORDED:
        features, model = torch_models.model(name, dtype)
        key = f"torch_{name.replace(' ', '_')}"
        x = torch.from_numpy(np.random.default_rng(1).normal(size=(20, features))).to(dtype)
        outputs[f"{key}/x"] = x.numpy()
        outputs[f"{key}/y"] = model(x).detach().numpy()
        torch.onnx.export(
            model,
            (x,),
            str(FOLDER / f"{key}.onnx"),
            dynamo=False,
            opset_version=17,
            input_names=["x"],
            dynamic_axes={"x": {0: "n"}},
        )
        save_file(model.state_dict(), FOLDER / f"{key}.safetensors")
    np.savez_compressed(FOLDER / "torch_files.npz", **outputs)


if __name__ == "__main__":
    main()
