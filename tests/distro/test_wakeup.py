"""The wakeup pipe: its descriptors are not used once the program has reused them."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from otel_agents.distro.ending.wakeup import WakeupPipe


@pytest.fixture
def pipe() -> Generator[WakeupPipe, None, None]:
    it = WakeupPipe()
    yield it
    it.close()


@pytest.fixture
def taken(pipe: WakeupPipe, tmp_path: Path) -> Generator[int, None, None]:
    """A file of the program that got the descriptor of the writing end."""
    number = pipe.writing
    with (tmp_path / "own").open("w+b") as file:
        os.dup2(file.fileno(), number)
        yield number
    os.close(number)


def assert_it_reopens(pipe: WakeupPipe, number: int) -> None:
    assert pipe.reopen()
    assert pipe.writing == number
    assert not os.get_blocking(number)
    assert not os.get_inheritable(number)
    assert pipe.write(2)
    assert pipe.read() == b"\x02"


def test_what_is_written_is_read(pipe: WakeupPipe) -> None:
    assert pipe.write(15)
    assert pipe.read() == b"\x0f"


def test_it_is_reopened_at_the_interpreters_descriptor(pipe: WakeupPipe) -> None:
    number = pipe.writing
    os.close(number)
    assert not pipe.write(15)
    assert pipe.read() == b""
    assert_it_reopens(pipe, number)


def test_meanwhile_the_interpreter_can_write_to_its_descriptor(
    pipe: WakeupPipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, opened = pipe.writing, os.pipe

    def opened_meanwhile() -> tuple[int, int]:
        os.fstat(number)
        return opened()

    os.close(vars(pipe)["_reading"])
    monkeypatch.setattr(os, "pipe", opened_meanwhile)
    assert_it_reopens(pipe, number)


def test_a_descriptor_that_is_no_longer_ours_is_not_written(pipe: WakeupPipe, taken: int) -> None:
    assert not pipe.write(15)
    assert not pipe.reopen()
    pipe.close()
    assert os.fstat(taken).st_size == 0


def test_a_descriptor_that_is_no_longer_ours_is_not_read(pipe: WakeupPipe, tmp_path: Path) -> None:
    os.close(pipe.writing)
    number = vars(pipe)["_reading"]
    (tmp_path / "own").write_text("text", "utf-8")
    with (tmp_path / "own").open("rb") as file:
        os.dup2(file.fileno(), number)
        assert pipe.read() == b""
        assert os.lseek(number, 0, os.SEEK_CUR) == 0
        os.close(number)
