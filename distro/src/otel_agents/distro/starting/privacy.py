"""Vendor telemetry, which libraries send by default, is disabled unless the user has decided.

We set a library's own variable if that does nothing else. CrewAI's also disables its signal
handlers, so there we stop only the sending.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Final, TypeAlias

from wrapt import register_post_import_hook

from otel_agents.distro.environment import Environment
from otel_agents.distro.notices import warn
from otel_agents.distro.starting import senders
from otel_agents.distro.variables import set_defaults

__all__ = ["VENDOR_TELEMETRY", "VendorTelemetry", "disable_vendor_telemetry"]

_Stop: TypeAlias = Callable[[ModuleType, Callable[[], bool]], None]


@dataclass(frozen=True)
class VendorTelemetry:
    """Usage statistics that a library sends to its vendor.

    Attributes:
        library: The library's name.
        what: What it sends.
        variable: The library's own switch.
        off: Its value to disable sending.
        on: Its value to enable sending, which overrides ours.
        senders: Modules that send, each with a function that stops it unless the user has decided;
            empty if the variable stops only the sending.
    """

    library: str
    what: str
    variable: str
    off: str
    on: str
    senders: tuple[tuple[str, _Stop], ...] = ()

    def is_decided(self) -> bool:
        """Return whether the user has set the variable; a program may do so after its start."""
        return Environment().text(self.variable) is not None


VENDOR_TELEMETRY: Final = (
    VendorTelemetry(
        *("CrewAI", "usage statistics, and in some versions an event on import"),
        *("CREWAI_DISABLE_TELEMETRY", "true", "false"),
        (
            ("crewai.telemetry.telemetry", senders.stop_crewai_import),
            ("crewai_core.telemetry", senders.stop_crewai),  # of its command line
        ),
    ),
    VendorTelemetry(
        *("Chroma, a dependency of CrewAI", "usage statistics, by PostHog"),
        *("ANONYMIZED_TELEMETRY", "false", "true"),
        (("chromadb.telemetry.product.posthog", senders.stop_chroma),),
    ),
    VendorTelemetry("MLflow", "usage statistics", "MLFLOW_DISABLE_TELEMETRY", "true", "false"),
    VendorTelemetry(
        *("Mem0, a dependency of early CrewAI", "usage statistics, by PostHog"),
        *("MEM0_TELEMETRY", "False", "True"),
    ),
    VendorTelemetry(
        *("Embedchain, a dependency of early CrewAI", "usage statistics, by PostHog"),
        *("EC_TELEMETRY", "false", "true"),
    ),
)
"""Downloads are not included: LiteLLM fetches its price list; without it, its prices differ."""


def disable_vendor_telemetry() -> None:
    """Disable `VENDOR_TELEMETRY`, unless the user has decided."""
    for row in VENDOR_TELEMETRY:
        for sender, stop in row.senders:
            register_post_import_hook(partial(_stop, row, stop), sender)
        if not row.senders:
            set_defaults({row.variable: row.off})


def _stop(row: VendorTelemetry, stop: _Stop, module: ModuleType) -> None:
    try:
        stop(module, row.is_decided)
    except Exception as error:  # noqa: BLE001  a newer version may differ
        warn(
            "vendor telemetry of %s (%s) could not be disabled (%s: %s); set %s=%s",
            row.library,
            row.what,
            type(error).__name__,
            error,
            row.variable,
            row.off,
        )
