"""A service with users, sessions and feedback: FastAPI in front of an agent with its own model client.

It needs `fastapi` and `uvicorn`:

    opentelemetry-instrument uvicorn travel_service:service --app-dir examples
"""

from __future__ import annotations

import json
import os
from urllib.request import Request, urlopen

from fastapi import FastAPI, Header
from pydantic import BaseModel

from otel_agents.api import agent, evaluation, feedback, identity, inference, reference, tool

MODEL = "gpt-4o-mini"
URL = os.environ.get("MODEL_URL", "http://127.0.0.1:8080/v1")

service = FastAPI()


class Message(BaseModel):
    """What a user writes, in a session."""

    session: str
    text: str


class Rating(BaseModel):
    """What a user thinks of a reply, by the reference that came with it."""

    reference: str
    good: bool
    comment: str | None = None


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"Sunny in {city}."


def complete(prompt: str) -> str:
    """Call the model by HTTP, without an SDK."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    with inference(model=MODEL, provider="openai") as call:
        call.input(prompt)
        with urlopen(Request(f"{URL}/chat/completions", json.dumps(body).encode(), headers)) as got:
            response = json.load(got)
        choice, usage = response["choices"][0], response["usage"]
        call.usage(usage["prompt_tokens"], usage["completion_tokens"])
        call.response(
            id=response["id"], model=response["model"], finish_reason=choice["finish_reason"]
        )
        call.output(choice["message"]["content"])
    return choice["message"]["content"]


@service.post("/plan")
def plan(message: Message, user: str = Header()) -> dict[str, str]:
    """Reply to a message, with what a client needs to rate the reply later."""
    with (
        identity(user=user, session=message.session, tags={"plan": "pro"}),
        agent("travel-guide") as run,
    ):
        run.input(message.text)
        text = complete(f"{message.text}\n{weather('Bern')}")
        run.output(text)
        evaluation("has_text", score=float(bool(text)), evaluator_type="code")
        return {"text": text, "reference": reference()}


@service.post("/feedback")
def rate(rating: Rating, user: str = Header()) -> None:
    """Record what a user thinks of a reply: any process of the service may."""
    with identity(user=user):
        feedback(rating.good, of=rating.reference, comment=rating.comment)
