"""Classes that get their methods after creation: cloudpickle unpickles them so.

cloudpickle creates an empty class first, which the class's own contents may refer to, and then
fills it by a function that the pickle names. That function is wrapped here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, Final

import wrapt

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Switch
from otel_agents.instrumentors._core.drivers import Driver, class_patches, plain
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames
from otel_agents.instrumentors._core.tables import Bounded, Counts

from .attributes import ReplacedAttribute

__all__ = ["hook_unpicklers", "unhook_unpicklers"]

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
"""cloudpickle, and the copies that other packages vendor."""

# Before cloudpickle 3.0 the second one has the function that fills a class:
# https://github.com/cloudpipe/cloudpickle/pull/517
_MODULES: Final = "cloudpickle", "cloudpickle_fast"

_FILL: Final = "_class_setstate"

_replaced: Final[Bounded[str, ReplacedAttribute]] = Bounded(
    len(_PACKAGES) * len(_MODULES), inherited=True
)
_hooked: Final[Bounded[str, None]] = Bounded(len(_PACKAGES), inherited=True)
"""Packages with an import hook: wrapt cannot remove one, and each needs only one."""

_warned: Final = Counts(len(_PACKAGES))
"""Packages without the function, for which a warning was logged."""

_lock: Final = Lock()


def hook_unpicklers() -> None:
    """Notify every class patch of each class that is unpickled from now on."""
    for package in _PACKAGES:
        if package in sys.modules:
            _imported(package)
        elif package not in _hooked:
            _hooked.put(package, None)
            wrapt.register_post_import_hook(lambda _, it=package: _imported(it), package)


def unhook_unpicklers() -> None:
    """Restore the originals, unless a class patch is still applied."""
    with _lock:
        if not class_patches:
            for replaced in _replaced.values():
                replaced.restore()


@errors.guarded("preparing for classes that are read from pickles")
def _imported(package: str) -> None:
    _hooked.pop(package)
    names = [f"{package}.{name}" for name in _MODULES]
    modules = {name: sys.modules[name] for name in names if name in sys.modules}
    fillers = {name: module for name, module in modules.items() if _FILL in vars(module)}
    with _lock:
        if not class_patches:
            return
        for name, module in fillers.items():
            replaced = _replaced.get(name)
            if replaced is None or not replaced.is_applied:
                _replaced.put(name, ReplacedAttribute(module, _FILL, _wrap_fill, Switch()))
    if modules and not fillers and _warned.add(package):
        _log.warning(
            "otel-agents: %s has no %s, so calls of application classes that are read from its "
            "pickles may not be recorded",
            package,
            _FILL,
        )


def _wrap_fill(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = function(*args, **kwargs)
        for value in (*args, *kwargs.values()):
            if isinstance(value, type):
                _notify(value)
        return result

    return plain(function, Driver(run))


def _notify(cls: type[Any]) -> None:
    for patch in class_patches.values():
        try:
            patch.class_unpickled(cls)
        except Exception:
            errors.internal_error("patching a class that was read")


hide_frames(globals())
