"""Our data classes do what the standard library's do, as far as they go."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any, ClassVar

import pytest

from advisor import records


def made(module: Any, **options: bool) -> tuple[Any, Any]:
    """A class and one that inherits from it, by a module's ``dataclass`` and ``field``."""

    class Base:
        KIND: ClassVar[str] = "kind"
        first: int
        second: str = "b"

        @property
        def double(self) -> int:
            return self.first * 2

    base: Any = module.dataclass(**options)(Base)

    class Below(base):  # type: ignore[misc]  # a class made at run time
        third: list[int] = module.field(default_factory=list)

    return base, module.dataclass(**options)(Below)


OPTIONS = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"kw_only": True},
    {"frozen": True, "slots": True, "order": True},
]
CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "c"), {}),
    ((), {"first": 1}),
    ((1,), {"second": "c"}),
    ((), {}),
    ((1, "c", [], 4), {}),
    ((1,), {"first": 1}),
    ((), {"first": 1, "fourth": 2}),
]


def outcome(act: Any) -> Any:
    try:
        return act()
    except (TypeError, AttributeError) as error:
        return TypeError if isinstance(error, TypeError) else AttributeError


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("below", [False, True])
def test_they_are_made_compared_and_shown_alike(options: dict[str, bool], below: bool) -> None:  # noqa: FBT001 (a parameter)
    ours, theirs = made(records, **options)[below], made(dataclasses, **options)[below]
    for arguments, named in CALLS:
        one, other = (outcome(lambda cls=cls: cls(*arguments, **named)) for cls in (ours, theirs))  # noqa: B023 (called at once)
        assert (one is TypeError) is (other is TypeError), (arguments, named)
        if one is TypeError:
            continue
        assert repr(one) == repr(other)
        assert (one.double, one.KIND) == (other.double, other.KIND)
        assert one == ours(*arguments, **named)
        assert one != ours(first=7)
        assert one != other
        for act in (
            lambda thing: setattr(thing, "first", 3),
            lambda thing: setattr(thing, "fourth", 3),
            lambda thing: delattr(thing, "second"),
            lambda thing: thing < type(thing)(first=9),
            lambda thing: isinstance(hash(thing), int),
            lambda thing: thing.__dict__,
        ):
            got, wanted = outcome(lambda: act(one)), outcome(lambda: act(other))  # noqa: B023 (called at once)
            # Python 3.11's own, frozen and slotted, says TypeError to a name that is no field.
            assert got == wanted or (got, wanted) == (AttributeError, TypeError)
        assert ours.__match_args__ == theirs.__match_args__ or options.get("kw_only")


def test_a_default_is_made_anew_for_each() -> None:
    cls = made(records)[1]
    assert cls(1).third is not cls(1).third


def test_a_copy_has_other_values_and_no_other_fields() -> None:
    cls = made(records, frozen=True)[1]
    assert records.replace(cls(1, "c"), first=2) == cls(2, "c")
    with pytest.raises(TypeError, match="fourth"):
        records.replace(cls(1), fourth=2)


def test_a_start_does_without_the_standard_library_s() -> None:
    script = "import sys, advisor.jobs.load, advisor.jobs.audit; print({'dataclasses', 'inspect'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"
