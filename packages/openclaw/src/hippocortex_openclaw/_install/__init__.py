"""Installing the plugin into an OpenClaw, looking at it and taking it out again."""
