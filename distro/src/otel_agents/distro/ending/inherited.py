"""What a forked child inherits from its parent and must reset: metric sums and held locks.

Cumulative sums that start with the parent's, from the same service instance, are counted twice by
whoever adds them up. A lock that another thread of the parent held stays locked forever. Both are
private in the SDK; if a version keeps them elsewhere, they stay as they are.
"""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

from opentelemetry.sdk import resources
from opentelemetry.sdk.resources import Resource

from otel_agents.instrumentors.hosting import call_foreign, system

__all__ = [
    "detect_without_threads",
    "has_measurements",
    "instance_id",
    "renew_locks",
    "reset_metrics",
    "restart_readers",
    "use_system_locks",
]

_INSTANCE: Final = "service.instance.id"
_PROCESSORS: Final = ("_active_span_processor", "_multi_log_record_processor")


def _kind(make: Callable[[], object]) -> type[object]:
    return type(make())


_FACTORIES: Final[tuple[Callable[[], Any], ...]] = (
    threading.Lock,
    threading.RLock,
    system.RLock,
    threading.Event,  # has a lock inside
)
_KINDS: Final = tuple((_kind(make), make) for make in _FACTORIES)
_RLOCK: Final = type(threading.RLock())


def instance_id(meters: Any) -> str | None:
    """Return the ``service.instance.id`` of the metrics of ``meters``, None without one."""
    resource = getattr(getattr(meters, "_sdk_config", None), "resource", None)
    found = resource.attributes.get(_INSTANCE) if isinstance(resource, Resource) else None
    return found if isinstance(found, str) else None


def reset_metrics(meters: Any, instance: str | None) -> None:
    """Reset the sums of ``meters`` in a forked child and give it its own instance id.

    Args:
        meters: A MeterProvider.
        instance: The parent's `instance_id`.
    """
    for storage in list(_storages(meters).values()):
        _sums(storage).clear()
    config: Any = getattr(meters, "_sdk_config", None)
    # opentelemetry-sdk 1.45 gives a child its own id in its fork hook; 1.34 does not.
    # https://github.com/open-telemetry/opentelemetry-python/pull/5280
    if config is not None and instance_id(meters) == instance:
        config.resource = config.resource.merge(Resource({_INSTANCE: str(uuid.uuid4())}))


def has_measurements(meters: Any) -> bool:
    """Return whether anything was recorded since ``meters`` started or was reset."""
    return any(_sums(storage) for storage in list(_storages(meters).values()))


def restart_readers(meters: Any) -> None:
    """Start the readers' threads in a forked child in which no fork hook has run.

    A reader whose thread stayed in the parent collects nothing, and joins that thread at shutdown.
    Readers without a thread, such as ours, get none.
    """
    for reader in list(_storages(meters)):
        begin = getattr(reader, "_at_fork_reinit", None)
        if begin is not None and getattr(reader, "_daemon_thread", None) is not None:
            begin()


def renew_locks(*providers: Any) -> None:
    """Give the SDK's objects behind ``providers`` new locks in a forked child.

    It runs before the SDK's own fork hooks, which start threads that wait for these locks.
    """
    for owner, name, value in _states(providers):
        for kind, make in _KINDS:
            if isinstance(value, kind) and not _is_set(value):
                setattr(owner, name, make())


def use_system_locks(*providers: Any) -> None:
    """Give the SDK's objects behind ``providers`` unpatched system locks.

    eventlet's monkey patching replaces each `threading.RLock` that it finds by a greenlet lock. Our
    threads collect metrics under one; a greenlet that records meanwhile would deadlock with them.
    """
    for owner, name, value in _states(providers):
        if isinstance(value, _RLOCK):
            setattr(owner, name, system.RLock())


@functools.lru_cache(maxsize=1)
def detect_without_threads() -> None:
    """Have the SDK run resource detectors without a thread pool where threads are greenlets.

    The SDK runs them again in each forked child, inside the fork hook. Waiting for a greenlet there
    would let all other greenlets go on in the child too, with requests that the parent is making.
    """
    detect_in_pool = resources.get_aggregated_resources

    @functools.wraps(detect_in_pool)
    def detecting(
        detectors: Sequence[Any], initial_resource: Resource | None = None, timeout: int = 5
    ) -> Resource:
        if not system.is_green():
            return detect_in_pool(detectors, initial_resource, timeout)
        found = initial_resource or Resource.create()
        for detector in detectors:
            action = "detecting the resource of a process"
            found = found.merge(call_foreign(action, detector.detect, Resource.get_empty()))
        return found

    resources.get_aggregated_resources = detecting


def _is_set(value: Any) -> bool:
    """Return whether it is a set event, which stays: nobody waits for it."""
    is_set = getattr(value, "is_set", None)
    return is_set is not None and is_set()


def _states(providers: tuple[Any, ...]) -> Iterator[tuple[Any, str, Any]]:
    for owner in _behind(providers):
        state: dict[str, Any] = getattr(owner, "__dict__", {})
        for name, value in list(state.items()):
            yield owner, name, value


def _behind(providers: tuple[Any, ...]) -> Iterator[Any]:
    for provider in providers:
        yield provider
        yield from (getattr(provider, name, None) for name in _PROCESSORS)
        meters: Any = getattr(provider, "_meters", None)
        if isinstance(meters, dict):  # the API's provider keeps other objects, in a list
            yield from list(cast("dict[Any, Any]", meters).values())
        consumer = getattr(provider, "_measurement_consumer", None)
        yield consumer
        storages = _storages(provider)
        yield from [*storages, *storages.values()]


def _storages(meters: Any) -> dict[Any, Any]:
    """Return the storages of ``meters`` by reader; they hold the sums."""
    consumer = getattr(meters, "_measurement_consumer", None)
    return getattr(consumer, "_reader_storages", None) or {}


def _sums(storage: Any) -> dict[Any, Any]:
    found: dict[Any, Any] | None = getattr(storage, "_instrument_view_instrument_matches", None)
    return {} if found is None else found
