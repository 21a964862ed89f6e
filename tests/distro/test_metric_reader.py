"""Metrics are collected on our worker: at intervals, at a flush and at shutdown."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from otlp_receiver import Receiver

from otel_agents.distro.export.metrics import DESTINATION
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.export.reader import DeliveringMetricReader
from otel_agents.instrumentors.settings import Settings

INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
NEVER = "3600000"
SECONDS = 10.0


@contextmanager
def counting(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, interval: str
) -> Generator[MeterProvider, None, None]:
    """A provider whose counter ``counted`` has counted one."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
    monkeypatch.setenv(INTERVAL, interval)
    token = DESTINATION.set(Pipeline(Settings.read({})).metric_destination())
    provider = MeterProvider([DeliveringMetricReader()], shutdown_on_exit=False)
    DESTINATION.reset(token)
    provider.get_meter("t").create_counter("counted").add(1)
    yield provider
    provider.shutdown(1000)


def test_it_collects_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver, counting(monkeypatch, receiver, "20"), receiver.arrived:
        assert receiver.arrived.wait_for(lambda: len(receiver.requests) >= 2, SECONDS)


@pytest.mark.parametrize("interval", [NEVER, "inf"])
def test_it_collects_when_it_is_flushed_and_when_it_ends(
    monkeypatch: pytest.MonkeyPatch, interval: str
) -> None:
    with Receiver() as receiver:
        with counting(monkeypatch, receiver, interval) as provider:
            assert provider.force_flush(SECONDS * 1000)
            assert len(receiver.requests) == 1
        assert len(receiver.requests) == 2
        assert receiver.metric_names == {"counted"}


def test_a_flush_during_an_export_ends_at_its_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Receiver(hang=True) as receiver, counting(monkeypatch, receiver, "10") as provider:
        assert receiver.first_request.wait(SECONDS)
        began = time.monotonic()
        provider.force_flush(100)
        assert time.monotonic() - began < SECONDS / 2  # of 10 that the request may take
        receiver.release()


def test_its_thread_is_unknown_to_threading(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        known = threading.enumerate()
        with counting(monkeypatch, receiver, NEVER):
            assert threading.enumerate() == known
