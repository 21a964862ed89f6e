"""Anthropic's Messages API as an `Api`."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._dialects.api import Api
from otel_agents.semconv.values import Operation

from .accumulator import Accumulator
from .messages import finish_reasons, output_messages, record_request

__all__ = ["MESSAGES"]

MESSAGES: Final = Api(Operation.CHAT, record_request, output_messages, finish_reasons, Accumulator)
