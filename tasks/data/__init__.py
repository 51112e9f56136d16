"""From files to records: finding, decoding and parsing what the user has, and cutting splits."""
