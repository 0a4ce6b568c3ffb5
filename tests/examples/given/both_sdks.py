"""The block gives every client a memory; then there are clients of both SDKs."""


def then(_):
    from anthropic import Anthropic
    from openai import OpenAI

    said = [{"role": "user", "content": "Deploy payments to staging"}]
    with OpenAI() as openai:
        openai.chat.completions.create(model="gpt-4o", messages=said)
    said = [{"role": "user", "content": "Is payments live?"}]
    with Anthropic() as anthropic:
        anthropic.messages.create(model="claude", max_tokens=100, messages=said)
