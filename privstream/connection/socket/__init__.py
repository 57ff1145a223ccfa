"""The WebSocket: bytes, frames, the handshake."""
