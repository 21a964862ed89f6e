"""Calls of models: those that are reported here, and those that a layer below may report."""

from .claimed import ClaimedCall, unfinished
from .inference import Embeddings, FetchResponse, Inference, ModelCall, Server

__all__ = [
    "ClaimedCall",
    "Embeddings",
    "FetchResponse",
    "Inference",
    "ModelCall",
    "Server",
    "unfinished",
]
