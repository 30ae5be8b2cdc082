//! The row format inside a tuple (behind its header): null bitmap, aligned attributes, short variable-length headers.
