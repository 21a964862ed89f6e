"""Our error costs no span and raises nothing."""

from __future__ import annotations

from fault_laws import FaultLaws


class TestFaults(FaultLaws):
    """The laws for chat."""
