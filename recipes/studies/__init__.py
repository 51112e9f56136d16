"""Questions that several runs answer together: how sure is a score, what would more labels bring, what is each lever
worth, and how good is a model on rows that it has not seen. A module for each, and what they share.
"""
