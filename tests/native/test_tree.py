"""The tree of the page is what its program draws."""

from __future__ import annotations

import pytest
from debugging_trees import shape_now, shape_on_the_page
from native_programs import SPANS


@pytest.mark.skipif(
    "invoke_agent" not in SPANS.get("pydantic_ai", ()), reason="the program needs Pydantic AI"
)
def test_the_tree_of_the_page_is_current() -> None:
    assert shape_now("weather") == shape_on_the_page("weather")
