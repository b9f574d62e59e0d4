"""Sealing and blind indexes. Pure: keys and values in, bytes out; where keys are kept is `io.keys`' business."""
