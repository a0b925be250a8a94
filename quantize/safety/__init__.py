"""From rows of labelled text to the weights of the safety filters.

Knows: rows, made sentences, the two scorers, calibration, the file they end in. Does not know:
requests, thresholds' use. Training needs numpy and torch; nothing here is imported at run time.
"""
