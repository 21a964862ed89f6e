"""The LiteLLM proxy, which its makers start by a command of its own, under us and without us."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from openai import OpenAI
from process_comparison import compared
from process_models import ROWS
from process_runs import Program

MODELS = ["m0", "m1", "m2"]
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # else its import fetches the price list


def asked(port: int, model: str) -> str:
    url = f"http://127.0.0.1:{port}/v1"
    with OpenAI(base_url=url, api_key="sk-none", max_retries=0, timeout=60) as client:
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello?"}]
        )
    return answer.choices[0].message.content or ""


def proxied(program: Program) -> None:
    program.request = partial(asked, program.port)
    program.start()
    program.reachable()
    program.ask(*MODELS)
    program.terminate_during_a_request()


def test_litellm_proxy(tmp_path: Path) -> None:
    """``--config`` is the proxy's: ``opentelemetry-instrument`` needs ``--`` before the command."""
    compared(ROWS["litellm"], proxied, tmp_path, (OFFLINE, OFFLINE))
