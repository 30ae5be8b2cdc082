//! PostgreSQL's wire protocol 3.0: framing, message codecs, authentication exchanges and the rules of `pg_hba.conf`. It
//! knows no SQL and no sockets: bytes come and go through [`Transport`].
#![forbid(unsafe_code)]

pub mod auth;
pub mod conn;
pub mod frontend;
pub mod hba;
pub mod scram;
pub mod startup;
pub mod tls;
mod tls_choice;
pub mod transcode;
pub mod writer;

pub use conn::{Connection, Transport};
pub use frontend::{Bind, Frontend, Target};
pub use startup::{StartupPacket, StartupRequest};
pub use writer::{Field, TransactionStatus, Writer};
