"""What the demo, the benchmark and the end-to-end tests put on stage: processes, an identity provider, a policy."""
