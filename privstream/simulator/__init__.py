"""The server half of every protocol, for demos, tests and people who test their own bots."""
