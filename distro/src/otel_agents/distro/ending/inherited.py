"""What a forked child has from its parent and must not keep: sums of metrics, locked locks.

Cumulative sums that begin with the parent's, and come from the same instance, are counted twice by
whoever adds them up. A lock that another thread of the parent held stays locked for ever. How the
SDK keeps both is private; where it is not as known here, they stay.
"""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

from opentelemetry.sdk import resources
from opentelemetry.sdk.resources import Resource

from otel_agents.instrumentors.hosting import attempt, system

__all__ = [
    "begin_metrics_anew",
    "detect_in_place",
    "has_measured",
    "instance_of",
    "keep_locks",
    "renew_locks",
    "restart_readers",
]

_INSTANCE: Final = "service.instance.id"
_PROCESSORS: Final = ("_active_span_processor", "_multi_log_record_processor")


def _kind(make: Callable[[], object]) -> type[object]:
    return type(make())


_MAKERS: Final[tuple[Callable[[], Any], ...]] = (
    threading.Lock,
    threading.RLock,
    system.RLock,
    threading.Event,  # has a lock too
)
_KINDS: Final = tuple((_kind(make), make) for make in _MAKERS)
_RLOCK: Final = type(threading.RLock())


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
    for storage in list(_storages(meters).values()):
        _sums(storage).clear()
    config: Any = getattr(meters, "_sdk_config", None)
    if config is not None and instance_of(meters) == instance:
        config.resource = config.resource.merge(Resource({_INSTANCE: str(uuid.uuid4())}))


def has_measured(meters: Any) -> bool:
    """Whether anything was summed up since ``meters`` began, or began anew."""
    return any(_sums(storage) for storage in list(_storages(meters).values()))


def restart_readers(meters: Any) -> None:
    """Where no hook has run in a forked child: start the readers' threads, as their hooks do.

    A reader whose thread is the parent's collects nothing, and waits for it at its end. One that had
    none, as ours, gets none.
    """
    for reader in list(_storages(meters)):
        begin = getattr(reader, "_at_fork_reinit", None)
        if begin is not None and getattr(reader, "_daemon_thread", None) is not None:
            begin()


def renew_locks(*providers: Any) -> None:
    """In a forked child: give the SDK's objects behind ``providers`` locks that nobody holds.

    Before their own handlers, which start threads that wait for them.
    """
    for one, name, value in _states(providers):
        for kind, make in _KINDS:
            if isinstance(value, kind) and not _is_set(value):
                setattr(one, name, make())


def keep_locks(*providers: Any) -> None:
    """Give the SDK's objects behind ``providers`` the system's locks, whatever patches come.

    eventlet puts greenlets' in the place of each `threading.RLock` that it finds. Our threads collect
    metrics under one, and a greenlet that measures meanwhile would let nobody on.
    """
    for one, name, value in _states(providers):
        if isinstance(value, _RLOCK):
            setattr(one, name, system.RLock())


@functools.lru_cache(maxsize=1)
def detect_in_place() -> None:
    """Have the SDK ask its detectors of resources in no pool of threads where those are greenlets.

    It asks them anew in each forked child, while that is being forked. Who waits for a greenlet then
    lets all the others go on, in the child too, with requests that their parent is making.
    """
    in_a_pool = resources.get_aggregated_resources

    @functools.wraps(in_a_pool)
    def asking(
        detectors: Sequence[Any], initial_resource: Resource | None = None, timeout: int = 5
    ) -> Resource:
        if not system.is_green():
            return in_a_pool(detectors, initial_resource, timeout)
        found = initial_resource or Resource.create()
        for detector in detectors:
            action = "detecting the resource of a process"
            found = found.merge(attempt(action, detector.detect, Resource.get_empty()))
        return found

    resources.get_aggregated_resources = asking


def _is_set(value: Any) -> bool:
    """An event stays what it is: nobody waits for it any more."""
    is_set = getattr(value, "is_set", None)
    return is_set is not None and is_set()


def _states(providers: tuple[Any, ...]) -> Iterator[tuple[Any, str, Any]]:
    for one in _behind(providers):
        state: dict[str, Any] = getattr(one, "__dict__", {})
        for name, value in list(state.items()):
            yield one, name, value


def _behind(providers: tuple[Any, ...]) -> Iterator[Any]:
    for provider in providers:
        yield provider
        yield from (getattr(provider, name, None) for name in _PROCESSORS)
        meters: Any = getattr(provider, "_meters", None)
        if isinstance(meters, dict):  # that of the API keeps others, in a list
            yield from list(cast("dict[Any, Any]", meters).values())
        consumer = getattr(provider, "_measurement_consumer", None)
        yield consumer
        storages = _storages(provider)
        yield from [*storages, *storages.values()]


def _storages(meters: Any) -> dict[Any, Any]:
    """The readers of ``meters``, each with what it has summed up."""
    consumer = getattr(meters, "_measurement_consumer", None)
    return getattr(consumer, "_reader_storages", None) or {}


def _sums(storage: Any) -> dict[Any, Any]:
    found: dict[Any, Any] | None = getattr(storage, "_instrument_view_instrument_matches", None)
    return {} if found is None else found
