"""What it costs to judge Debian's stock nginx configuration: our audit, gixy-ng and gixy-next, whole processes.

Each of the others gets an environment of its own below .venv, since they install modules of the same name.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import cpu, medians, table  # noqa: E402 (the path to it is set above)

CONFIG = "/etc/nginx/nginx.conf"
ROUNDS = 7
PEERS = {"gixy-ng": "0.2.59", "gixy-next": "0.9.0"}
HOME = pathlib.Path(sys.prefix) / "bench"
PARSE = f"import crossplane; assert crossplane.parse({CONFIG!r})['config']"


def main() -> None:
    """Install the others once, then take turns."""
    if not pathlib.Path(CONFIG).exists():
        sys.stdout.write(f"judging Debian's stock configuration: left out, there is no {CONFIG}\n")
        return
    runs = {
        "advisor audit": [
            str(pathlib.Path(sys.executable).parent / "advisor"),
            "audit",
            "--no-host",
            "--nginx-conf",
            CONFIG,
        ],
        "crossplane.parse": [sys.executable, "-c", PARSE],
    }
    for name, version in PEERS.items():
        script = installed(name, version)
        if script is None:
            sys.stdout.write(f"{name} {version} can't be installed here; left out\n")
        else:
            runs[f"{name} {version}"] = [str(script), CONFIG]
    # a finding makes gixy end with 1
    rows = medians({name: lambda argv=argv: cpu(argv, (0, 1))[0] for name, argv in runs.items()}, ROUNDS)
    table(f"judging {CONFIG}, whole process, median of {ROUNDS}", rows, "advisor audit")


def installed(name: str, version: str) -> pathlib.Path | None:
    """The script of a peer, in an environment made when it is first needed; None where it can't be had."""
    place = HOME / f"{name}-{version}"
    script = place / "bin" / "gixy"
    if script.exists():
        return script
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    for python in (sys.executable, "python3"):
        pip = [python, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "-q", f"{name}=={version}"]
        if subprocess.run([*pip, "--disable-pip-version-check"], capture_output=True, check=False).returncode == 0:
            return script
    return None


if __name__ == "__main__":
    main()
