"""The block stands on its own feet."""
