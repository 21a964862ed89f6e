"""Loading of instrumentors: isolated failures, silence about missing libraries, one of two conflicting ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed import install
from instrumented import DISABLED, Finished, instrumented, script

OURS = """
    from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

    class Instrumentor(AgentInstrumentor):
        plain_name = "toylib"
        requires = ("toylib >= 2, < 3",)
        conflicting = ("nameless-rival",)

        def patches(self, telemetry):
            return ()

        def _instrument(self, **kwargs):
            print("ours", flush=True)
"""
OTHERS = """
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

    class Base(BaseInstrumentor):
        def instrumentation_dependencies(self):
            return self.needs

        def _instrument(self, **kwargs):
            print(type(self).__name__, flush=True)

        def _uninstrument(self, **kwargs): ...

    class Rival(Base):
        needs = ("toylib >= 1",)

    class Conflicts(Base):
        needs = ("no-such-library",)

    class Broader(Base):
        needs = ()

    class Good(Base):
        needs = ()

    class Breaks(Base):
        needs = ()

        def _instrument(self, **kwargs):
            raise RuntimeError("this one breaks")
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with our instrumentor of ``toylib``, and toylib 2.1."""
    folder = tmp_path / "site"
    folder.mkdir()
    ours = {"otel_agents_toylib": "ours:Instrumentor"}
    install(folder, "our-toys", instrumentors=ours, modules={"ours": OURS, "others": OTHERS})
    return folder


QUIET = {
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}


def install_conflicting(
    site: Path, *requires: str, name: str = "rival-toylib", point: str = "toylib", of: str = "Rival"
) -> None:
    """Install another instrumentation; its metadata name what it instruments."""
    requires = requires or ("toylib >= 1",)
    install(site, name, instrumentors={point: f"others:{of}"}, requires=requires)


def load(tmp_path: Path, site: Path, **variables: str) -> Finished:
    """Run a program with the distributions in ``site``; it prints who instrumented."""
    done = instrumented(
        script(tmp_path, "print('ran')"), {**QUIET, "PYTHONPATH": str(site), **variables}
    )
    assert done.status == 0
    return done


def instrumented_by(done: Finished) -> list[str]:
    return sorted(done.out.split()[:-1])


def test_one_that_fails_stops_no_other(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    broken = {
        "a_missing": "no_such_module:Nothing",
        "b_breaks": "others:Breaks",
        "c_absent": "others:NoSuchClass",
        "z_good": "others:Good",
    }
    install(site, "broken", instrumentors=broken)
    done = load(tmp_path, site)
    assert instrumented_by(done) == ["Good", "ours"]
    assert sorted(line.partition("; ")[0] for line in done.err.splitlines()) == [
        "otel-agents: the instrumentor b_breaks failed to load (RuntimeError: this one breaks)",
        (
            "otel-agents: the instrumentor c_absent failed to load (AttributeError: "
            "module 'others' has no attribute 'NoSuchClass')"
        ),
    ]


def test_a_library_that_is_not_installed_is_no_news(tmp_path: Path, site: Path) -> None:
    done = load(tmp_path, site)
    assert (instrumented_by(done), done.err) == ([], "")


def test_a_version_that_is_not_supported_is_one_line(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "3.0", modules={"toylib": ""})
    done = load(tmp_path, site)
    assert instrumented_by(done) == []
    assert done.err.splitlines() == [
        (
            "otel-agents: toylib is not instrumented: toylib 3.0 is installed, "
            "supported is toylib >= 2, < 3"
        )
    ]


@pytest.mark.parametrize("name", ["toylib", "otel_agents_toylib", "*", "flask, toylib"])
def test_ours_is_disabled_by_either_name(tmp_path: Path, site: Path, name: str) -> None:
    install(site, "toylib", "2.1")
    done = load(tmp_path, site, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=name)
    assert (instrumented_by(done), done.err) == ([], "")


def test_the_plain_name_disables_both(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    install_conflicting(site)
    done = load(tmp_path, site, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="toylib")
    assert (instrumented_by(done), done.err) == ([], "")


@pytest.mark.parametrize(("disabled", "seen"), [("", "Ada"), ("threading", "None")])
def test_threads_carry_the_context_unless_it_is_disabled(
    tmp_path: Path, disabled: str, seen: str
) -> None:
    program = """
        import threading
        from opentelemetry.context import attach, get_value, set_value

        attach(set_value("who", "Ada"))
        threading.Thread(target=lambda: print(get_value("who"))).start()
    """
    done = instrumented(script(tmp_path, program), {**QUIET, DISABLED: disabled})
    assert (done.out, done.err) == (f"{seen}\n", "")


def test_of_two_ours_runs_and_one_line_reports_it(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    install_conflicting(site, name="rival_toylib")
    done = load(tmp_path, site)
    assert instrumented_by(done) == ["ours"]
    assert done.err.splitlines() == [
        (
            "otel-agents: toylib is instrumented by otel-agents, so rival_toylib is not loaded; "
            "set OTEL_AGENTS_PREFER=theirs to change that"
        )
    ]


def test_of_two_theirs_runs_where_the_user_prefers_it(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    install_conflicting(site)
    done = load(tmp_path, site, OTEL_AGENTS_PREFER="theirs")
    assert (instrumented_by(done), done.err) == (["Rival"], "")


def test_a_conflict_without_metadata_is_known_by_its_name(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    install(site, "nameless-rival", instrumentors={"toylib": "others:Rival"})
    assert instrumented_by(load(tmp_path, site)) == ["ours"]


def test_a_conflict_is_found_without_importing_it(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    points = {"toylib": "imports_its_library:Rival"}
    module = {"imports_its_library": "print('imported', flush=True)\n"}
    install(site, "rival-toylib", instrumentors=points, requires=("toylib",), modules=module)
    done = load(tmp_path, site)
    assert instrumented_by(done) == ["ours"]
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("lines", "by"),
    [
        ('toylib >= 1; extra == "instruments-any"\ntoylib; extra == "instruments-any"', ["ours"]),
        ('toylib < 2; extra == "instruments-any"\ntoylib; extra == "instruments-any"', ["ours"]),
        ('toylib; extra == "Instruments"', ["ours"]),
        ('toylib; extra == "INSTRUMENTS_ANY"', ["ours"]),
        ('ToyLib; extra == "instruments" and python_version > "3"', ["ours"]),
        ("toylib", ["Rival", "ours"]),
        ('otherlib; extra == "test"\ntoylib; extra == "test"', ["Rival", "ours"]),
        ('toylib-extras; extra == "instruments"', ["ours"]),
    ],
)
def test_the_extras_of_a_conflict_name_what_it_instruments(
    lines: str, by: list[str], tmp_path: Path, site: Path
) -> None:
    """Not its other requirements, nor its name."""
    install(site, "toylib", "2.1")
    install(site, "rival-toylib", instrumentors={"any_name": "others:Rival"})
    needs = "".join(f"Requires-Dist: {line}\n" for line in lines.splitlines())
    metadata = site / "rival_toylib-1.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text("utf-8") + needs, "utf-8")
    assert instrumented_by(load(tmp_path, site)) == by


def test_of_several_in_one_distribution_the_namesake_conflicts(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    install(site, "otherlib", "1.0")
    points = {"toylib": "others:Rival", "otherlib": "others:Good"}
    install(site, "rivals", instrumentors=points, requires=("toylib", "otherlib"))
    assert instrumented_by(load(tmp_path, site)) == ["Good", "ours"]


@pytest.mark.parametrize("prefer", ["ours", "theirs"])
def test_one_that_does_not_support_the_version_is_no_conflict(
    tmp_path: Path, site: Path, prefer: str
) -> None:
    """Registered is not active: else nothing would instrument the library."""
    install(site, "toylib", "2.1")
    install_conflicting(site, "toylib < 2")
    done = load(tmp_path, site, OTEL_AGENTS_PREFER=prefer)
    assert instrumented_by(done) == ["ours"]


@pytest.mark.parametrize("prefer", ["ours", "theirs"])
def test_a_disabled_one_is_no_conflict(tmp_path: Path, site: Path, prefer: str) -> None:
    install(site, "toylib", "2.1")
    install_conflicting(site, point="install_conflicting")
    done = load(
        tmp_path,
        site,
        OTEL_AGENTS_PREFER=prefer,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="install_conflicting",
    )
    assert (instrumented_by(done), done.err) == (["ours"], "")


def test_ours_that_is_disabled_displaces_nobody(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    install_conflicting(site)
    done = load(tmp_path, site, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="otel_agents_toylib")
    assert (instrumented_by(done), done.err) == (["Rival"], "")


def test_a_namesake_that_holds_another_library_is_silent(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "3.0", modules={"toylib_anew": ""})
    done = load(tmp_path, site)
    assert (instrumented_by(done), done.err) == ([], "")


def test_ours_that_refuses_the_version_displaces_nobody(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "3.0", modules={"toylib": ""})
    install_conflicting(site)
    done = load(tmp_path, site)
    assert instrumented_by(done) == ["Rival"]
    assert len(done.err.splitlines()) == 1


def test_one_that_covers_more_than_models_stays(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    name = "opentelemetry-instrumentation-botocore"
    install_conflicting(site, name=name, point="botocore", of="Broader")
    done = load(tmp_path, site)
    assert (instrumented_by(done), done.err) == (["Broader", "ours"], "")


@pytest.mark.parametrize(
    ("extra", "point"), [("instruments", "toylib"), ("instruments-any", "everything")]
)
@pytest.mark.parametrize(
    ("variables", "by"),
    [
        ({}, ["Broader", "ours"]),
        ({"OTEL_AGENTS_PREFER": "theirs"}, ["Broader"]),
        ({DISABLED: "otel_agents_toylib"}, ["Broader"]),
    ],
)
def test_one_that_instruments_more_than_any_of_ours_is_not_switched_off(
    extra: str, point: str, variables: dict[str, str], by: list[str], tmp_path: Path, site: Path
) -> None:
    """Else its other libraries would not be instrumented."""
    install(site, "toylib", "2.1")
    install(site, "otherlib", "1.0")
    install_conflicting(site, "toylib", "otherlib", name="rivals", point=point, of="Broader")
    metadata = site / "rivals-1.0.dist-info/METADATA"
    text = metadata.read_text("utf-8").replace('== "instruments"', f'== "{extra}"')
    metadata.write_text(text, "utf-8")
    done = load(tmp_path, site, **variables)
    both = (
        "otel-agents: toylib is instrumented by otel-agents, and with more by rivals, so both run; "
        "set OTEL_AGENTS_PREFER=theirs to leave it to that one, "
        f"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={point} to otel-agents"
    )
    assert instrumented_by(done) == by
    assert done.err.splitlines() == ([both] if "ours" in by else [])


def test_one_of_which_ours_instrument_everything_is_switched_off(
    tmp_path: Path, site: Path
) -> None:
    """Although it is for several libraries."""
    install(site, "toylib", "2.1")
    install(site, "openai", "2.0")
    install_conflicting(site, "toylib", "openai", point="models")
    assert instrumented_by(load(tmp_path, site)) == ["ours"]


NAMED = "Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n"
BROKEN = {
    "no metadata": (None, "it has no Name"),
    "no name": ("Metadata-Version: 2.1\nVersion: 1.0\n", "it has no Name"),
    "marker": (
        f"{NAMED}Requires-Dist: toylib; extra == 'instruments' and python_version ~= 'abc'\n",
        "UndefinedComparison",
    ),
    "requirement": (f"{NAMED}Requires-Dist: toylib; extra == instruments\n", "InvalidRequirement"),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(("prefer", "by"), [("ours", ["ours"]), ("theirs", ["Rival"])])
def test_broken_metadata_cost_their_own_instrumentor_alone(
    broken: str, prefer: str, by: list[str], tmp_path: Path, site: Path
) -> None:
    install(site, "toylib", "2.1")
    install_conflicting(site)
    install(site, "broken", instrumentors={"toys": "others:Good"})
    metadata, why = BROKEN[broken]
    path = site / "broken-1.0.dist-info/METADATA"
    path.unlink() if metadata is None else path.write_text(metadata, "utf-8")
    program = script(tmp_path, "from otel_agents.distro import initialize; initialize(); print()")
    variables = {**QUIET, "PYTHONPATH": str(site), "OTEL_AGENTS_PREFER": prefer}
    done = instrumented(program, variables, instrument=False)
    lines = [line for line in done.err.splitlines() if "OTEL_AGENTS_PREFER=theirs" not in line]
    assert (done.status, done.out.split(), len(lines)) == (0, by, 1)
    assert lines[0].startswith(
        "otel-agents: the instrumentor toys is not loaded, as the metadata of its distribution "
        f"cannot be read ({why}"
    )
    assert lines[0].endswith("; install it again, or uninstall it")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module:Nothing", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("others:NoSuchClass", "AttributeError: module 'others' has no attribute 'NoSuchClass'"),
        ("others:Conflicts", "DependencyConflictError: "),
    ],
)
def test_one_that_is_preferred_and_cannot_be_loaded_is_one_line(
    value: str, why: str, tmp_path: Path, site: Path
) -> None:
    """Ours is not applied because of it, so nothing instruments the library."""
    install(site, "toylib", "2.1")
    install_conflicting(site)
    points = f"[opentelemetry_instrumentor]\ntoylib = {value}\n"
    (site / "rival_toylib-1.0.dist-info/entry_points.txt").write_text(points, "utf-8")
    program = script(tmp_path, "from otel_agents.distro import initialize; initialize(); print()")
    variables = {**QUIET, "PYTHONPATH": str(site), "OTEL_AGENTS_PREFER": "theirs"}
    done = instrumented(program, variables, instrument=False)
    (line,) = done.err.splitlines()
    assert done.out.split() == []
    assert line.startswith(
        f"otel-agents: toylib is left to rival-toylib, which cannot be loaded ({why}"
    )
    assert line.endswith("; install what is missing, or unset OTEL_AGENTS_PREFER")


INITIALIZE = """
    from opentelemetry import trace
    from otel_agents.distro import initialize

    initialize()
    provider = trace.get_tracer_provider()
    initialize()
    print("ran" if trace.get_tracer_provider() is provider else "changed")
"""


@pytest.mark.parametrize("instrument", [True, False])
def test_initialize_by_code_does_the_same_and_only_once(
    tmp_path: Path, site: Path, instrument: bool
) -> None:
    install(site, "toylib", "2.1")
    done = instrumented(
        script(tmp_path, INITIALIZE),
        {"OTEL_TRACES_EXPORTER": "tree", "PYTHONPATH": str(site)},
        instrument=instrument,
    )
    assert (done.status, done.out.split(), done.err) == (0, ["ours", "ran"], "")


def test_initialize_uses_a_provider_that_is_set_already(tmp_path: Path, site: Path) -> None:
    install(site, "toylib", "2.1")
    program = script(
        tmp_path,
        """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from otel_agents.distro import initialize

        mine = TracerProvider()
        trace.set_tracer_provider(mine)
        initialize()
        print("ran" if trace.get_tracer_provider() is mine else "changed")
        """,
    )
    done = instrumented(program, {"PYTHONPATH": str(site)}, instrument=False)
    assert (done.status, done.out.split()) == (0, ["ours", "ran"])
    assert done.err.splitlines() == [
        "otel-agents: a TracerProvider is already set and is used unchanged; call initialize() before setting one"
    ]
