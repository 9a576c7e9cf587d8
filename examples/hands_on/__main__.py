"""``python -m examples.hands_on``: play the story, print it, and leave nothing behind."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from examples.hands_on.stage import CLOUDJAR, Stage, Trouble
from examples.hands_on.story import Story


def main() -> int:
    """0 when everything went as it must, 1 otherwise."""
    options = _options()
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGHUP, _ended)
    real = options.planes != "sim"
    home = Path("/var/lib/cloudjar-demo") if real else Path(tempfile.mkdtemp(prefix="cloudjar-demo-")) / "home"
    stage = Stage(home, port=options.port, tag="demo", pool="198.19.0.0/17", planes=options.planes)
    story = Story(stage)
    code = 0
    try:
        story.end()  # what an earlier run may have left
        story.play(keep=options.keep)
    except Trouble as trouble:
        _explain(trouble)
        said = stage.run(*CLOUDJAR, "logs", "-n", "20", shown="-").out
        print(f"\nThe server's last words:\n{said}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        code = 130
    finally:
        if options.keep and code != 130:
            stage.rest()
            _kept(stage, story)
        else:
            code = _clean(story) or code
            if not real:
                home.parent.rmdir()
    _summary(stage, code, kept=options.keep)
    return code


def _kept(stage: Stage, story: Story) -> None:
    command = f"{Path(sys.executable).parent}/cloudjar"
    address = story.address.get("server") if story.real else ""
    print(f"\nIt runs on: http://{address}/" if address else "\nIt is left as it is.")
    for act in ("shell", "ssh devops-server --key " + str(stage.files / "devops-key.pem"), "bill", "reset --yes"):
        print(f"  CLOUDJAR_HOME={stage.home} {command} {act}")


def _clean(story: Story) -> int:
    try:
        story.end()
    except Trouble as trouble:
        _explain(trouble)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hands_on", description="The Hands-on Project, on real or simulated planes.")
    parser.add_argument("--planes", choices=["linux", "sim"], default="linux" if os.geteuid() == 0 else "sim")
    parser.add_argument("--port", type=int, default=4599)
    parser.add_argument("--keep", action="store_true", help="leave the jar as it is at the end")
    return parser.parse_args()


def _ended(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _explain(trouble: Trouble) -> None:
    print(f"\nFAILED: {trouble.what}", file=sys.stderr)
    for line in trouble.why.splitlines():
        print(f"  {line}", file=sys.stderr)
    if trouble.hint:
        print(f"  Try: {trouble.hint}", file=sys.stderr)


def _summary(stage: Stage, code: int, *, kept: bool) -> None:
    print()
    for title, seconds in stage.steps:
        print(f"{title:<72} {seconds:6.1f} s")
    if not code:
        print(f"\nEverything went as it must{'' if kept else '; nothing is left on this host'}.")


if __name__ == "__main__":
    sys.exit(main())
