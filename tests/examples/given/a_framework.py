"""The smallest framework there is, a model for it, an adapter; then an agent does a turn's work.

Agent, model and hooks are those that the block names; what it leaves out is added to its agent.
"""

from contextlib import ExitStack
from types import SimpleNamespace

from hippocortex_core.recorder import Surface
from hippocortex_core.steps import AssistantMessage, ToolCall, ToolResult, UserMessage
from hippocortex_core.testing.contract.bench import ANN, Bench
from hippocortex_core.testing.contract.script import DEPLOY


class ScriptedModel:
    def __init__(self, answer, log):
        self.answer, self.log = answer, log

    def reply(self, system, said, results):
        self.log.append("\n".join([*system, said, *results]))
        return self.answer(said, len(results))


class FrameworkAgent:
    def __init__(self, model, tools):
        self.model, self.tools = model, {tool.__name__: tool for tool in tools}

    def run(self, said, thread, user, hooks):
        told = [hook.on_message("user", said, thread, user) for hook in hooks]
        results = []
        while (answer := self.model.reply(told, said, results)).calls:
            for call_id, name, args in answer.calls:
                results.append(self.tools[name](**args))
                for hook in hooks:
                    hook.on_tool(call_id, name, args, results[-1])
        for hook in hooks:
            hook.on_message("assistant", answer.text, thread, user)
        return answer


class Hooks:
    def __init__(self):
        self.surface = Surface()

    def on_message(self, role, text, thread, user):
        self.scope = self.surface.scope(thread)
        step = UserMessage(text) if role == "user" else AssistantMessage(text)
        self.surface.record(step, self.scope)
        return self.surface.recall(text, self.scope).text if role == "user" else ""

    def on_tool(self, call_id, name, args, result):
        self.surface.record(ToolCall(name, args, call_id), self.scope)
        self.surface.record(ToolResult(name, result, call_id), self.scope)


GIVEN = {
    "ScriptedModel": ScriptedModel,
    "framework": SimpleNamespace(Agent=FrameworkAgent),
    "hippocortex_mine": SimpleNamespace(Hooks=Hooks),
}


def then(names):
    class Whole(names["MyAgent"]):
        def replay(self, said, who, mode):
            """Left out."""

        belongings = attached_hooks = detach = replay

    class WholeDriver(names["MyDriver"]):
        def agent(self, script, *, memory):
            return Whole(script, memory=memory)

    names["TestHooks"]().test_no_check_is_dropped()
    with ExitStack() as closing:
        bench = Bench(WholeDriver(), closing)
        agent = bench.agent(DEPLOY)
        outcome = bench.run(agent, DEPLOY, "sync", ANN)
    assert outcome.text == DEPLOY.final
    assert len(agent.requests) == 2
