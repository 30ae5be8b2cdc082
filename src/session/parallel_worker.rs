//! A session in a parallel worker: the leader's, copied by the fork, without its client.

use super::Session;
use common::Report;
use std::rc::Rc;

impl Session {
    /// This process works for `leader` from here on. The client's connection is the leader's alone.
    pub(super) fn begin_parallel_worker(&self, leader: i32, notices: Rc<dyn Fn(Report)>) {
        *self.worker_notices.borrow_mut() = Some(notices);
        if let Ok(conn) = self.conn.try_borrow() {
            conn.transport.close_inherited();
        }
        self.title.set(&format!("postgres: parallel worker for PID {leader}"));
        let proc = self.engine.proc();
        crate::log::begin_worker("parallel worker", proc);
    }
}
