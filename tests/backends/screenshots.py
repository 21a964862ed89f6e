"""Takes the pictures of docs/backends.md: the demo's trace in the backends' pages, by a real browser.

make backends && .environments/backends/bin/python tests/backends/screenshots.py [--browser chromium]
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from backends.show import show

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PAGES = {"zipkin": ((1400, 1100), (1400, 1100)), "mlflow": ((1500, 950), (1050, 900))}
"""Width and height of the window, and of the part that is kept."""


def take(browser: str, name: str, address: str) -> None:
    """Take the picture of one page into docs/."""
    with tempfile.TemporaryDirectory() as profile:
        (width, height), kept = PAGES[name]
        target = ROOT / "docs" / f"{name}.png"
        command = [browser, *QUIET, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        # What the page fetches and draws is done within this time, which does not pass for real.
        options = [f"--screenshot={target}", "--virtual-time-budget=90000"]
        subprocess.run([*command, *options, address], check=True)
    with Image.open(target) as picture:
        picture.crop((0, 0, *kept)).save(target, optimize=True)


def main() -> None:
    """Take all of them."""
    parser = argparse.ArgumentParser(description="Takes the pictures of the documentation.")
    parser.add_argument("--browser", default="chromium", help="a program of Chromium's family")
    browser: str = parser.parse_args().browser
    for name in PAGES:
        show(name, functools.partial(take, browser, name))


if __name__ == "__main__":
    main()
