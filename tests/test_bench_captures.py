"""What the bench generates is what it says, in every form, and is read back connection by connection."""

from __future__ import annotations

import io

import numpy as np
import pytest
from support.capture_generator import Plan, capture
from support.capture_scripts import KINDS
from support.capture_truth import differences, told
from support.capture_wire import Form

FORMS = {
    "headers": Form(),
    "whole frames": Form(65_535),
    "IPv6": Form(116, v6=True),
    "VLAN": Form(100, vlan=True),
    "pcapng": Form(pcapng=True),
    "all of it": Form(120, v6=True, vlan=True, pcapng=True),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("rate", [200.0, 2.0], ids=["crowded", "ports taken again"])
def test_every_connection_is_read_back_as_it_was_generated(form: Form, rate: float) -> None:
    truth = []
    data = b"".join(capture(Plan(900, rate, seed=8), form, truth))
    assert np.bincount(truth[0]["kind"], minlength=len(KINDS)).all(), "no kind is missing"
    columns, endpoints = told(io.BytesIO(data), 1 << 18)
    assert differences(np.concatenate(truth), columns, endpoints, form) == {}


def test_a_difference_is_told() -> None:
    truth = []
    data = b"".join(capture(Plan(300), Form(), truth))
    columns, endpoints = told(io.BytesIO(data))
    known = np.concatenate(truth)
    known["state"][7, 1] += 1
    known["bytes"][[8, 9], 0] += 1
    assert differences(known, columns, endpoints, Form()) == {"state": 1, "bytes": 2}
    assert differences(known[1:], columns, endpoints, Form()) == {"connections": 1}
