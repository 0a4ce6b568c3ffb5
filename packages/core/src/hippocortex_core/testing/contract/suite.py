"""`AdapterContract`: the checks, ready for pytest.  The only module here that needs pytest."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest

from hippocortex_core.recorder import Recorder
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing.contract.bench import Bench, is_async, is_stream
from hippocortex_core.testing.contract.capturing import CaptureChecks
from hippocortex_core.testing.contract.driver import Driver
from hippocortex_core.testing.contract.enduring import Configure, EndureChecks, Replace
from hippocortex_core.testing.contract.recalling import RecallChecks
from hippocortex_core.testing.contract.requirements import REQUIREMENTS, check_name
from hippocortex_core.testing.contract.world import RAISING, World


class AdapterContract(CaptureChecks, RecallChecks, EndureChecks):
    """What every adapter must do, on the real framework with a scripted model.

    ```python
    class TestHooks(AdapterContract):
        driver = MyDriver()
        not_applicable = {"streaming-unchanged": "the framework does not stream"}
    ```

    Needs a fixture `contract_home` that gives the URL of an empty memory; parametrize it with
    every kind of home there is.  A check may not be dropped: a requirement that makes no sense
    for a surface stands in `not_applicable` with the reason, and one that is not met yet is
    overridden with `@pytest.mark.xfail(reason=…)` and calls `super()`.

    Attributes:
        driver: Builds and runs agents of the framework.
        not_applicable: Requirement to reason; shown as skips.
    """

    driver: Driver
    not_applicable: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if dropped := dropped_checks(cls):
            raise TypeError(
                f"{cls.__name__} overrides {', '.join(dropped)}: name the requirement in"
                " not_applicable, or mark the override with pytest.mark.xfail(reason=…)"
            )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Every check runs with each entry that it is about, and with each way to fail."""
        modes = self.driver.modes
        choices: dict[str, list[Any]] = {
            "mode": list(modes),
            "async_mode": [mode for mode in modes if is_async(mode)],
            "stream_mode": [mode for mode in modes if is_stream(mode)],
            "fault": list(RAISING),
        }
        for name, values in choices.items():
            if name in metafunc.fixturenames:
                # Nothing to choose from must be said in `not_applicable`, so it is no empty set.
                metafunc.parametrize(name, values or ["none"])

    @pytest.fixture(autouse=True)
    def _applies(self, request: pytest.FixtureRequest) -> None:
        """Skip what the subclass declares to make no sense, and say why."""
        for requirement, reason in self.not_applicable.items():
            if request.function.__name__ == check_name(requirement):
                pytest.skip(f"{requirement}: {reason}")

    @pytest.fixture
    def bench(self) -> Generator[Bench]:
        """Agents; whatever they and their memory opened is closed."""
        with ExitStack() as closing:
            closing.callback(close_shared, 0.2)
            yield Bench(self.driver, closing)

    @pytest.fixture
    def world(self, contract_home: str, monkeypatch: pytest.MonkeyPatch) -> Generator[World]:
        """The memory under `contract_home`, found the way users' agents find theirs."""
        # A busy machine must not turn a recall into nothing.  Faults of ours are raised.
        _configure(monkeypatch, contract_home, strict=True, deadline=30.0)
        world = World(contract_home)
        yield world
        world.close()

    @pytest.fixture
    def home_at(self, monkeypatch: pytest.MonkeyPatch) -> Configure:
        """Makes a failing memory the home; nothing is strict, and a recall costs little."""
        return lambda url: _configure(monkeypatch, url, strict=False, deadline=0.2)

    @pytest.fixture
    def replace_in(self, monkeypatch: pytest.MonkeyPatch) -> Replace:
        """Replaces what a module holds until the check is over."""
        return monkeypatch.setattr

    def test_no_check_is_dropped(self) -> None:
        """Every requirement has its check, and what is not applicable has its reason."""
        checks = {name for name in dir(type(self)) if name.startswith("test_")}
        assert {check_name(requirement) for requirement in REQUIREMENTS} <= checks
        assert dropped_checks(type(self)) == []
        assert set(self.not_applicable) <= set(REQUIREMENTS)
        assert all(" " in reason.strip() for reason in self.not_applicable.values())


def dropped_checks(cls: type) -> list[str]:
    """The checks of the contract that a class overrides or deletes without an excuse."""
    names = [name for name in dir(AdapterContract) if name.startswith("test_")]
    return [
        name
        for name in names
        if getattr(cls, name, None) is not getattr(AdapterContract, name)
        and not _excused(getattr(cls, name, None))
    ]


def _excused(check: object) -> bool:
    marks: list[pytest.Mark] = getattr(check, "pytestmark", [])
    return any(mark.name == "xfail" and bool(mark.kwargs.get("reason")) for mark in marks)


def _configure(monkeypatch: pytest.MonkeyPatch, url: str, *, strict: bool, deadline: float) -> None:
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", url)
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "hx_test_contract")
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1" if strict else "0")
    monkeypatch.setitem(Recorder.__init__.__kwdefaults__ or {}, "recall_deadline", deadline)
