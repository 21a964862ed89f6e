"""Chat models of every package of LangChain, in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_groq import ChatGroq
from langchain_mistralai import ChatMistralAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["CHATS"]

_KEY: dict[str, Any] = {"api_key": "none"}
_CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"


def _aws(model: ScriptedModel) -> dict[str, Any]:
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    return {"endpoint_url": model.base_url, "region_name": "us-east-1", **keys}


def _openai(model: ScriptedModel, **options: Any) -> BaseChatModel:
    settings: dict[str, Any] = {"base_url": model.openai_url, "stream_usage": True, **_KEY}
    return ChatOpenAI(model="gpt-4o-mini", **settings, **options)


def _anthropic(model: ScriptedModel) -> BaseChatModel:
    settings: dict[str, Any] = {"model": "claude-toy", "base_url": model.base_url, **_KEY}
    return ChatAnthropic(**settings)


def _google(model: ScriptedModel) -> BaseChatModel:
    return ChatGoogleGenerativeAI(model="gemini-2.0-flash", base_url=model.base_url, **_KEY)


def _groq(model: ScriptedModel) -> BaseChatModel:
    return ChatGroq(model="llama-3.3-70b-versatile", base_url=model.groq_url, **_KEY)


def _mistral(model: ScriptedModel) -> BaseChatModel:
    settings: dict[str, Any] = {"endpoint": f"{model.mistral_url}/v1", **_KEY}
    return ChatMistralAI(model_name="mistral-small", **settings)


CHATS: Mapping[str, Callable[[ScriptedModel], BaseChatModel]] = MappingProxyType(
    {
        "openai": _openai,
        "openai responses": lambda model: _openai(model, use_responses_api=True),
        "anthropic": _anthropic,
        "google-genai": _google,
        "aws converse": lambda model: ChatBedrockConverse(model=_CLAUDE, **_aws(model)),
        "aws invoke": lambda model: ChatBedrock(model=_CLAUDE, **_aws(model)),
        "groq": _groq,
        "mistralai": _mistral,
        "ollama": lambda model: ChatOllama(model="llama3.2", base_url=model.base_url),
    }
)
"""By the name of their package, and the API that it calls."""
