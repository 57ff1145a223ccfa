"""What all rooms speak of: events, errors, exact numbers, reports. No I/O."""
