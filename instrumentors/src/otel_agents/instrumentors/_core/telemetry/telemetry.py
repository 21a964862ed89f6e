"""What one instrumentor emits with: tracer, logger, instruments, content gate."""

from __future__ import annotations

from functools import lru_cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import LoggerProvider, LogRecord, get_logger
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
from opentelemetry.trace import TracerProvider

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.metrics import OTEL_AGENTS_CONTENT_TRUNCATIONS, OTEL_AGENTS_ERRORS

from .gate import Gate
from .metrics import Instruments, SharedCounters
from .prices import PRICES
from .records import exportable

__all__ = ["GATED_SCOPES", "Telemetry"]

_DISTRIBUTION: Final = "otel-agents-instrumentors"
_SCOPE: Final = "otel_agents.instrumentors"

GATED_SCOPES: Final[Bounded[str, None]] = Bounded(512, inherited=True)
"""The scopes whose content passes a gate."""


def _version() -> str:
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:  # a source tree that is not installed
        return "0"


@lru_cache(maxsize=1)
def _prices_imported() -> bool:
    """Return whether the list of prices is there; import it.

    Our thread must not import it while the application runs: openai 2.54 looks for `httpx2`, which
    the list needs, in `sys.modules`, and a call fails while another thread has it half imported.
    """
    if find_spec("genai_prices") is None:
        return False
    imported = partial(import_module, "genai_prices")
    return errors.call_foreign("importing genai-prices", imported, None) is not None


class Telemetry:
    """The tracer, meter and logger of one instrumentor, and its content gate.

    ``scope`` is the name of its instrumentation scope. It has no schema URL: the GenAI conventions
    have not released one.

    Example:
        >>> telemetry = Telemetry("house")
        >>> agent = InvokeAgent(telemetry, "planner")
        >>> agent.end()
    """

    def __init__(
        self,
        scope: str,
        *,
        settings: Settings | None = None,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        completion_hook: Any = None,
    ) -> None:
        self.settings = settings or Settings.read()
        self._tracer_provider = tracer_provider
        self.providers: dict[str, Any] = {
            "tracer_provider": tracer_provider,
            "meter_provider": meter_provider,
        }
        """The providers that were given, by the names of the arguments; None for the global one."""
        GATED_SCOPES.put(scope, None)
        self.tracer = trace.get_tracer(scope, _version(), tracer_provider)
        self._meter_provider = meter_provider
        meter = metrics.get_meter(scope, _version(), meter_provider)
        shared = SharedCounters(scope, meter, meter_provider)
        self.instruments = Instruments(meter, self.settings, shared)
        truncations = shared.of(OTEL_AGENTS_CONTENT_TRUNCATIONS)
        self.prices = PRICES if self.settings.cost and _prices_imported() else None
        """The prices of models; None if no cost is recorded."""
        self.gate = Gate(self.settings, completion_hook, partial(truncations.add, attributes={}))
        self._logger = get_logger(scope, _version(), logger_provider)
        _observe_errors(metrics.get_meter(_SCOPE, _version(), meter_provider))

    @property
    def has_global_meters(self) -> bool:
        """Whether our metrics go where those of libraries go that use the global provider."""
        return self._meter_provider in (None, metrics.get_meter_provider())

    def emits_to(self, provider: object) -> bool:
        """Return whether spans of ``provider``, such as the global one, are exported with ours."""
        return provider in (self._tracer_provider, trace.get_tracer_provider())

    def emits_through(self, tracer: object) -> bool:
        """Return whether spans of ``tracer`` are exported with ours.

        A tracer of the SDK has the processors of its provider, and one of the API none of its own.
        """
        processor = getattr(tracer, "span_processor", None)
        providers = (self._tracer_provider, trace.get_tracer_provider())
        return processor is None or any(
            processor is getattr(provider, "_active_span_processor", None) for provider in providers
        )

    def emit(self, record: LogRecord) -> None:
        """Emit a log record; never raises."""
        made = exportable(record, self._logger)
        errors.call_foreign("emitting an event", lambda: self._logger.emit(made), None)


def _observe_errors(meter: Meter) -> None:
    """Report the error counts in one scope: all instrumentors share them."""
    meter.create_observable_counter(
        OTEL_AGENTS_ERRORS.name,
        [_errors],
        unit=OTEL_AGENTS_ERRORS.unit,
        description=OTEL_AGENTS_ERRORS.description,
    )


def _errors(_: CallbackOptions) -> list[Observation]:
    counts = list(errors.counts.items())  # a copy: other threads add to them

    return [Observation(number, {attr.OTEL_AGENTS_DOING: action}) for action, number in counts]
