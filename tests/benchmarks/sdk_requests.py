"""One chat of each model SDK but OpenAI's, and how a person would record it.

The SDKs are imported by name: only some environments have them.
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from handwritten import Attributes, Call, messages_json, parts, text_of

__all__ = ["anthropic", "bedrock", "google_genai", "groq", "litellm", "mistralai"]

_URL: Final = "http://127.0.0.1:1"
_HOST: Final = {"server.address": "127.0.0.1", "server.port": 1}


def transport(package: str, body: dict[str, Any]) -> Any:
    """Return what replaces the network of an HTTP library: every response has this body."""
    library = import_module(package)
    data, headers = json.dumps(body).encode(), {"content-type": "application/json"}

    def respond(_: Any) -> Any:
        return library.Response(200, content=data, headers=headers)

    return library.MockTransport(respond)


def http(package: str, body: dict[str, Any]) -> Any:
    """Return an HTTP client over this transport."""
    return import_module(package).Client(transport=transport(package, body))


def started(provider: str, model: str) -> Attributes:
    """Return the attributes of the start of a chat's span."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        **_HOST,
    }


def output_json(text: str, reason: str) -> str:
    """Return the message of a response as the conventions write it."""
    message = {"role": "assistant", "parts": parts(text), "finish_reason": reason}
    return json.dumps([message])


def anthropic(size: int) -> Call:
    """Return a message of Anthropic's SDK."""
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-4-20260101",
        "content": [{"type": "text", "text": text_of(min(size, 200))}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }
    sdk: Any = import_module("anthropic")
    client = sdk.Anthropic(api_key="none", base_url=_URL, http_client=http("httpx2", body))
    messages = [{"role": "user", "content": text_of(size)}]

    def send() -> Any:
        return client.messages.create(
            model="claude-4", max_tokens=100, system="be kind", messages=messages
        )

    def read(response: Any, content: bool) -> Attributes:
        found: Attributes = {
            "gen_ai.request.max_tokens": 100,
            "gen_ai.response.model": response.model,
            "gen_ai.response.id": response.id,
            "gen_ai.response.finish_reasons": (response.stop_reason,),
            "gen_ai.usage.input_tokens": response.usage.input_tokens,
            "gen_ai.usage.output_tokens": response.usage.output_tokens,
        }
        if content:
            found["gen_ai.system_instructions"] = json.dumps(parts("be kind"))
            found["gen_ai.input.messages"] = messages_json(messages)
            found["gen_ai.output.messages"] = output_json(response.content[0].text, "stop")
        return found

    return Call("chat claude-4", started("anthropic", "claude-4"), send, read)


def google_genai(size: int) -> Call:
    """Return a request of Google's SDK."""
    part = {"text": text_of(min(size, 200))}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}
    body = {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
        "usageMetadata": usage,
        "modelVersion": "gemini-2.5-flash-001",
        "responseId": "r1",
    }
    genai: Any = import_module("google.genai")
    library = "httpx2" if version("google-genai") >= "3" else "httpx"
    options = {"base_url": _URL, "client_args": {"transport": transport(library, body)}}
    client = genai.Client(api_key="none", http_options=options)
    text, config = text_of(size), {"temperature": 0.5, "system_instruction": "be kind"}
    model = "gemini-2.5-flash"

    def send() -> Any:
        return client.models.generate_content(model=model, contents=text, config=config)

    def read(response: Any, content: bool) -> Attributes:
        usage = response.usage_metadata
        found: Attributes = {
            "gen_ai.request.temperature": 0.5,
            "gen_ai.response.model": response.model_version,
            "gen_ai.response.id": response.response_id,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": usage.prompt_token_count,
            "gen_ai.usage.output_tokens": usage.candidates_token_count,
        }
        if content:
            found["gen_ai.system_instructions"] = json.dumps(parts("be kind"))
            found["gen_ai.input.messages"] = messages_json([{"role": "user", "content": text}])
            found["gen_ai.output.messages"] = output_json(response.text, "stop")
        return found

    start = {**started("gcp.gemini", model), "gen_ai.operation.name": "generate_content"}
    return Call(f"generate_content {model}", start, send, read)


