"""Classes that get their methods when a pickle of their code is read, after they were made.

cloudpickle makes an empty class first, which what the class contains may then refer to, and fills
it by a function that the pickle names. That one shows the class here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, Final

import wrapt

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.around import plain
from otel_agents.instrumentors._core.calls.call import Switch
from otel_agents.instrumentors._core.drivers import Driver, living
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out
from otel_agents.instrumentors._core.tables import Bounded, Counts

from .places import Place

__all__ = ["release_readers", "watch_readers"]

_log = logging.getLogger("otel_agents")

_PACKAGES: Final = (
    "cloudpickle",
    "apache_beam.internal.cloudpickle",
    "joblib.externals.cloudpickle",
    "numba.cloudpickle",
    "pyspark.cloudpickle",
    "ray.cloudpickle",
    "srsly.cloudpickle",
)
"""It, and the copies that others bring along."""

_MODULES: Final = "cloudpickle", "cloudpickle_fast"
"""Of these the second has what fills a class before 3.0."""

_FILLS: Final = "_class_setstate"

_places: Final[Bounded[str, Place]] = Bounded(len(_PACKAGES) * len(_MODULES), inherited=True)
_awaited: Final[Bounded[str, None]] = Bounded(len(_PACKAGES), inherited=True)
"""The packages whose import is waited for: wrapt cannot forget a hook, and needs each but once."""

_told: Final = Counts(len(_PACKAGES))
"""The packages that fill classes in another way, of which that was said."""

_lock: Final = Lock()


def watch_readers() -> None:
    """Have all that is `living` shown each class that is read from now on."""
    for package in _PACKAGES:
        if package in sys.modules:
            _imported(package)
        elif package not in _awaited:
            _awaited.put(package, None)
            wrapt.register_post_import_hook(lambda _, it=package: _imported(it), package)


def release_readers() -> None:
    """Put the originals back, unless something is `living` still."""
    with _lock:
        if not living:
            for place in _places.values():
                place.restore()


@errors.guarded("preparing for classes that are read from pickles")
def _imported(package: str) -> None:
    _awaited.pop(package)
    names = [f"{package}.{name}" for name in _MODULES]
    modules = {name: sys.modules[name] for name in names if name in sys.modules}
    filling = {name: module for name, module in modules.items() if _FILLS in vars(module)}
    with _lock:
        if not living:
            return
        for name, module in filling.items():
            place = _places.get(name)
            if place is None or not place.stands:
                _places.put(name, Place(module, _FILLS, _showing, Switch()))
    if modules and not filling and _told.add(package):
        _log.warning(
            "otel-agents: %s has no %s, so calls of application classes that are read from its "
            "pickles may not be recorded",
            package,
            _FILLS,
        )


def _showing(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = function(*args, **kwargs)
        for value in (*args, *kwargs.values()):
            if isinstance(value, type):
                _show(value)
        return result

    return plain(function, Driver(run))


def _show(cls: type[Any]) -> None:
    for one in living.values():
        try:
            one.show(cls)
        except Exception:
            errors.internal_error("patching a class that was read")


leave_out(globals())
