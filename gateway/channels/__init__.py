"""How keys travel to recipients: one channel for each way, a registry, and the worker that sends (docs/channels.md)."""
