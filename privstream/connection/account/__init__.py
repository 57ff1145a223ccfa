"""One account's connection, kept: dialling, streaming, reading back, comparing."""
