"""What the tests of the collectors share."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from support.netns import Netns

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent


class Inside:
    """Runs collectors and crowds inside a namespace."""

    def __init__(self, ns: Netns) -> None:
        self.ns = ns

    def crowd(self, what: str) -> subprocess.Popen[str]:
        """Start crowd.py and wait until its sockets stand."""
        process = self.ns.start(sys.executable, str(HERE / "crowd.py"), what, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == "ready\n"
        return process

    def ask(self, code: str) -> Any:
        """The value of ``answer`` after running code that may use ``System()``, as JSON reads it."""
        program = (
            "import json\nfrom pydantic_core import to_jsonable_python\nfrom advisor.system import System\n"
            "to_jsonable_python(None)  # imports more, which code that gives up root could not\n"
            f"{code}\nprint(json.dumps(to_jsonable_python(answer, fallback=vars)))"
        )
        return json.loads(self.ns.run(sys.executable, "-c", program, cwd=ROOT).stdout)


@pytest.fixture
def inside(netns: Netns) -> Inside:
    """A fresh namespace to look from."""
    return Inside(netns)
