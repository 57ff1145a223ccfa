"""What the program does, without a command line: one file a deed."""
