//! Built-in types, functions, operators and casts, read once by the postmaster before it forks and shared by all
//! processes. The same data fills the catalogs at `initdb`.
