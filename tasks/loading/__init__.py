"""From the options of a data set to the rows of each split: read, shared out, corrected, held against each other."""
