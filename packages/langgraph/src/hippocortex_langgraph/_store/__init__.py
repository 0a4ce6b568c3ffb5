"""The parts of the store: pure translation, and the two places where its data can be."""