def bedrock(size: int) -> Call:
    """Return a request of Bedrock's Converse."""
    message = {"role": "assistant", "content": [{"text": text_of(min(size, 200))}]}
    body = {
        "output": {"message": message},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120},
        "metrics": {"latencyMs": 1},
    }
    data, model = json.dumps(body).encode(), "us.anthropic.claude-v1:0"
    aws: Any = import_module("botocore.awsrequest")
    client: Any = import_module("boto3").client(
        "bedrock-runtime",
        endpoint_url=_URL,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )

    class Raw:
        def stream(self, *_: Any, **__: Any) -> Any:
            yield data

    def respond(**_: Any) -> Any:
        headers = {"content-type": "application/json", "x-amzn-requestid": "r1"}
        return aws.AWSResponse(_URL, 200, headers, Raw())

    client.meta.events.register("before-send.bedrock-runtime.Converse", respond)
    arguments: Any = {
        "modelId": model,
        "messages": [{"role": "user", "content": [{"text": text_of(size)}]}],
        "system": [{"text": "be kind"}],
        "inferenceConfig": {"temperature": 0.5, "maxTokens": 100},
    }

    def read(response: Any, content: bool) -> Attributes:
        usage = response["usage"]
        found: Attributes = {
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.response.id": response["ResponseMetadata"]["RequestId"],
            "gen_ai.response.finish_reasons": (response["stopReason"],),
            "gen_ai.usage.input_tokens": usage["inputTokens"],
            "gen_ai.usage.output_tokens": usage["outputTokens"],
        }
        if content:
            sent = [{"role": "user", "content": arguments["messages"][0]["content"][0]["text"]}]
            text = response["output"]["message"]["content"][0]["text"]
            found["gen_ai.system_instructions"] = json.dumps(parts("be kind"))
            found["gen_ai.input.messages"] = messages_json(sent)
            found["gen_ai.output.messages"] = output_json(text, "stop")
        return found

    return Call(
        f"chat {model}",
        started("aws.bedrock", model),
        lambda: client.converse(**arguments),
        read,
    )


def _completion(model: str) -> dict[str, Any]:
    """Return the body of a chat in OpenAI's format."""
    message = {"role": "assistant", "content": text_of(200)}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "service_tier": "default",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def _read_completion(messages: Any, response: Any, content: bool) -> Attributes:
    """Read a chat in OpenAI's format."""
    found: Attributes = {
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.model": response.model,
        "gen_ai.response.id": response.id,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": response.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": response.usage.completion_tokens,
    }
    if content:
        text = response.choices[0].message.content
        found["gen_ai.input.messages"] = messages_json(messages)
        found["gen_ai.output.messages"] = output_json(text, "stop")
    return found


def _messages(size: int) -> Any:
    return [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": text_of(size)},
    ]


def groq(size: int) -> Call:
    """Return a chat of Groq's SDK."""
    model, messages = "llama-3.3-70b-versatile", _messages(size)
    sdk: Any = import_module("groq")
    client = sdk.Groq(api_key="none", base_url=_URL, http_client=http("httpx", _completion(model)))

    def send() -> Any:
        return client.chat.completions.create(
            model=model, messages=messages, temperature=0.5, max_tokens=100
        )

    def read(response: Any, content: bool) -> Attributes:
        return {
            **_read_completion(messages, response, content),
            "openai.api.type": "chat_completions",
            "openai.response.service_tier": response.service_tier,
        }

    return Call(f"chat {model}", started("groq", model), send, read)


def mistralai(size: int) -> Call:
    """Return a chat of Mistral's SDK."""
    model, messages = "mistral-small", _messages(size)
    sdk: Any = import_module("mistralai.client")
    client = sdk.Mistral(api_key="none", server_url=_URL, client=http("httpx2", _completion(model)))

    def send() -> Any:
        return client.chat.complete(model=model, messages=messages, temperature=0.5, max_tokens=100)

    return Call(
        f"chat {model}",
        started("mistral_ai", model),
        send,
        lambda response, content: _read_completion(messages, response, content),
    )


def litellm(size: int) -> Call:
    """Return a chat of LiteLLM over its own HTTP client."""
    model, messages = "llama-3.3-70b-versatile", _messages(size)
    sdk: Any = import_module("litellm")
    handler: Any = import_module("litellm.llms.custom_httpx.http_handler").HTTPHandler
    client = handler(client=http("httpx", _completion(model)))

    def send() -> Any:
        return sdk.completion(
            model=f"groq/{model}",
            messages=messages,
            temperature=0.5,
            max_tokens=100,
            api_key="none",
            api_base=_URL,
            client=client,
        )

    return Call(
        f"chat {model}",
        started("groq", model),
        send,
        lambda response, content: _read_completion(messages, response, content),
    )
