"""Is a candidate at least as good as the baseline, within stated margins, beyond chance?"""
