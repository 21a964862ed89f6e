"""The real backends, each started once for all tests that use it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from backends import golden
from backends.collector import Collector
from backends.everywhere import CONTENT, Everywhere
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.moto import Moto
from backends.xray import XRay
from backends.zipkin import Zipkin
from debugging_trees import scripted

from otel_agents.distro.demo.programs import PROGRAMS, Program


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
    program: Program, jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow, **environ: str
) -> Generator[Everywhere]:
    """Run a program once, through its own Collector, to every backend."""
    with XRay() as xray:
        backends = (jaeger, zipkin, mlflow, xray)
        where = dict(ChainMap(environ, *(backend.environ for backend in backends)))
        with Collector("all-backends", environ=where) as collector:
            run = golden.run(collector.endpoint, program, OTEL_AGENTS_METRICS="both", **CONTENT)
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
    with running_everywhere(PROGRAMS["crewai"], jaeger, zipkin, mlflow, **into) as everywhere:
        yield everywhere


@pytest.fixture(scope="module")
def example(
    request: pytest.FixtureRequest, jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow
) -> Iterator[Everywhere]:
    """The program of the tree with this name in ``docs``, in an experiment of its own."""
    name: str = request.param
    into = {"MLFLOW_EXPERIMENT_ID": mlflow.experiment(name)}
    with running_everywhere(scripted(name), jaeger, zipkin, mlflow, **into) as everywhere:
        yield everywhere
