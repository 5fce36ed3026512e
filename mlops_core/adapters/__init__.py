"""Engines behind the ports: one folder a port, one adapter an engine."""
