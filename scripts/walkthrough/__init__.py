"""The demo: the gateway in front of a real model server, and what it does with four calls."""
