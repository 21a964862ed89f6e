"""An instrumented Groq SDK in front of the scripted model."""

from __future__ import annotations

from groq_calls import SDK
from stainless_fixtures import *
from stainless_fixtures import fixtures_of

from otel_agents.instrumentors.groq import GroqInstrumentor

sdk, instrumentor = fixtures_of(SDK, GroqInstrumentor)
