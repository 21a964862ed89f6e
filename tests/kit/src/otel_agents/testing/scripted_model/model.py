"""The scripted model itself: a local HTTP server with a script and a ledger."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator
from typing import TYPE_CHECKING

from otel_agents.testing.scripted_model.anthropic import ENDPOINTS as ANTHROPIC
from otel_agents.testing.scripted_model.bedrock import ENDPOINTS as BEDROCK
from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.google import ENDPOINTS as GOOGLE
from otel_agents.testing.scripted_model.ledger import Ledger
from otel_agents.testing.scripted_model.mistral import ENDPOINTS as MISTRAL
from otel_agents.testing.scripted_model.ollama import ENDPOINTS as OLLAMA
from otel_agents.testing.scripted_model.openai import ENDPOINTS as OPENAI
from otel_agents.testing.scripted_model.reactions import Reaction, Response
from otel_agents.testing.scripted_model.server import Server
from otel_agents.testing.scripted_model.service import Script, Service

if TYPE_CHECKING:
    from typing_extensions import Self

ENDPOINTS: tuple[Endpoint, ...] = (*MISTRAL, *OLLAMA, *OPENAI, *ANTHROPIC, *GOOGLE, *BEDROCK)


class ScriptedModel:
    """A model provider on the loopback interface: a context manager, or `start` and `close`.

        with ScriptedModel() as model:
            model.script("Sunny.", Failure(400))
            client = openai.OpenAI(base_url=model.openai_url, api_key="none")
            client.responses.create(model="gpt-4o", input="How is the weather?")
            assert model.ledger.requests == 1

    `port=0` takes a free port. `keep_requests=False` drops headers and bodies from the ledger, for
    long runs with large prompts.
    """

    def __init__(self, port: int = 0, *, keep_requests: bool = True) -> None:
        self.ledger = Ledger(keep_requests)
        self._requested_port = port
        self._service = Service(ENDPOINTS, self.ledger)
        self._server: Server | None = None
        self._closed = False

    def start(self) -> Self:
        """Listen, and return the model.

        Raises:
            OSError: The port is taken.
            RuntimeError: It was started before.

        """
        if self._server is not None:
            raise RuntimeError("This scripted model was started before: create a new one")
        self._server = Server(self._requested_port, self._service)
        self._server.start()
        return self

    def close(self) -> None:
        """Release what waits, close every connection and join every thread. Idempotent."""
        self._service.close()
        if self._server is not None and not self._closed:
            self._closed = True
            self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port that it listens on.

        Raises:
            RuntimeError: It has not been started.

        """
        if self._server is None:
            raise RuntimeError("The scripted model is not running: use `with` or call start()")
        return self._server.port

    @property
    def base_url(self) -> str:
        """Scheme, host and port, such as "http://127.0.0.1:40123": the base URL of most clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """The `base_url` of an OpenAI client."""
        return f"{self.base_url}/v1"

    @property
    def mistral_url(self) -> str:
        """The `server_url` of a Mistral client, and the endpoint of one of Azure."""
        return f"{self.base_url}/mistral"

    @property
    def groq_url(self) -> str:
        """The `base_url` of a Groq client; below it chat completions are as Groq's."""
        return f"{self.base_url}/groq"

    def script(self, *reactions: Reaction | str) -> None:
        """Return these for the next requests, in order of arrival; a string is a response's text.

        They precede the function of `script_by`. After the last one the default rule applies.
        """
        self._service.queue([Response(it) if isinstance(it, str) else it for it in reactions])

    def script_by(self, function: Script) -> None:
        """Compute each reaction from the request; `function` runs in the server's threads."""
        self._service.rule(function)


@contextlib.contextmanager
def nothing_listening() -> Generator[str]:
    """Yield a URL that refuses connections as long as the context lasts."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound, so that the port stays reserved; never listening
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"
