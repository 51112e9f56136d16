"""What differs by task in training: loss, reduction of outputs, initialisation. One module a task; imports `config`."""
