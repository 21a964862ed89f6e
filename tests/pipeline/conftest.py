"""The real backends, each started once for all tests that use it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

import pytest
from backends import golden
from backends.collector import Collector
from backends.everywhere import CONTENT, Everywhere
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.moto import Moto
from backends.xray import XRay
from backends.zipkin import Zipkin
from debugging_trees import local, scripted

from otel_agents.distro.demo.programs import PROGRAMS, Program

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


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


@contextmanager
def running_everywhere(
    program: Program,
    jaeger: Jaeger,
    zipkin: Zipkin,
    mlflow: Mlflow,
    *,
    variables: Mapping[str, str] = _NONE,
    environ: Mapping[str, str] = _NONE,
) -> Generator[Everywhere]:
    """Run a program once, through its own Collector, to every backend.

    ``variables`` are the program's, ``environ`` are the Collector's.
    """
    with XRay() as xray:
        backends = (jaeger, zipkin, mlflow, xray)
        where = {**ChainMap(*(dict(backend.environ) for backend in backends)), **environ}
        with Collector("all-backends", environ=where) as collector:
            given = {"OTEL_AGENTS_METRICS": "both", **CONTENT, **variables}
            run = golden.run(collector.endpoint, program, **given)
            yield Everywhere(run, collector, jaeger, zipkin, mlflow, xray)


@pytest.fixture(scope="session")
def everywhere(jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow) -> Iterator[Everywhere]:
    """The golden run."""
    with running_everywhere(golden.PROGRAM, jaeger, zipkin, mlflow) as everywhere:
        yield everywhere


@pytest.fixture(scope="module")
def crew(jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow) -> Iterator[Everywhere]:
    """The demo's crew, in an experiment of its own."""
    into = {"MLFLOW_EXPERIMENT_ID": mlflow.experiment("crew")}
    with running_everywhere(PROGRAMS["crewai"], jaeger, zipkin, mlflow, environ=into) as everywhere:
        yield everywhere


@pytest.fixture(scope="module")
def example(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    jaeger: Jaeger,
    zipkin: Zipkin,
    mlflow: Mlflow,
) -> Iterator[Everywhere]:
    """The program of the tree with this name in ``docs``, in an experiment of its own."""
    name: str = request.param
    into = {"MLFLOW_EXPERIMENT_ID": mlflow.experiment(name)}
    variables = {**local(tmp_path_factory.mktemp(name)), "OTEL_AGENTS_STREAM_USAGE": "true"}
    with running_everywhere(
        scripted(name), jaeger, zipkin, mlflow, variables=variables, environ=into
    ) as everywhere:
        yield everywhere
