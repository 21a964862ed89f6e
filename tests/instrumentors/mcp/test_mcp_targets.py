"""A target that is missing from a version that should have it is reported."""

from __future__ import annotations

import doctest
from importlib import import_module
from importlib.util import find_spec

from mcp_server import NEWEST, VERSION
from packaging.version import Version
from renamed_targets import check_renamed

from otel_agents.instrumentors.mcp import McpInstrumentor


def test_a_renamed_target_is_reported() -> None:
    if find_spec("fastmcp") is not None:
        import_module("fastmcp")
    count = 18 if NEWEST else 19 if Version("1.8") <= VERSION else 16
    assert check_renamed(McpInstrumentor) == count + (find_spec("fastmcp") is not None)


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(McpInstrumentor, "McpInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
