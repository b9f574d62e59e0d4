"""
A fictional Kenyan organisation and two years of its files, made from a seed.

The same seed gives the same bytes. Every name is invented; nobody in it exists.
"""
