"""What nbgrader is told about this course; the root's nbgrader_config.py loads it.

`solutions/` is nbgrader's source and `notebooks/` its release. The stages of grading are nbgrader's
own, in its order; ours stand before them and in the place of its Execute
(autograder/preprocessors.py).
There is no HIDDEN TESTS block in the notebooks: in the kernel that runs a student's code nothing
can be hidden, and such a block makes nbgrader warn of tampering about every honest student.
"""

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as stage

ROOT = Path(__file__).resolve().parent.parent
# Started as .venv/bin/nbgrader, without activation, nbgrader finds neither this project nor the
# program `alembic` that it calls to make a gradebook.
PROGRAMS = str(Path(sys.executable).parent)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
if PROGRAMS not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([PROGRAMS, os.environ.get("PATH", "")])

from autograder.preprocessors import JudgedExecution, OnlyANumberCounts, Repair  # noqa: E402

c = get_config()  # noqa: F821  (traitlets puts it here)

c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# nbgrader copies what lies beside a notebook into the release and beside the student's kernel:
# the authored text would give the solutions away.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "__pycache__",
    "feedback",
    "*.py",
    "*.pyc",
    ".*",
]
# A writer waits for another (formgrader, a second grader) instead of giving up after five seconds.
c.CourseDirectory.db_url = f"sqlite:///{ROOT / 'gradebook.db'}?timeout=60"

# The release is always made anew from the source: nobody edits it by hand.
c.GenerateAssignment.force = True
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer, in place of this line.*"

# Limits of a student's code: c.JudgedExecution.cell_seconds and so on; `sandbox` may be weaker
# ("limits", "off") only by name.
c.OverwriteCells.add_missing_cells = True
# In feedback and formgrader, what a student wrote is shown without scripts, and in bounded time.
c.HTMLExporter.filters = {
    "markdown2html": "autograder.texts.markdown_to_html",
    "highlight_code": "autograder.texts.code_to_html",
}
c.AssignLatePenalties.plugin_class = "autograder.late.LatePolicy"  # costs nothing until it is told

c.Autograde.sanitize_preprocessors = [
    Repair,
    stage.ClearOutput,
    stage.DeduplicateIds,
    stage.OverwriteKernelspec,
    stage.OverwriteCells,
    stage.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    JudgedExecution,
    OnlyANumberCounts,
    stage.IgnorePattern,
    ClearMetadataPreprocessor,
    stage.LimitOutput,
    stage.SaveAutoGrades,
    stage.AssignLatePenalties,
    stage.CheckCellMetadata,
]
