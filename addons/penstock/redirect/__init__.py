"""Redirect: make the gateway the only way to the models, by the kernel's own rules."""
