"""Where the command starts: ``--version`` answers before anything heavy is imported."""

from __future__ import annotations

import gc
import sys

from advisor import __version__


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"advisor {__version__}\n")
        return
    from advisor.cli.main import run  # noqa: PLC0415 (imports that --version need not pay)
    from advisor.collect.budget import be_nice  # noqa: PLC0415 (likewise)

    be_nice()

    # A large configuration is a million objects that all stay: to look for garbage among them after every 700 new ones,
    # as Python does, takes a tenth of the run and more. What garbage there is waits for three million.
    gc.set_threshold(3_000_000, 10, 10)
    sys.exit(run())


if __name__ == "__main__":
    main()
