"""Where the command starts: ``--version`` answers before anything heavy is imported."""

from __future__ import annotations

import sys

from advisor import __version__


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"advisor {__version__}\n")
        return
    from advisor.cli.main import run  # noqa: PLC0415 (typer costs 60 ms that --version need not pay)

    sys.exit(run())


if __name__ == "__main__":
    main()
