"""Reading data: finding the user's files, decoding them, parsing them into records, and cutting splits."""
