"""What the tests of whole pipelines share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from backends import golden
from backends.collector import Collector
from backends.everywhere import CONTENT, Everywhere
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.xray import XRay
from backends.zipkin import Zipkin


@pytest.fixture(scope="session")
def everywhere() -> Iterator[Everywhere]:
    with Jaeger() as jaeger, Zipkin() as zipkin, Mlflow() as mlflow, XRay() as xray:
        where = {**jaeger.environ, **zipkin.environ, **mlflow.environ}
        where["XRAY_ENDPOINT"] = xray.endpoint
        with Collector("all-backends", environ=where) as collector:
            run = golden.run(collector.endpoint, OTEL_AGENTS_METRICS="both", **CONTENT)
            yield Everywhere(run, collector, jaeger, zipkin, mlflow, xray)
