import math

import numpy as np
import pytest

from chemmodel_export.predict import to_units


@pytest.mark.parametrize(
    ("transform", "expected"),
    [("none", 7.0), ("log1p", math.exp(7.0) - 1), ("log10", 1e7)],
)
def test_an_answer_is_unscaled_first_and_then_taken_out_of_its_logarithm(transform, expected):
    output = {"transform": transform, "scale": 2.0, "center": 1.0}
    assert to_units(np.array([3.0], dtype=np.float32), [output]) == [pytest.approx(expected)]
