"""What several exchanges share."""
