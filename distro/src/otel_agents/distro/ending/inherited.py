"""What a forked child has from its parent and must not tell again: the sums of the metrics.

Cumulative sums that begin with the parent's, and come from the same instance, are counted twice by
whoever adds them up. How the SDK keeps them is private; where it is not as known here, they stay.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from opentelemetry.sdk.resources import Resource

__all__ = ["begin_metrics_anew", "instance_of"]

_INSTANCE: Final = "service.instance.id"


def instance_of(meters: Any) -> str | None:
    """The ``service.instance.id`` that the metrics of ``meters`` come from; None for none."""
    resource = getattr(getattr(meters, "_sdk_config", None), "resource", None)
    found = resource.attributes.get(_INSTANCE) if isinstance(resource, Resource) else None
    return found if isinstance(found, str) else None


def begin_metrics_anew(meters: Any, instance: str | None) -> None:
    """In a forked child: forget what ``meters`` has summed up, and be an instance of its own.

    Args:
        meters: A MeterProvider.
        instance: The `instance_of` the parent; newer SDKs give the child its own, some by now.
    """
    consumer = getattr(meters, "_measurement_consumer", None)
    storages: dict[Any, Any] = getattr(consumer, "_reader_storages", None) or {}
    for storage in storages.values():
        sums: dict[Any, Any] | None = getattr(storage, "_instrument_view_instrument_matches", None)
        if sums is not None:
            sums.clear()
    config: Any = getattr(meters, "_sdk_config", None)
    if config is not None and instance_of(meters) == instance:
        config.resource = config.resource.merge(Resource({_INSTANCE: str(uuid.uuid4())}))
