"""Reading what OpenClaw has kept of past sessions: databases, compressed rows, lines of JSON."""
