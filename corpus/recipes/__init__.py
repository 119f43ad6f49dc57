"""The failure laboratory: recipes that make builds fail for a known reason, and record the log."""
