"""Text that can always be encoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.text import encodable


def test_bytes_that_are_no_utf8_are_marked() -> None:
    assert encodable(b"caf\xe9 \xe4\xb8\xad".decode("utf-8", "surrogateescape")) == "caf\ufffd \u4e2d"


@given(st.text(st.characters(), max_size=20))
def test_any_text_can_be_encoded_and_text_stays(text: str) -> None:
    shown = encodable(text)
    shown.encode()
    assert len(shown) == len(text)
    assert all(new in {old, "\ufffd"} for new, old in zip(shown, text, strict=True))
