"""The contract itself: complete, not to be weakened, and no burden on those who do not use it."""

import subprocess
import sys
from types import MappingProxyType

import pytest

from hippocortex_core.testing.contract import REQUIREMENTS, AdapterContract, Script, Turn
from hippocortex_core.testing.contract.requirements import check_name
from hippocortex_core.testing.contract.script import numbered
from hippocortex_core.testing.llm_server import Answer


def test_every_requirement_has_a_check_and_every_check_a_requirement():
    checks = {name for name in dir(AdapterContract) if name.startswith("test_")}
    named = {check_name(requirement) for requirement in REQUIREMENTS}
    assert checks - {"test_no_check_is_dropped"} == named


def test_a_check_cannot_be_overridden():
    with pytest.raises(TypeError, match="Weaker overrides test_memory_down: name the requirement"):

        class Weaker(AdapterContract):
            def test_memory_down(self):
                """Nothing."""


def test_a_check_cannot_be_deleted():
    with pytest.raises(TypeError, match="overrides test_secrets_redacted"):
        type("Weaker", (AdapterContract,), {"test_secrets_redacted": None})


def test_a_mixin_cannot_override_a_check_either():
    class Mixin:
        def test_memory_slow(self):
            """Nothing."""

    with pytest.raises(TypeError, match="overrides test_memory_slow"):
        type("Weaker", (Mixin, AdapterContract), {})


def test_a_known_failure_needs_a_reason():
    @pytest.mark.xfail(reason="the framework swallows it: see issue 1")
    def known(self):
        """Nothing."""

    @pytest.mark.xfail
    def silent(self):
        """Nothing."""

    assert type("Honest", (AdapterContract,), {"test_memory_down": known})
    with pytest.raises(TypeError, match="overrides test_memory_slow"):
        type("Silent", (AdapterContract,), {"test_memory_slow": silent})


@pytest.mark.parametrize("table", [{"no-such-requirement": "a good reason"}, {"memory-down": "?"}])
def test_what_is_not_applicable_needs_a_name_and_a_reason(table):
    weaker = type("Weaker", (AdapterContract,), {"not_applicable": MappingProxyType(table)})
    with pytest.raises(AssertionError):
        weaker().test_no_check_is_dropped()


def test_only_the_contract_needs_pytest():
    code = "import sys, hippocortex_core.testing; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_script_answers_what_was_said_last_and_ignores_injected_memory():
    script = Script((numbered(1), numbered(2), Turn("Bye", (Answer("Bye."),))))
    first, second = numbered(1), numbered(2)
    assert script.answer(f"{first.user} … {second.user}", 1).text == "service-002 is in production."
    memory = f"<hippocortex_memory>\n{second.user}\n</hippocortex_memory>"
    assert script.answer(f"{first.user}\n{memory}", 0).calls == first.replies[0].calls
    assert script.answer("Bye", 7).text == "Bye."
    with pytest.raises(LookupError, match="no turn of the script is in 'Hello'"):
        script.answer("Hello", 0)
