"""From a model in any usual form to a pack. Knows files, weights and graphs; no requests."""
