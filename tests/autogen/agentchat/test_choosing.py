"""Which generation an agent is of, and what is loaded for it."""

import subprocess
import sys

import pytest

from hippocortex_autogen import attach, detach, wrap
from hippocortex_core.errors import MissingExtraError


def test_something_else_than_an_agent_is_refused_with_its_name():
    for use in (wrap, attach, detach):
        with pytest.raises(TypeError, match=r"takes AutoGen's|takes AgentChat's"):
            use(object())
    with pytest.raises(TypeError, match=r"not 'builtins\.str'"):
        wrap("agent")


def test_agent_framework_is_pointed_to_its_own_adapter():
    made = type("Agent", (), {"__module__": "agent_framework._agents"})()
    with pytest.raises(TypeError, match="HippocortexContextProvider"):
        wrap(made)


def test_an_agent_is_told_by_its_class_and_not_by_what_is_installed():
    """Subclasses in a user's own module; `autogen` may be there as well, or not."""
    from autogen_agentchat.agents import AssistantAgent

    from hippocortex_autogen._compat import generation_of

    mine = type("Mine", (AssistantAgent,), {"__module__": "my.agents"})
    assert generation_of(object.__new__(mine)) == "agentchat"
    classic = type("ConversableAgent", (), {"__module__": "autogen.agentchat.conversable_agent"})
    assert generation_of(type("Mine", (classic,), {"__module__": "my.agents"})()) == "classic"
    ag2 = type("Agent", (), {"__module__": "ag2.agent"})
    assert generation_of(ag2()) == "ag2"
    assert generation_of(type("Agent", (), {"__module__": "ag2x.agent"})()) is None


def test_importing_the_adapter_loads_no_framework():
    code = (
        "import sys, hippocortex_autogen as h; h.wrap; h.attach;"
        " print([m for m in sys.modules if m.partition('.')[0] in"
        " {'autogen', 'autogen_core', 'autogen_agentchat', 'ag2', 'pydantic'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "framework", "fix"),
    [
        ("HippocortexMemory", "autogen_core", r"pip install 'hippocortex\[autogen\]'"),
        ("HippocortexMiddleware", "ag2", "pip install 'ag2>=1.0.6'"),
    ],
)
def test_what_needs_a_framework_that_is_missing_says_how_to_get_it(
    monkeypatch, name, framework, fix
):
    import hippocortex_autogen

    for module in ("agentchat", "ag2"):
        monkeypatch.delitem(sys.modules, f"hippocortex_autogen.{module}", raising=False)
    for module in [one for one in sys.modules if one.partition(".")[0] == framework]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, framework, None)
    with pytest.raises(MissingExtraError, match=fix):
        getattr(hippocortex_autogen, name)


def test_an_unknown_name_is_an_attribute_error():
    import hippocortex_autogen

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        hippocortex_autogen.nothing  # noqa: B018 - that is the access


def test_the_facade_gives_every_name_of_the_adapter():
    import hippocortex_autogen
    from hippocortex.adapters import autogen as facade

    assert sorted(facade.__all__) == sorted(hippocortex_autogen.__all__)
    assert facade.wrap is hippocortex_autogen.wrap
    assert facade.HippocortexMemory is hippocortex_autogen.HippocortexMemory
