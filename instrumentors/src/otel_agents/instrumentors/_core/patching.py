"""Patches as data: applied when their module is imported, undone exactly, every target reported.

Replacements are plain functions, which pickle, deep-copy and inspect as the originals do; object
proxies do not. wrapt serves for the import hooks only.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any, Literal, cast

import wrapt

from . import errors
from .calls import Wrapping
from .switches import Switch

__all__ = ["Patch", "PatchSet", "Report", "TargetReport"]

_log = logging.getLogger("otel_agents")

State = Literal["waiting", "applied", "missing", "absent"]
_ORIGINAL = "_otel_agents_original"


@dataclass(frozen=True)
class Patch:
    """One function to replace.

    Attributes:
        target: ``"package.module:Class.method"`` or ``"package.module:function"``.
        wrapping: Builds the replacement, `calls.around` of an operation as a rule.
        optional: Not in every supported version: absent is no finding.
        subclasses: An abstract method: replaced in the subclasses that implement it, those to come
            included.
    """

    target: str
    wrapping: Wrapping
    optional: bool = False
    subclasses: bool = False

    @property
    def module(self) -> str:
        """The module that holds the target."""
        return self.target.partition(":")[0]

    @property
    def path(self) -> list[str]:
        """The names that lead from the module to the target."""
        return self.target.partition(":")[2].split(".")


@dataclass(frozen=True)
class TargetReport:
    """What became of one target: ``waiting`` for its import, ``applied``, ``missing``, ``absent``.

    ``absent`` is an optional target that this version does not have.
    """

    target: str
    state: State
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """What became of all targets of an instrumentor; ``str`` is one line for people."""

    targets: tuple[TargetReport, ...] = field(default=())

    def of(self, state: State) -> list[str]:
        """The targets in ``state``."""
        return [target.target for target in self.targets if target.state == state]

    def __str__(self) -> str:
        expected = len(self.targets) - len(self.of("absent"))
        line = f"{len(self.of('applied'))} of {expected} applied"
        waiting, missing = self.of("waiting"), self.of("missing")
        if waiting:
            line += f", {len(waiting)} wait for their import"
        return f"{line}, missing {', '.join(missing)}" if missing else line


class PatchSet:
    """The patches of one instrumentor; `apply` and `undo` once each.

    Args:
        name: The instrumentor's name, for the log.
        patches: What to replace.
    """

    def __init__(self, name: str, patches: Iterable[Patch]) -> None:
        self._name = name
        self._patches = tuple(patches)
        self._switch = Switch()
        self._undo: list[Callable[[], None]] = []
        self._states: dict[str, TargetReport] = {}

    def apply(self) -> None:
        """Register for the imports, and patch what is imported already. Imports nothing."""
        for patch in self._patches:
            self._states[patch.target] = TargetReport(patch.target, "waiting")
        for module in dict.fromkeys(patch.module for patch in self._patches):
            wrapt.register_post_import_hook(self._module_imported, module)
        for package in dict.fromkeys(p.module.partition(".")[0] for p in self._patches):
            wrapt.register_post_import_hook(self._package_imported, package)

    def undo(self) -> None:
        """Put the originals back; where somebody wrapped us since, ours only goes inert."""
        self._switch.on = False  # wrapt cannot forget a hook: from here on ours do nothing
        for restore in reversed(self._undo):
            try:
                restore()
            except Exception:
                errors.internal_error("undoing a patch")
        self._undo.clear()

    def report(self) -> Report:
        """The state of every target as of now."""
        return Report(tuple(self._states[patch.target] for patch in self._patches))

    def _module_imported(self, module: ModuleType) -> None:
        if not self._switch.on:
            return
        for patch in self._patches:
            if patch.module == module.__name__:
                self._apply(patch, module)

    def _apply(self, patch: Patch, module: ModuleType) -> None:
        try:
            self._undo.extend(_replace(patch, module, self._switch))
            self._states[patch.target] = TargetReport(patch.target, "applied")
        except AttributeError as error:
            self._miss(patch, str(error))
        except Exception:
            errors.internal_error(f"patching {patch.target}")
            self._miss(patch, "could not be patched")

    def _package_imported(self, package: ModuleType) -> None:
        """Find targets whose module does not exist: their import hook would never fire."""
        if not self._switch.on:
            return
        for patch in self._patches:
            inside = patch.module.partition(".")[0] == package.__name__
            if inside and self._states[patch.target].state == "waiting":
                try:
                    found = _module_exists(patch.module)
                except Exception:
                    errors.internal_error(f"looking for {patch.module}")
                    continue
                if not found:
                    self._miss(patch, f"no module {patch.module}")

    def _miss(self, patch: Patch, detail: str) -> None:
        state: State = "absent" if patch.optional else "missing"
        self._states[patch.target] = TargetReport(patch.target, state, detail)
        if state == "missing":
            _log.warning(
                "otel-agents: %s: %s was not found (%s), so its calls are not recorded; "
                "see `otel-agents doctor`, and update otel-agents",
                self._name,
                patch.target,
                detail,
            )


def _module_exists(name: str) -> bool:
    """Whether ``name`` can be imported, without importing it or the packages above it."""
    package, *rest = name.split(".")
    path = list(getattr(sys.modules[package], "__path__", []))
    for part in rest:
        package = f"{package}.{part}"
        if package in sys.modules:
            path = list(getattr(sys.modules[package], "__path__", []))
            continue
        spec = PathFinder.find_spec(package, path)
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or [])
    return True


def _replace(patch: Patch, module: ModuleType, switch: Switch) -> list[Callable[[], None]]:
    """Replace the target in ``module``; returns what undoes it, in order of application."""
    *owners, name = patch.path
    owner: Any = module
    for part in owners:
        owner = getattr(owner, part)
    if patch.subclasses:
        return _replace_in_subclasses(owner, name, patch, switch)
    return [_replace_attribute(owner, name, patch, switch)]


def _replace_attribute(owner: Any, name: str, patch: Patch, switch: Switch) -> Callable[[], None]:
    inherited = name not in vars(owner)
    original = _static(owner, name)
    replacement = _wrapped(original, patch, switch, isinstance(owner, type))
    setattr(owner, name, replacement)

    def undo() -> None:
        if cast("dict[str, Any]", vars(owner)).get(name) is not replacement:
            return  # wrapped by somebody else since: theirs stays, ours is off
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)

    return undo


def _static(owner: Any, name: str) -> Any:
    """The attribute as it stands in the class that defines it, descriptors not called."""
    for holder in cast("tuple[Any, ...]", getattr(owner, "__mro__", (owner,))):
        if name in vars(holder):
            return cast(Any, vars(holder)[name])
    raise AttributeError(f"{getattr(owner, '__name__', owner)} has no {name}")


def _wrapped(original: Any, patch: Patch, switch: Switch, in_class: bool) -> Any:
    if isinstance(original, (staticmethod, classmethod)):
        function: Callable[..., Any] = original.__func__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  of any signature
        static = isinstance(original, staticmethod)
        wrapped = patch.wrapping(function, switch, not static)
        return staticmethod(wrapped) if static else classmethod(wrapped)
    if not callable(original):
        raise AttributeError(f"{patch.target} is no function")  # noqa: TRY004  as if it were not there
    return patch.wrapping(original, switch, in_class)


def _replace_in_subclasses(
    base: type[Any], name: str, patch: Patch, switch: Switch
) -> list[Callable[[], None]]:
    undo: list[Callable[[], None]] = []

    def implementation(cls: type[Any]) -> None:
        method = vars(cls).get(name)
        if method is not None and not getattr(method, "__isabstractmethod__", False):
            undo.append(_replace_attribute(cls, name, patch, switch))

    def every(cls: type[Any]) -> None:
        for subclass in cls.__subclasses__():
            implementation(subclass)
            every(subclass)

    every(base)
    restore = _on_subclass(base, switch, implementation)

    def undo_all() -> None:
        for step in reversed(undo):
            step()

    return [restore, undo_all]


def _on_subclass(
    base: type[Any], switch: Switch, created: Callable[[type[Any]], None]
) -> Callable[[], None]:
    """Have ``created`` called for each subclass of ``base`` that is defined from now on."""
    own = vars(base).get("__init_subclass__")

    def init_subclass(cls: type[Any], **kwargs: Any) -> None:
        if own is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            own.__func__(cls, **kwargs)
        if switch.on:
            try:
                created(cls)
            except Exception:
                errors.internal_error("patching a subclass")

    replacement = classmethod(init_subclass)
    setattr(base, "__init_subclass__", replacement)  # noqa: B010  pyright wants a method here

    def undo() -> None:
        if vars(base).get("__init_subclass__") is not replacement:
            return
        if own is None:
            delattr(base, "__init_subclass__")
        else:
            setattr(base, "__init_subclass__", own)  # noqa: B010  as above

    return undo
