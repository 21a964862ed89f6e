"""Writes the Collector's manifest from the versions: ``python3 tests/backends/manifest.py``.

Standard library only. The components stay as they are in the manifest; their versions are those of
`collector-config/versions.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parents[2] / "collector-config"
MANIFEST = CONFIG / "otelcol-builder.yaml"
VERSIONS: dict[str, Any] = json.loads((CONFIG / "versions.json").read_text("utf-8"))
_MODULE = re.compile(r"^(  - gomod: )(\S+) v\S+$", re.MULTILINE)
_DISTRIBUTION = re.compile(r"^(  version: |.*/cmd/builder@v)\S+$", re.MULTILINE)


def written(manifest: str, collector: Mapping[str, Any]) -> str:
    """Return the manifest with the versions of ``collector``."""

    def version(module: str) -> str:
        for ending, exception in collector["exceptions"].items():
            if module.endswith(f"/{ending}"):
                return exception
        return collector["stable" if "/confmap/provider/" in module else "version"]

    pinned = _MODULE.sub(lambda match: f"{match[1]}{match[2]} v{version(match[2])}", manifest)
    return _DISTRIBUTION.sub(rf"\g<1>{collector['version']}", pinned)


if __name__ == "__main__":
    MANIFEST.write_text(written(MANIFEST.read_text("utf-8"), VERSIONS["collector"]), "utf-8")
