"""The tree of the page is what its program draws."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from debugging_trees import shape_now, shape_on_the_page


@pytest.mark.skipif(find_spec("pydantic_ai") is None, reason="the program needs Pydantic AI")
def test_the_tree_of_the_page_is_current() -> None:
    assert shape_now("weather") == shape_on_the_page("weather")
