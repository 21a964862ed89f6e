"""What libraries tell their makers unless told not to: not told here, where the user said nothing.

A library's own variable is set where it does nothing else. Where it does more, as CrewAI's, without
which it handles no signals, the sending itself is stopped: the rest is as if we were not there.
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
from otel_agents.distro.variables import offer

__all__ = ["PHONE_HOME", "PhoneHome", "silence_frameworks"]

_Stop: TypeAlias = Callable[[ModuleType, Callable[[], bool]], None]


@dataclass(frozen=True)
class PhoneHome:
    """What a library tells its maker.

    Attributes:
        library: Whose it is.
        what: What it tells.
        variable: The library's own, by which its user decides.
        off: Its value for off.
        on: Its value for on, which turns ours round.
        senders: The modules that send, each with what stops it, unless it is told that the user has
            decided; none where the variable stops the sending, and nothing else.
    """

    library: str
    what: str
    variable: str
    off: str
    on: str
    senders: tuple[tuple[str, _Stop], ...] = ()

    def is_decided(self) -> bool:
        """Whether the user has set the variable by now: a program may do so when it has started."""
        return Environment().text(self.variable) is not None


PHONE_HOME: Final = (
    PhoneHome(
        *("CrewAI", "usage statistics, and in some versions that it was imported"),
        *("CREWAI_DISABLE_TELEMETRY", "true", "false"),
        (
            ("crewai.telemetry.telemetry", senders.stop_crewai_import),
            ("crewai_core.telemetry", senders.stop_crewai),  # of its command line
        ),
    ),
    PhoneHome(
        *("Chroma, which CrewAI brings", "usage statistics, by PostHog"),
        *("ANONYMIZED_TELEMETRY", "false", "true"),
        (("chromadb.telemetry.product.posthog", senders.stop_chroma),),
    ),
    PhoneHome("MLflow", "usage statistics", "MLFLOW_DISABLE_TELEMETRY", "true", "false"),
    PhoneHome(
        *("Mem0, which early CrewAI brings", "usage statistics, by PostHog"),
        *("MEM0_TELEMETRY", "False", "True"),
    ),
    PhoneHome(
        *("Embedchain, which early CrewAI brings", "usage statistics, by PostHog"),
        *("EC_TELEMETRY", "false", "true"),
    ),
)
"""Downloads are not among it: LiteLLM fetches its price list, without which it knows other prices."""


def silence_frameworks() -> None:
    """Stop `PHONE_HOME`; what the user has decided stays."""
    for row in PHONE_HOME:
        for sender, stop in row.senders:
            register_post_import_hook(partial(_stop, row, stop), sender)
        if not row.senders:
            offer({row.variable: row.off})


def _stop(row: PhoneHome, stop: _Stop, module: ModuleType) -> None:
    try:
        stop(module, row.is_decided)
    except Exception as error:  # noqa: BLE001  of a version that is not known yet
        warn(
            "what %s tells its maker (%s) could not be stopped (%s: %s); set %s=%s",
            row.library,
            row.what,
            type(error).__name__,
            error,
            row.variable,
            row.off,
        )
