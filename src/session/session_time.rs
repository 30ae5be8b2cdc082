//! What a session tells `pg_stat_database`: its time, how much of it was work, how it ended, and its temporary files.

use super::Session;
use common::{Error, SqlState};
use ipc::activity::State;
use std::cell::Cell;

/// Moments, in monotonic microseconds.
#[derive(Default)]
pub struct Times {
    /// Until when the time was counted.
    counted: Cell<i64>,
    state: Cell<State>,
    temp_files: Cell<u64>,
    temp_bytes: Cell<u64>,
}

impl Session {
    /// The session begins.
    pub(super) fn begin_times(&self) {
        self.times.counted.set(ipc::clock::monotonic());
        self.engine.count_database(|d| d.sessions += 1);
    }
    /// The state changes: what has passed belongs to the one before.
    pub(super) fn count_time(&self, new: State) {
        let now = ipc::clock::monotonic();
        let us = now - self.times.counted.replace(now);
        let old = self.times.state.replace(new);
        let temp = &self.env().temp;
        let (files, bytes) = (temp.files.get(), temp.bytes.get());
        let files = files - self.times.temp_files.replace(files);
        let bytes = bytes - self.times.temp_bytes.replace(bytes);
        self.engine.count_database(|d| {
            d.session_time += us;
            match old {
                State::Active | State::FastPath => d.active_time += us,
                State::IdleInTransaction | State::IdleInTransactionAborted => {
                    d.idle_in_transaction_time += us
                }
                _ => {}
            }
            d.temp_files += files as i64;
            d.temp_bytes += bytes as i64;
        });
    }
    /// An error ends the session.
    pub(super) fn count_end(&self, e: &Error) {
        self.engine.count_database(|d| match e.sqlstate() {
            SqlState::ADMIN_SHUTDOWN => d.sessions_killed += 1,
            SqlState::CONNECTION_FAILURE => d.sessions_abandoned += 1,
            _ => d.sessions_fatal += 1,
        });
    }
}
