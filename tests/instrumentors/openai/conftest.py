"""An instrumented OpenAI SDK in front of the scripted model."""

from __future__ import annotations

from openai_calls import SDK
from stainless_fixtures import *
from stainless_fixtures import fixtures_of

from otel_agents.instrumentors.openai import OpenAIInstrumentor

sdk, instrumentor = fixtures_of(SDK, OpenAIInstrumentor)
