"""`python -m hippocortex.cli` is the same command."""

from hippocortex.cli import main

main()
