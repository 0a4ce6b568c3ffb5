"""The blocking client: preferences and facts, per user.

uv run python examples/sync_client/main.py
"""

import tempfile
from pathlib import Path

from hippocortex import CaptureEvent, HippocortexError, SyncHippocortex, SynthesizeOptions

SAID = [
    ("ann", "monday", "Hi, I'm Ann. I prefer aisle seats."),
    ("ann", "monday", "Please remember that I am vegetarian."),
    ("bob", "tuesday", "I prefer window seats."),
    ("ann", "friday", "I live in Lisbon."),
]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        with SyncHippocortex(base_url=home) as hx:
            for user, session, text in SAID:
                said = {"role": "user", "content": text}
                result = hx.capture(
                    CaptureEvent("message", session, said, metadata={"user_id": user})
                )
                print(f"{result.status}, salience {result.salience_score:.2f}: {text}")
            hx.learn()

            print("\nWhat matters when booking a seat for Ann:")
            options = SynthesizeOptions(max_tokens=300, user_id="ann")
            for entry in hx.synthesize("which seat to book", options).entries:
                print(f"  [{entry.section}] ({entry.confidence:.2f}) {entry.content}")

            forgotten = hx.forget(user_id="ann")
            print(f"\nAnn asked to be forgotten: {forgotten.events_deleted} events deleted")

            try:
                hx.capture(CaptureEvent("telepathy", "s1", {}))  # type: ignore[arg-type]
            except HippocortexError as error:
                print(
                    f"A mistake is told apart by its code: {error.code} ({error.details[0].field})"
                )


if __name__ == "__main__":
    main()
