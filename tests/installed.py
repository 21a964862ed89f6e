"""Distributions for one test: metadata on the path, as pip would write it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

__all__ = ["install"]


def install(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    instrumentors: Mapping[str, str] | None = None,
    requires: tuple[str, ...] = (),
    modules: Mapping[str, str] | None = None,
) -> None:
    """Install ``name`` into ``folder``.

    Args:
        folder: To be put on ``PYTHONPATH``.
        name: The distribution's name.
        version: Its version.
        instrumentors: Its entry points in ``opentelemetry_instrumentor``.
        requires: ``Requires-Dist`` of its extra ``instruments``.
        modules: Its modules: name to text.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires:
        lines.append("Provides-Extra: instruments")
        lines += [f'Requires-Dist: {text}; extra == "instruments"' for text in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if instrumentors:
        points = "\n".join(f"{key} = {value}" for key, value in instrumentors.items())
        text = f"[opentelemetry_instrumentor]\n{points}\n"
        (info / "entry_points.txt").write_text(text, encoding="utf-8")
    for module, text in (modules or {}).items():
        (folder / f"{module}.py").write_text(textwrap.dedent(text), encoding="utf-8")
