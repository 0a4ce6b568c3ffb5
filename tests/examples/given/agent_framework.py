"""A client of a scripted model, and a tool; then the agent is run."""

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    Content,
    FunctionInvocationLayer,
    Message,
)


def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


class Scripted(FunctionInvocationLayer, ChatMiddlewareLayer, BaseChatClient):
    """Deploys, and says so."""

    async def _inner_get_response(self, *, messages, stream, options, **kwargs):
        answer = Content.from_text("Payments is live.")
        if not any(
            content.type == "function_result" for one in messages for content in one.contents
        ):
            answer = Content.from_function_call(
                call_id="call_1", name="deploy", arguments='{"service": "payments"}'
            )
        return ChatResponse(messages=[Message("assistant", [answer])])


GIVEN = {"client": Scripted(), "deploy": deploy}


async def then(names):
    await names["agent"].run("Deploy payments to staging")
