"""Reports as pages of HTML that need nothing else: no script, no font and no picture from elsewhere."""
