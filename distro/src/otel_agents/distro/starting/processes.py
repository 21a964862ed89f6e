"""Jobs of process pools inherit the context of their caller.

A worker, however it was started, runs each job in the trace and for the user of whoever submitted
it. With a job our wrapper of its function is pickled, which every process with the program's
packages can import, whether it is instrumented or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, Final

from wrapt import register_post_import_hook

from otel_agents.distro.starting.threads import replace_method
from otel_agents.instrumentors.hosting import carry, carry_to_process, guarded

__all__ = ["INSTRUMENTATION", "carry_context_into_processes"]

INSTRUMENTATION: Final = "multiprocessing"
"""Its name in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``."""

_Parameter = tuple[int, str]

_POOL: Final = MappingProxyType(
    {
        "apply_async": (0, "func"),
        "imap": (0, "func"),
        "imap_unordered": (0, "func"),
        "_map_async": (2, "mapper"),  # called once for a chunk of the items
    }
)
_EXECUTOR: Final = MappingProxyType({"submit": (0, "fn")})
_POOLS: Final[Mapping[str, tuple[str, Mapping[str, _Parameter]]]] = MappingProxyType(
    {
        "multiprocessing.pool": ("Pool", _POOL),
        "multiprocess.pool": ("Pool", _POOL),
        "concurrent.futures.process": ("ProcessPoolExecutor", _EXECUTOR),
        "loky.process_executor": ("ProcessPoolExecutor", _EXECUTOR),
        "joblib.externals.loky.process_executor": ("ProcessPoolExecutor", _EXECUTOR),
    }
)
"""For each module its class, and of its methods the parameter that a worker calls."""


def carry_context_into_processes() -> Callable[[], None]:
    """Patch process pools, when they are imported, to run jobs in the context of their caller.

    Returns:
        A function that undoes it, except where somebody has wrapped the methods since.
    """
    patched = _Patched()
    for name in _POOLS:
        register_post_import_hook(patched.patch, name)
    return patched.undo


class _Patched:
    """The methods that have been replaced, until it is undone."""

    def __init__(self) -> None:
        self._undoing: tuple[Callable[[], None], ...] = ()
        self._is_undone = False

    @guarded("patching process pools")
    def patch(self, module: ModuleType) -> None:
        """Replace the methods of a module that was imported."""
        if self._is_undone:
            return
        owner, methods = _POOLS[module.__name__]
        pool: type[Any] = getattr(module, owner)
        threads: type[Any] | tuple[()] = getattr(module, "ThreadPool", ())
        for method, parameter in methods.items():
            undo = replace_method(pool, method, _carrying(parameter, threads))
            self._undoing = (*self._undoing, undo)

    def undo(self) -> None:
        """Restore them, and patch none from now on."""
        self._is_undone = True
        for undo in self._undoing:
            undo()


def _carrying(
    parameter: _Parameter, threads: type[Any] | tuple[()]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    position, name = parameter

    def wrapping(method: Callable[..., Any]) -> Callable[..., Any]:
        def carried(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            bind = _carry if isinstance(self, threads) else carry_to_process
            if len(args) > position:
                function = bind(args[position])
                args = (*args[:position], function, *args[position + 1 :])
            elif name in kwargs:
                kwargs = {**kwargs, name: bind(kwargs[name])}
            return method(self, *args, **kwargs)

        return carried

    return wrapping


def _carry(function: Callable[..., Any]) -> Callable[..., Any]:
    return _bound(function) or function


@guarded("carrying a context to a thread")
def _bound(function: Callable[..., Any]) -> Callable[..., Any]:
    return carry(function)
