"""Study "smoothing" on rich scenes."""

from cs_caption.studies.smoothing import study

STUDY = study("smoothing_rich", "rich")
