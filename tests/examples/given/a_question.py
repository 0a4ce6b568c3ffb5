"""The block makes a client, which is then asked something."""


def then(names):
    names["client"].chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Deploy payments to staging"}]
    )
