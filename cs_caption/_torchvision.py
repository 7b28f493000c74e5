"""torchvision, also where only a CUDA build of it can be had beside a CPU-only torch."""

import importlib
import sys
from types import ModuleType

_MISSING = "operator torchvision::nms does not exist"
_keep_alive: list[object] = []


def torchvision() -> ModuleType:
    """Import torchvision; where its compiled operators cannot load, without them.

    Models, transforms (v1, v2), datasets and feature extraction work then; `ops.nms`, detection
    models and `torchvision.io` do not: pictures are read with Pillow.

    Raises: ImportError, with the command that mends it, where torchvision is missing.
    """
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise
        raise ImportError(
            "torchvision is not installed and pretrained encoders need it: "
            "pip install --no-deps torchvision (of the release that matches your torch)"
        ) from error
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
    return _import_without_operators()


def _import_without_operators() -> ModuleType:
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    # torch forgets the declarations when the library object is collected.
    _keep_alive.append(library)
    return importlib.import_module("torchvision")
