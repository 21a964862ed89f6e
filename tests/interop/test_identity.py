"""Who the work is done for, on what arrives of others: log records of `logging`, and plain spans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from instrumented import instrumented, script
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp_receiver import Receiver

WORK = """
    import logging
    import threading

    from opentelemetry import trace
    from opentelemetry._logs import get_logger_provider
    from opentelemetry.sdk._logs import LoggingHandler

    from otel_agents.api import agent, identity

    logger = logging.getLogger("shop")
    logger.setLevel("INFO")
    handler = LoggingHandler(logger_provider=get_logger_provider())
    logger.addHandler(handler)
    with identity(user="ada", session="s-1", tags={"plan": "pro"}), agent("planner"):
        trace.get_tracer("shop").start_span("order").end()
        logger.info("planned")
        thread = threading.Thread(target=logger.info, args=("in a thread",))
        thread.start()
        thread.join()
    logger.info("after")
    trace.get_tracer("shop").start_span("later").end()
    logger.removeHandler(handler)
    del handler  # `logging.shutdown` flushes it in a thread, which Python 3.12 refuses by then.
"""
FILE = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch: {{exporter: {{otlp_http: {{endpoint: "{endpoint}/v1/traces"}}}}}}
logger_provider:
  processors:
    - batch: {{exporter: {{otlp_http: {{endpoint: "{endpoint}/v1/logs"}}}}}}
"""
ADA = {"user.id": "ada", "session.id": "s-1", "otel_agents.tag.plan": "pro"}


def identity(attributes: Any) -> dict[str, str]:
    return {it.key: it.value.string_value for it in attributes if it.key in ADA}


def logged(receiver: Receiver) -> dict[str, dict[str, str]]:
    """Return the identity of each log record by its text."""
    requests = [it for _, it in receiver.requests if isinstance(it, ExportLogsServiceRequest)]
    return {
        record.body.string_value: identity(record.attributes)
        for request in requests
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    }


@pytest.mark.parametrize("configured_by", ["environment", "file"])
def test_it_arrives_on_log_records_and_on_plain_spans(configured_by: str, tmp_path: Path) -> None:
    with Receiver() as receiver:
        path = tmp_path / "otel.yaml"
        path.write_text(FILE.format(endpoint=receiver.endpoint), "utf-8")
        by_file = {"OTEL_CONFIG_FILE": str(path)}
        by_environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(
            script(tmp_path, WORK), by_file if configured_by == "file" else by_environment
        )
    assert (done.status, done.err) == (0, "")
    assert logged(receiver) == {"planned": ADA, "in a thread": ADA, "after": {}}
    assert {span.name: identity(span.attributes) for span in receiver.spans} == {
        "invoke_agent planner": ADA,
        "order": ADA,
        "later": {},
    }
