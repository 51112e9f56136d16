"""Using a trained model on new texts: in Python and on files. Imports `inference` and the folders below it."""
