"""An instrumented Anthropic SDK in front of the scripted model."""

from __future__ import annotations

from anthropic_calls import SDK
from stainless_fixtures import *
from stainless_fixtures import fixtures_of

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor

sdk, instrumentor = fixtures_of(SDK, AnthropicInstrumentor)
