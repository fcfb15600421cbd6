"""Bytes of an image are pixels: 0 to 255 are numbers from 0 to 1, wherever an array comes in."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..graph.model import Shaped
from .dataset import Field

MOST = 255.0


def scale_of(values: Field, shaped: Shaped, place: str, *, target: bool) -> float:
    """What the numbers of an array are divided by, as far as the array and the model can tell.

    Bytes (uint8) are an image where they have two axes or more in each example, or the input has.
    A vector of bytes stays as it is, and so do class numbers and all other types.

    Raises DataError for a target that may be an image as well as a mask of 0 and 1.
    """
    image = values.ndim > 2 or len(shaped.shape) > 1
    if values.dtype != np.uint8 or shaped.kind != "float" or not image:
        return 1.0
    if target:
        raise DataError(
            f"{place} holds bytes (uint8), which may be pixels or plain numbers: give "
            "`array / 255.0` or `array.astype('float32')`"
        )
    return MOST
