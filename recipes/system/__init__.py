"""The operating system and the terminal: files, signals, output. Imports only the standard library when imported."""
