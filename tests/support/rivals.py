"""What a user would pick instead, in environments of their own, and goals held against what was measured."""

from __future__ import annotations

import pathlib
import subprocess
import sys

PEERS = {"gixy-ng": "0.2.59", "gixy-next": "0.9.0"}
"""Linters of nginx configurations; they install modules of one name."""

HOME = pathlib.Path(sys.prefix) / "bench"


def installed(name: str, version: str) -> str | None:
    """The script of a peer, in an environment made when it is first needed; None where it can't be had."""
    place = HOME / f"{name}-{version}"
    script = place / "bin" / "gixy"
    if script.exists():
        return str(script)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    for python in (sys.executable, "python3"):
        pip = [python, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "-q", f"{name}=={version}"]
        if subprocess.run([*pip, "--disable-pip-version-check"], capture_output=True, check=False).returncode == 0:
            return str(script)
    sys.stdout.write(f"{name} {version} can't be installed here; left out\n")
    return None


def goal(what: str, measured: float, unit: float | None, relation: str, target: float) -> None:
    """Say a ratio, and whether it is what it should be."""
    if unit is None:
        return
    ratio = measured / unit
    met = ratio <= target if relation == "at most" else ratio >= target
    sys.stdout.write(f"  {what}: {ratio:.2f} ({relation} {target:g}: {'met' if met else 'MISSED'})\n")
    sys.stdout.flush()
