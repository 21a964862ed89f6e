"""Which of the dispatcher's spans are shown, by the methods that they are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from . import _chats, _engines, _tools, _workflows
from ._work import Entered, Work, is_a

__all__ = ["start"]

_Start = Callable[[Entered], "Work | None"]

_METHODS: Final[Mapping[str, tuple[tuple[str, _Start], ...]]] = MappingProxyType(
    {
        name: kinds
        for names, kinds in (
            (("query", "aquery"), (("BaseQueryEngine", _engines.query),)),
            (("retrieve", "aretrieve"), (("BaseRetriever", _engines.retrieve),)),
            (
                ("_postprocess_nodes", "_apostprocess_nodes"),
                (("BaseNodePostprocessor", _engines.rerank),),
            ),
            (
                ("chat", "achat", "stream_chat", "astream_chat"),
                (("BaseChatEngine", _chats.chat),),
            ),
            (
                ("write_response_to_history", "awrite_response_to_history"),
                (("StreamingAgentChatResponse", _chats.writing),),
            ),
            (("call", "acall", "__call__"), (("BaseTool", _tools.tool),)),
            (("predict_and_call", "apredict_and_call"), (("LLM", _tools.predict_and_call),)),
            (("run",), (("Workflow", _workflows.run),)),
        )
        for name in names
    }
)
"""The classes whose methods are shown, the method's name first."""


def start(entered: Entered) -> Work | None:
    """Return the work that a span stands for; None if it is not shown.

    A method that calls the same one of the same object, as ``super()`` does, is shown once.
    """
    if entered.instance is None:
        return _workflows.step(entered)
    for kind, begin in _METHODS.get(entered.name, ()):
        if is_a(entered.instance, kind):
            work = begin(entered)
            above = entered.above
            repeated = (
                work is not None
                and above is not None
                and (above.kind == work.kind and above.subject is work.subject)
            )
            return None if repeated else work
    return None
