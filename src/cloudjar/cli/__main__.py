"""The `cloudjar` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exits 0 on success, 1 on failure, 2 on wrong usage."""
    if sys.argv[1:] == ["--version"]:  # answered before anything is imported
        from cloudjar import __version__

        print(f"cloudjar {__version__}")
        return
    if sys.argv[1:2] == ["serve"]:  # the server itself: it needs no command line
        from cloudjar.cli.serve import main as serve

        serve(sys.argv[2:])
        return
    from cloudjar.cli.root import cli

    cli(prog_name="cloudjar")


if __name__ == "__main__":
    main()
