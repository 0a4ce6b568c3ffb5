"""The adapters of frameworks, each a distribution of its own: `hippocortex.adapters.langgraph`.

Nothing is imported before a name is asked for.
"""
