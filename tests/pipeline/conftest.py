"""The real backends, each started once for all tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.moto import Moto
from backends.zipkin import Zipkin


@pytest.fixture(scope="session")
def jaeger() -> Iterator[Jaeger]:
    with Jaeger() as jaeger:
        yield jaeger


@pytest.fixture(scope="session")
def zipkin() -> Iterator[Zipkin]:
    with Zipkin() as zipkin:
        yield zipkin


@pytest.fixture(scope="session")
def mlflow() -> Iterator[Mlflow]:
    with Mlflow() as mlflow:
        yield mlflow


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto
