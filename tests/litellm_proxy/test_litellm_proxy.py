"""The LiteLLM proxy, started by its own command, with and without otel-agents."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openai import OpenAI
from process_comparison import compared
from process_models import ROWS
from process_runs import Program

MODELS = ["m0", "m1", "m2"]
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # else its import fetches the price list


def requests(port: int, model: str) -> str:
    url = f"http://127.0.0.1:{port}/v1"
    with OpenAI(base_url=url, api_key="sk-none", max_retries=0, timeout=60) as client:
        response = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello?"}]
        )
    return response.choices[0].message.content or ""


def proxied(program: Program) -> None:
    program.request = partial(requests, program.port)
    program.start()
    program.reachable()
    program.call(*MODELS)
    program.terminate_during_a_request()


def test_litellm_proxy(tmp_path: Path) -> None:
    """``--config`` belongs to the proxy: ``opentelemetry-instrument`` needs ``--`` before the command."""
    compared(ROWS["litellm"], proxied, tmp_path, (OFFLINE, OFFLINE))
