"""What several exchanges share, each written once: small, pure, and free of any exchange's words."""
