"""The trace context in ``_meta``, where the protocol carries it unprefixed (SEP-414)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from otel_agents.instrumentors._core.errors import call_foreign

__all__ = [
    "Carrier",
    "carrier_of",
    "extracted",
    "meta_of",
    "params_with",
    "request_with",
    "unsampled",
]

Carrier = dict[str, str]

_META: Final = "_meta"


def carrier_of(context: Context) -> Carrier:
    """Return what the application's propagators inject from ``context``."""
    carrier: Carrier = {}
    call_foreign("propagating a trace", lambda: propagate.inject(carrier, context), None)
    return carrier


def unsampled(context: Context) -> Context:
    """Return ``context`` for a request that is no span at the peer either, whose sampler follows ours."""
    known = get_current_span(context).get_span_context()
    if not known.is_valid:
        return context
    plain = SpanContext(known.trace_id, known.span_id, False, TraceFlags(0), known.trace_state)
    return set_span_in_context(NonRecordingSpan(plain), context)


def extracted(meta: Mapping[str, Any], base: Context) -> Context:
    """Return ``base`` with what the propagators find in ``meta``."""
    carrier = {key: value for key, value in meta.items() if isinstance(value, str)}
    if not carrier:
        return base
    return call_foreign("continuing a trace", lambda: propagate.extract(carrier, base), base)


def meta_of(params: Any) -> Mapping[str, Any]:
    """Return ``_meta`` of the parameters of mcp 1, a model, or of mcp 2, a dict; empty if none."""
    if isinstance(params, Mapping):
        meta: Any = cast("Mapping[str, Any]", params).get(_META)
    else:
        meta = getattr(params, "meta", None)
    if isinstance(meta, Mapping):
        return cast("Mapping[str, Any]", meta)
    return getattr(meta, "model_extra", None) or {}


def params_with(params: Any, carrier: Carrier) -> Any:
    """Return a copy of ``params`` with ``carrier`` in ``_meta``."""
    if params is None or isinstance(params, Mapping):
        fields = cast("Mapping[str, Any]", params or {})
        return {**fields, _META: {**meta_of(fields), **carrier}}
    model: Any = params
    meta = model.meta
    if meta is None:
        known = cast(Any, type(model)).Meta(**carrier)
    elif isinstance(meta, Mapping):
        known = {**cast("Mapping[str, Any]", meta), **carrier}
    else:
        known = meta.model_copy(update=carrier)
    return model.model_copy(update={"meta": known})


def request_with(request: Any, carrier: Carrier) -> Any:
    """Return a copy of a request or notification of mcp 1 with ``carrier`` in ``_meta``."""
    root = getattr(request, "root", None)
    if root is not None:
        return request.model_copy(update={"root": request_with(root, carrier)})
    params = request.params
    if params is None:
        params = _no_params(type(request))
    return request.model_copy(update={"params": params_with(params, carrier)})


def _no_params(request: Any) -> Any:
    """Return empty parameters of the class that ``request`` declares for them."""
    annotation: Any = request.model_fields["params"].annotation
    kinds = (kind for kind in get_args(annotation) if hasattr(kind, "model_copy"))
    kind = next(kinds, None)
    return kind() if kind is not None else {}
