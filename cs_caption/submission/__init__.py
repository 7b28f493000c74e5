"""Whether a notebook, before it is sent, will be graded as its author thinks.

    report("02_hello_rnn.ipynb")      # in a notebook: what there is to mend, and the points shown
    examine("02_hello_rnn.ipynb")     # the same as data

The file is read and held against the release. Nothing in it is run: the points are those that its
checks showed when last run.
"""

from cs_caption.submission.findings import Finding
from cs_caption.submission.summary import Score, Submission, examine, report

__all__ = ["Finding", "Score", "Submission", "examine", "report"]
