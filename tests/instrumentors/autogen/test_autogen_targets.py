"""A target that is missing from a version that should have it is reported."""

from __future__ import annotations

import doctest

from autogen_teams import VERSION
from packaging.version import Version
from renamed_targets import check_renamed

from otel_agents.instrumentors.autogen import AutoGenInstrumentor


def test_a_renamed_target_is_reported() -> None:
    count = 29 if Version("0.4.9") > VERSION else 40
    assert check_renamed(AutoGenInstrumentor) == count


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        AutoGenInstrumentor, "AutoGenInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
