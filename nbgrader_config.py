"""So that nbgrader and formgrader, started here, find the course's own configuration."""

load_subconfig("autograder/nbgrader_config.py")  # noqa: F821  (traitlets puts it here)
