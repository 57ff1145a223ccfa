"""Placing and canceling orders, each sent once."""
