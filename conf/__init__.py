"""What can be chosen: YAML files only, one folder a config group. A package so that an installed wheel finds them."""
