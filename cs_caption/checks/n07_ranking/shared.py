"""What the checks of notebook 07 share."""

# The package's own models, losses and metrics: the student's functions are written without.
BANNED = ("cs_caption.models", "cs_caption.metrics", "cs_caption.losses", "cs_caption.ranking")

# Of what is right in float32 only, where all that came was float64.
DIGITS_LOST = ": the digits are those of float32: is something made float32 on the way?"
