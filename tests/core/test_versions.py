"""Whether the installed version should have a target, by the bounds of the distribution."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import pytest
from dist_infos import Site

from otel_agents.instrumentors._core.patching import versions
from otel_agents.instrumentors._core.patching.versions import (
    Bound,
    Distributions,
    installed_version,
)

NAMES = ("toy-classic", "toys", "toys-next")
"""Distributions that may hold the package ``toys``."""


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The facts on distributions are cached; here they change."""
    kept = [vars(versions)[name].cache_clear for name in ("_installed", "_holds")]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield Site(tmp_path)
    for clear in kept:
        clear()


def expects(since: Bound = None, until: Bound = None, module: str = "toys.agents") -> bool:
    return Distributions(NAMES).expects(module, since, until)


@pytest.mark.parametrize(
    ("installed", "expected"),
    [("1.1", False), ("1.2rc1", True), ("1.2", True), ("1.2.0", True), ("1.10", True)],
)
def test_since_is_the_first_version_that_has_it(installed: str, expected: bool, site: Site) -> None:
    site.install("toys", installed)
    assert expects(since="1.2") is expected


@pytest.mark.parametrize(
    ("installed", "expected"),
    [("1.1", True), ("1.2rc1", False), ("1.2", False), ("1.2.0", False), ("1.10", False)],
)
def test_until_is_the_first_version_without_it(installed: str, expected: bool, site: Site) -> None:
    site.install("toys", installed)
    assert expects(until="1.2") is expected


@pytest.mark.parametrize(
    ("installed", "expected"), [("1", False), ("1.2", True), ("1.9", True), ("2", False)]
)
def test_both_bounds_are_a_range(installed: str, expected: bool, site: Site) -> None:
    site.install("toys", installed)
    assert expects("1.2", "2") is expected


def test_without_bounds_every_version_has_it(site: Site) -> None:
    site.install("toys", "1")
    assert expects()


def test_without_an_installed_distribution_it_is_expected() -> None:
    """As of a checkout on the path."""
    assert expects()
    assert expects("999", "0.1")
    assert expects({"toys": "999"}, {"toys": "0.1"})


@pytest.mark.parametrize("version", ["of-a-checkout", None])
def test_without_a_known_version_it_is_expected(version: str | None, site: Site) -> None:
    site.install("toys", version)
    assert expects("999", "0.1")
    assert expects({"toys": "999"}, {"toys": "0.1"})


BY_DISTRIBUTION: Bound = {"toys": "2", "toy-classic": None}


@pytest.mark.parametrize(
    ("holder", "installed", "expected"),
    [
        ("toys", "1.9", False),
        ("toys", "2", True),
        ("toy-classic", "0.1", True),
        ("toys-next", "9", False),
    ],
)
def test_since_of_several_distributions_is_that_of_the_holder(
    holder: str, installed: str, expected: bool, site: Site
) -> None:
    site.install(holder, installed, files="toys/__init__.py")
    assert expects(since=BY_DISTRIBUTION) is expected


@pytest.mark.parametrize(
    ("holder", "installed", "expected"),
    [
        ("toys", "1.9", True),
        ("toys", "2", False),
        ("toy-classic", "0.1", True),
        ("toys-next", "9", True),
    ],
)
def test_until_of_several_distributions_is_that_of_the_holder(
    holder: str, installed: str, expected: bool, site: Site
) -> None:
    site.install(holder, installed, files="toys/__init__.py")
    assert expects(until=BY_DISTRIBUTION) is expected


@pytest.mark.parametrize("first", ["toys", "toys-next"])
@pytest.mark.parametrize("files", ["toys/__init__.py a.py", "a.py toys/__init__.py"])
def test_of_several_installed_distributions_the_one_with_files_holds_it(
    first: str, files: str, site: Site
) -> None:
    """Others are empty and require it, as classic AutoGen's are."""
    second = "toys-next" if first == "toys" else "toys"
    site.install(first, "1", files="toys.py other/toys/a.py toys-1.dist-info/METADATA")
    site.install(second, "3", files=files)
    assert [expects(since=since) for since in ("3", "3.1")] == [True, False]
    assert [expects(since={name: "1"}) for name in (first, second)] == [False, True]


@pytest.mark.parametrize(
    ("module", "holder"),
    [
        ("toys.agents", "toys"),
        ("big_toys.agents", "big-toys"),
        ("shared.part.agents", "shared-part"),
        ("elsewhere.agents", "toy-classic"),
    ],
)
def test_without_files_the_name_decides_or_else_the_order(
    module: str, holder: str, site: Site
) -> None:
    """As of an editable install; distribution names have no underscores."""
    installed = ("toy-classic", "toys", "toys-agents", "big-toys", "shared-part", "shared-part-a")
    for number, name in enumerate(installed, start=1):
        site.install(name, str(number))
    number = installed.index(holder) + 1
    assert [expects(str(since), module=module) for since in (number, number + 1)] == [True, False]
    assert [name for name in installed if expects({name: "0"}, module=module)] == [holder]


def test_an_installed_version_is_that_of_its_metadata() -> None:
    names = sorted({one.metadata["Name"] for one in distributions()})
    assert len(names) > 20
    assert {name: installed_version(name) for name in names} == {
        name: version(name) for name in names
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("toys-1.2.dist-info/METADATA", "Name: toys\nversion: 1.2\n\nVersion: 9\n"),
        ("toys-1.2.dist-info/METADATA", "Name: toys\r\nVersion: \t1.2\r\n\r\nVersion: 9\r\n"),
        (
            "toys-1.2.dist-info/METADATA",
            "Name: toys\nDescription: of toys\n        Version: 9\nVersion: 1.2\n",
        ),
        ("toys-1.2.egg-info/PKG-INFO", "Name: toys\nVersion: 1.2\n\nVersion: 9\n"),
    ],
    ids=("lower case", "carriage returns", "folded", "egg"),
)
def test_its_metadata_may_have_any_form(file: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir()
    path.write_bytes(text.encode())
    assert installed_version("toys") == version("toys") == "1.2"


def test_without_a_distribution_there_is_no_installed_version() -> None:
    with pytest.raises(PackageNotFoundError):
        installed_version("no-such-toys")
