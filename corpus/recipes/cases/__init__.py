"""The recipes, a module for each kind of failure."""
