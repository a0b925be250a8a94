"""A service of the tiny model, for all tests of this folder."""

from service_fixtures import home, service, store

__all__ = ["home", "service", "store"]
