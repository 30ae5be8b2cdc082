//! One test per setting with an effect, as tables where that is possible: what is set, what is run, what must be seen.
//! Settings of a session are set by PGOPTIONS, those of the server by ALTER SYSTEM and a reload, those of a start by the
//! command line.
#![allow(clippy::unwrap_used)]

mod common;
mod documented;
mod log;
mod planner;
mod server;
mod session;
mod start;
mod storage;
mod vacuum;
