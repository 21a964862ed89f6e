"""The real backends, each started once for all tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from backends import golden
from backends.collector import Collector
from backends.everywhere import CONTENT, Everywhere
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.moto import Moto
from backends.xray import XRay
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


@pytest.fixture(scope="session")
def everywhere(jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow) -> Iterator[Everywhere]:
    with XRay() as xray:
        where = {**jaeger.environ, **zipkin.environ, **mlflow.environ, **xray.environ}
        with Collector("all-backends", environ=where) as collector:
            run = golden.run(collector.endpoint, OTEL_AGENTS_METRICS="both", **CONTENT)
            yield Everywhere(run, collector, jaeger, zipkin, mlflow, xray)
