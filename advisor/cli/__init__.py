"""The command line: arguments in, exit code out; one file a command, and no decision about the domain."""
