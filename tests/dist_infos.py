"""Distributions that consist only of metadata."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Site"]


class Site:
    """A folder with metadata of distributions, which are installed for a process with it on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, name: str, version: str | None, entry_points: str = "", *, files: str = ""
    ) -> None:
        """Install a distribution.

        Args:
            name: Its name.
            version: Its version; None for metadata that are broken.
            entry_points: The text of its entry points.
            files: The files that it lists, with spaces between; it lists none by default.
        """
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}"]
        lines += [f"Version: {version}"] if version is not None else []
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "entry_points.txt").write_text(entry_points)
        if files:
            (info / "RECORD").write_text("".join(f"{path},,\n" for path in files.split()))
