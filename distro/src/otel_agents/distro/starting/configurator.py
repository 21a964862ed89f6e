"""The configurator: the SDK with this distribution's defaults, export and shutdown."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._configuration import _OTelSDKConfigurator  # pyright: ignore[reportPrivateUsage]  the way for distributions
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_agents.distro.ending import lifecycle
from otel_agents.distro.ending.lifecycle import Lifecycle
from otel_agents.distro.environment import Environment
from otel_agents.distro.export.logs import IdentityLogProcessor
from otel_agents.distro.export.measures import measure
from otel_agents.distro.export.metrics import DESTINATION
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.notices import warn
from otel_agents.distro.otlp.exporter_logs import captured_logs
from otel_agents.distro.starting import uwsgi
from otel_agents.distro.starting.adoption import adopt_exporters
from otel_agents.distro.starting.invalid import valid_environment, warn_of_invalid_variables
from otel_agents.distro.starting.program import is_worker, program_name, set_program_of_workers
from otel_agents.distro.variables import hidden
from otel_agents.instrumentors.hosting import guarded, signals_blocked
from otel_agents.instrumentors.settings import Settings

__all__ = ["AgentsConfigurator"]

_CONFIG_FILE: Final = "OTEL_CONFIG_FILE"
_RESOURCE: Final = "OTEL_RESOURCE_ATTRIBUTES"
_SERVICE_NAME: Final = "service.name"
_EXPORTERS: Final = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")


class AgentsConfigurator(_OTelSDKConfigurator):
    """Configures the SDK.

    The user's ``OTEL_*`` variables win; defaults never reach the environment.

    Example:
        configurator = AgentsConfigurator()
        configurator.configure(resource_attributes={"deployment.environment.name": "test"})

    The SDK reads sampler, id generator, resource detectors and the rest itself. Spans and log
    records get our processors. They are attached to the finished providers, which every version
    of the SDK allows.
    """

    @guarded("configuring the SDK")
    def _configure(self, **kwargs: Any) -> None:
        uwsgi.install()
        pipeline = Pipeline(Settings.read())
        if pipeline.environment.flag("OTEL_SDK_DISABLED"):
            return
        config_file = pipeline.environment.text(_CONFIG_FILE)
        if config_file is not None and self._configured_by_file(config_file.value, pipeline):
            return
        self._configure_by_environment(pipeline, kwargs)

    def _configure_by_environment(self, pipeline: Pipeline, kwargs: dict[str, Any]) -> None:
        names = pipeline.metric_exporter_names()
        given: dict[str, Any] = kwargs.get("resource_attributes") or {}
        kwargs["resource_attributes"] = {**_service(pipeline.environment), **given}
        token = DESTINATION.set(pipeline.metric_destination())
        warn_of_invalid_variables()
        with (
            hidden(_CONFIG_FILE, *_EXPORTERS),
            valid_environment(),
            _setup_error_logged(),
            signals_blocked(),
        ):
            super()._configure(  # pyright: ignore[reportUnknownMemberType]
                trace_exporter_names=[],
                log_exporter_names=[],
                metric_exporter_names=names,
                **kwargs,
            )
        DESTINATION.reset(token)
        _attach(pipeline)
        _finish(pipeline)

    def _configured_by_file(self, path: str, pipeline: Pipeline) -> bool:
        if not os.path.isfile(path):
            warn("%s=%s is not a file; the environment's settings are used", _CONFIG_FILE, path)
            return False
        if find_spec("opentelemetry.configuration") is None:
            warn(
                "%s is set, but opentelemetry-configuration is not installed; "
                "the environment's settings are used",
                _CONFIG_FILE,
            )
            return False
        with valid_environment(), _setup_error_logged(), captured_logs(), signals_blocked():
            super()._configure()  # pyright: ignore[reportUnknownMemberType]
            adopt_exporters(pipeline)
        _finish(
            pipeline
        ).start_fallback_thread()  # the SDK's exporters of metrics and logs may block at exit
        return True


@contextmanager
def _setup_error_logged() -> Generator[None, None, None]:
    """Log what the SDK raises for a setting, so that the program starts all the same."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  its components may raise anything
        text = " ".join(str(error).split())
        warn(
            "OpenTelemetry's setup failed (%s: %s); what was not set up records nothing; "
            "correct that setting",
            type(error).__name__,
            text,
        )


def _service(environment: Environment) -> dict[str, str]:
    """Return a default ``service.name``, if unset: an argument overrides the user's variables."""
    named = (part.partition("=")[0].strip() for part in environment.listed(_RESOURCE))
    if environment.text("OTEL_SERVICE_NAME") is not None or _SERVICE_NAME in named:
        return {}
    name = program_name()
    set_program_of_workers(name)
    return {_SERVICE_NAME: name}


def _attach(pipeline: Pipeline) -> None:
    tracers, loggers = trace.get_tracer_provider(), get_logger_provider()
    if isinstance(tracers, TracerProvider):
        for span_processor in pipeline.span_processors():
            tracers.add_span_processor(span_processor)
    if isinstance(loggers, LoggerProvider):
        loggers.add_log_record_processor(IdentityLogProcessor())
        for log_processor in pipeline.log_processors():
            loggers.add_log_record_processor(log_processor)


def _finish(pipeline: Pipeline) -> Lifecycle:
    meter = metrics.get_meter("otel_agents.distro")
    measure(meter, pipeline.dropped(), pipeline.failures)
    return lifecycle.install(pipeline, child=is_worker(), signals=not uwsgi.is_uwsgi())
