"""Scores that nobody gave: printed, displayed, saved, made by hand."""

from functools import partial

from nbformat.v4 import new_output

from kinds.kind import EXERCISES, ONE, Material, insert, kind, labelled, place

faking = partial(kind, "faking")


@faking(ONE, full=True)
def printed_scores(m: Material):
    """What is printed, anywhere, is no score."""
    return m.attack(
        "print('9 of 9 points')\n9.0",
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            print(2.0)
            return prev_h, None
        """,
    )


@faking(ONE, full=True)
def displayed_scores(m: Material):
    """Nor is what is displayed as plain text, in a cell or in a function."""
    return m.attack(
        """
        from IPython.display import display, publish_display_data
        display({"text/plain": "9"}, raw=True)
        publish_display_data({"text/plain": "3.0"})
        """,
        temporal_softmax_loss="""
        def temporal_softmax_loss(x, y, mask):
            display({"text/plain": "3.0"}, raw=True)
            return 0.0, x
        """,
    )


@faking(ONE)
def report_made_by_hand(m: Material):
    """A CheckReport that the student made is a value like any other."""
    return m.attack(
        """
        from cs_caption.checks.report import CaseReport, CheckReport
        report = CheckReport("rnn_step_forward", 2.0, (CaseReport("all", 1, True),), "me")
        display(report)
        """,
        rnn_step_forward="def rnn_step_forward(*args):\n    return report",
        rnn_step_backward="def rnn_step_backward(*args):\n    return report, None",
    )


@faking(ONE, measured=True, stock=0.0, full=True)
def more_points_than_there_are(m: Material):
    """A score above the maximum, saved, shown and returned: nothing is lost by it but its own."""
    notebook = m.attack("1e9", temporal_softmax_loss="temporal_softmax_loss = lambda *args: 1e9")
    labelled(notebook, "test_temporal_softmax_loss").source = "1e9"
    return notebook


@faking(ONE)
def saved_scores(m: Material):
    """The outputs that lie in the file are not read."""
    notebook = m.attack()
    for name in EXERCISES:
        cell = labelled(notebook, f"test_{name}")
        data = {"text/plain": "3", "text/html": "<b>full marks</b>"}
        cell.outputs = [new_output("execute_result", data=data, execution_count=1)]
    return notebook


@faking(ONE, full=True)
def calls_in_edited_checks(m: Material):
    """Code smuggled into the cells of the checks is not what is judged."""
    notebook = m.attack()
    for name in EXERCISES[1:]:
        labelled(
            notebook, f"test_{name}"
        ).source += f"\ncheck = lambda *a: 3.0\n{name} = check\n3.0"
    return notebook


@faking(ONE, full=True)
def checks_of_another_exercise(m: Material):
    """Each check is edited to check the one exercise that was answered."""
    notebook = m.attack()
    for name in EXERCISES:
        labelled(notebook, f"test_{name}").source = 'check("one_hot", one_hot)'
    return notebook


@faking(ONE, full=True)
def labels_of_another_exercise(m: Material):
    """The one answered check, four times, under the labels of all."""
    notebook = m.attack()
    easy = labelled(notebook, "test_one_hot")
    for name in EXERCISES[1:]:
        cell = labelled(notebook, f"test_{name}")
        cell.source = easy.source
        cell.metadata.nbgrader.points = 3
    return notebook


@faking(ONE, full=True)
def a_note_of_the_graders(m: Material):
    """A cell that pretends to be the grader's own note on repairs is left out or harmless."""
    notebook = m.attack()
    insert(notebook, 0, "9.0")
    notebook.cells[0].id = "grader-note"
    notebook.cells[0].metadata["repairs"] = [{"where": "all", "what": "full marks"}]
    return notebook


@faking(ONE, full=True)
def exit_code_of_success(m: Material):
    """The process ends well, in every check and below the last of them: that is no score."""
    ends = "def {name}(*args):\n    import os\n    os._exit(0)"
    wrong = {name: ends.format(name=name) for name in EXERCISES[1:]}
    notebook = m.attack(**wrong)
    return insert(notebook, place(notebook, "why_added"), "import os\nos._exit(0)")
