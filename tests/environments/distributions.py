"""The distributions of a release: one version, sdists and wheels, and a check of what was built.

python tests/environments/distributions.py version 0.2.0
python tests/environments/distributions.py build
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from environments import MEMBERS, ROOT

CHECKOUT = ROOT / "pyproject.toml"
"""Its version is the version; the members repeat it."""
OWN = re.compile(r'^version = "(?P<version>[^"]+)"$', re.MULTILINE)
PINNED = re.compile(r'(?P<name>otel-agents[a-z-]*(\[[a-z]+\])?) == (?P<version>[0-9][^",]*)')
VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
DIST = ROOT / "dist"
FURTHER = {"instrumentors": ("api",)}
"""Parts of the namespace that a distribution has besides the one of its name."""
PROGRAM = (
    "import otel_agents.api, otel_agents.distro, otel_agents.instrumentors, otel_agents.semconv"
)


class UnreleasableError(Exception):
    """What cannot be released; the text says why and what to do."""


def version() -> str:
    """The version of the checkout."""
    found = OWN.search(CHECKOUT.read_text("utf-8"))
    if found is None:
        raise UnreleasableError(f"{CHECKOUT} has no version")
    return found["version"]


def versions() -> dict[str, set[str]]:
    """The versions that each member has for itself and requires of the others."""
    return {member: _versions((ROOT / member / "pyproject.toml").read_text()) for member in MEMBERS}


def _versions(text: str) -> set[str]:
    return {found["version"] for pattern in (OWN, PINNED) for found in pattern.finditer(text)}


def set_version(new: str) -> None:
    """Write ``new`` into the checkout and its members.

    Raises:
        UnreleasableError: It is no version.
    """
    if not VERSION.fullmatch(new):
        raise UnreleasableError(f"{new!r} is no version such as 0.2.0 or 1.0.0rc1")
    for path in (CHECKOUT, *(ROOT / member / "pyproject.toml" for member in MEMBERS)):
        text = OWN.sub(f'version = "{new}"', path.read_text("utf-8"))
        path.write_text(PINNED.sub(rf"\g<name> == {new}", text), "utf-8")


def build() -> list[Path]:
    """Build and check all distributions; the files.

    Raises:
        UnreleasableError: Versions differ, or a wheel is not what it should be.
    """
    expected = version()
    for member, found in versions().items():
        if found != {expected}:
            found_here = f"{member}: {', '.join(sorted(found))}; the checkout: {expected}"
            raise UnreleasableError(f"versions differ ({found_here}): make version V={expected}")
    shutil.rmtree(DIST, ignore_errors=True)
    for member in MEMBERS:
        _run("uv", "build", "--quiet", "--out-dir", DIST, ROOT / member)
    wheels = sorted(DIST.glob("*.whl"))
    for wheel in wheels:
        check(wheel, expected)
    install(wheels)
    return sorted(path for path in DIST.iterdir() if path.suffix in (".whl", ".gz"))


def check(wheel: Path, expected: str) -> None:
    """Look into a wheel.

    Raises:
        UnreleasableError: Its version is another, it has no license, is not typed, or holds more
            than its own part of the namespace.
    """
    names = zipfile.ZipFile(wheel).namelist()
    part = _part(wheel)
    own = tuple(f"otel_agents/{folder}/" for folder in (part, *FURTHER.get(part, ())))
    for folder in own:
        if f"{folder}py.typed" not in names:
            raise UnreleasableError(f"{wheel.name} has no {folder}py.typed")
    foreign = [it for it in names if not it.startswith(own) and ".dist-info/" not in it]
    if foreign:
        raise UnreleasableError(f"{wheel.name} holds {', '.join(foreign)}")
    metadata = _metadata(wheel)
    if metadata["Version"] != expected:
        raise UnreleasableError(f"{wheel.name} is of version {metadata['Version']}, not {expected}")
    for field in ("License-Expression", "Requires-Python", "Summary"):
        if not metadata[field]:
            raise UnreleasableError(f"{wheel.name} has no {field}")


def _part(wheel: Path) -> str:
    """Return the part of the namespace ``otel_agents`` that a distribution has."""
    return wheel.name.partition("-")[0].removeprefix("otel_agents").strip("_") or "distro"


def install(wheels: list[Path]) -> None:
    """Install the wheels in an empty environment, and import what they hold."""
    with tempfile.TemporaryDirectory() as folder:
        _run("uv", "venv", "--quiet", "--python", sys.executable, folder)
        python = Path(folder) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        _run("uv", "pip", "install", "--quiet", "--python", python, *wheels)
        _run("uv", "pip", "check", "--quiet", "--python", python)
        subprocess.run([python, "-c", PROGRAM], check=True, cwd=folder)


def _metadata(wheel: Path) -> Message:
    archive = zipfile.ZipFile(wheel)
    name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(archive.read(name))


def _run(*command: str | Path) -> None:
    parts = [sys.executable, "-m", *map(str, command)]
    if subprocess.run(parts, cwd=ROOT, check=False).returncode:
        raise UnreleasableError(f"{' '.join(parts)} failed")


def main() -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(description="The distributions of a release.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version").add_argument("version")
    commands.add_parser("build")
    arguments = parser.parse_args()
    try:
        if arguments.command == "version":
            set_version(arguments.version)
            return 0
        for path in build():
            print(path.relative_to(ROOT))
    except UnreleasableError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
