"""A Collector before every backend, and one run through it."""

from __future__ import annotations

from dataclasses import dataclass

from backends import golden
from backends.collector import Collector
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.xray import XRay
from backends.zipkin import Zipkin

__all__ = ["CONTENT", "Everywhere"]

CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}


@dataclass(frozen=True)
class Everywhere:
    """One run with content on, sent through ``all-backends`` to every backend."""

    run: golden.Run
    collector: Collector
    jaeger: Jaeger
    zipkin: Zipkin
    mlflow: Mlflow
    xray: XRay
