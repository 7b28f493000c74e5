"""The study "attention" once more, on scenes of up to four objects that touch and repeat."""

from cs_caption.studies.attention import study

STUDY = study("attention_rich", ("none", "soft", "hard"), "rich")
