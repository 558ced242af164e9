"""Fixtures for all tests, and the rule that in CI a missing real part is a failure."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from support.netns import Netns
from support.nginx import DEBIAN, newer

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shared machine is slow at times; what takes too long is bounded by the number of examples.
settings.register_profile("advisor", deadline=None)
settings.load_profile("advisor")


def require(condition: bool, reason: str) -> None:  # noqa: FBT001 (a condition is what it takes)
    """Skip with a reason, or fail where ADVISOR_REQUIRE_REAL says that nothing may be missing."""
    if condition:
        return
    if os.environ.get("ADVISOR_REQUIRE_REAL") == "1":
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


LONGEST = ("test_keepalive", "test_close_wait", "test_capture_evidence")
"""Each of these waits for a minute and more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that mostly wait for the real thing, the longest first, so that the others run meanwhile."""
    items.sort(key=lambda item: ("e2e" not in item.path.parts, item.path.stem not in LONGEST))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked ``real("nginx", "ip")`` needs root and those commands."""
    for mark in item.iter_markers("real"):
        require(os.geteuid() == 0, "needs root for network namespaces")
        for command in ("ip", *mark.args):
            require(shutil.which(command) is not None, f"needs the command '{command}'")


@pytest.fixture(scope="module", params=["Debian's", "newer"])
def binary(request: pytest.FixtureRequest) -> str:
    """An nginx binary: what holds for one version need not hold for another."""
    found = DEBIAN if request.param == "Debian's" else newer()
    require(found is not None, "needs the nginx of the test requirements, which has no build for this machine")
    return str(found)


@pytest.fixture
def netns() -> Iterator[Netns]:
    """A fresh network namespace."""
    ns = Netns()
    yield ns
    ns.close()


@pytest.fixture(scope="session")
def corpus() -> pathlib.Path:
    """Real files that are not part of the project, where ADVISOR_CORPUS names their folder."""
    folder = os.environ.get("ADVISOR_CORPUS")
    if not folder:
        pytest.skip("ADVISOR_CORPUS names no folder of real files")
    return pathlib.Path(folder)
