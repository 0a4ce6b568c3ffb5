"""A model of classic AutoGen that answers as it is told."""

import itertools
import json
from types import SimpleNamespace

import pytest
from autogen import ConversableAgent, UserProxyAgent

_ids = itertools.count()


class ScriptedClient:
    """What `register_model_client` takes; answers with what `answer` makes of the messages."""

    def __init__(self, config, answer=None, asked=None):
        self.answer, self.asked = answer, asked

    def create(self, params):
        messages = [dict(message) for message in params["messages"]]
        self.asked.append(messages)
        found = self.answer(messages)
        text, calls = (found, None) if isinstance(found, str) else (None, found)
        message = Message(text, calls)
        choice = SimpleNamespace(message=message, finish_reason="stop")
        return SimpleNamespace(choices=[choice], model="scripted", id=str(next(_ids)), cost=0)

    def message_retrieval(self, response):
        return [choice.message for choice in response.choices]

    def cost(self, response):
        return 0

    @staticmethod
    def get_usage(response):
        names = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
        return {**dict.fromkeys(names, 0), "model": "scripted"}


class Message:
    """As OpenAI's SDK gives one."""

    def __init__(self, content, calls):
        self.content, self.function_call, self.tool_calls = content, None, None
        self.reasoning_content, self.audio, self.refusal, self.role = None, None, None, "assistant"
        if calls:
            self.tool_calls = [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(args)},
                }
                for call_id, name, args in calls
            ]

    def model_dump(self):
        return {"content": self.content, "role": self.role, "tool_calls": self.tool_calls}


MODEL = {"config_list": [{"model": "scripted", "model_client_cls": "ScriptedClient"}]}


class Scripted:
    """Agents whose models give the answers of a test, one after the other or by a function."""

    def agent(self, *answers, name="assistant", kind=ConversableAgent, tools=(), **options):
        """One with a model that knows of the tools."""
        made = kind(
            name,
            llm_config={**MODEL, "cache_seed": None},
            human_input_mode="NEVER",
            **{"code_execution_config": False, **options},
        )
        for tool in tools:
            made.register_for_llm(name=tool.__name__, description=tool.__doc__)(tool)
        self.connect(made, *answers)
        return made

    def connect(self, agent, *answers):
        """Let the model of an agent that was built otherwise answer so."""
        left = iter(answers)
        one = len(answers) == 1 and callable(answers[0])
        agent.asked = []
        options = {
            "answer": answers[0] if one else lambda _: _given(next(left)),
            "asked": agent.asked,
        }
        agent.register_model_client(model_client_cls=ScriptedClient, **options)

    def user(self, name="user", tools=(), **options):
        """One without a model, that runs tools."""
        made = UserProxyAgent(
            name,
            human_input_mode="NEVER",
            **{
                "code_execution_config": False,
                "is_termination_msg": lambda message: not message.get("tool_calls"),
                **options,
            },
        )
        for tool in tools:
            made.register_for_execution(name=tool.__name__)(tool)
        return made


def _given(answer):
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture(scope="session")
def scripted():
    return Scripted()
