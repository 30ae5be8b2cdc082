//! Stegodon: a PostgreSQL-compatible multi-process database server.
