"""Many rows at once: files of prompts or texts in, a file of results out (docs/scale.md).

Knows: rows, files, resuming, engines that spread the work. Does not know how an answer is made.
"""
