//! Log records of the heap.
