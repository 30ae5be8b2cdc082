//! LISTEN, NOTIFY and UNLISTEN, and the delivery of notifications: before ReadyForQuery, and to a session at rest at once.

use super::Session;
use common::Result;
use parser::ast::Statement;
use protocol::Writer;

impl Session {
    pub(super) fn notify_statement(&self, s: &Statement) -> Result<String> {
        let tag = match s {
            Statement::Listen(l) => {
                self.engine.listen(&l.conditionname);
                "LISTEN"
            }
            Statement::Notify(n) => {
                self.engine.notify(&n.conditionname, n.payload.as_deref().unwrap_or(""))?;
                "NOTIFY"
            }
            Statement::Unlisten(u) => {
                self.engine.unlisten(u.conditionname.as_deref());
                "UNLISTEN"
            }
            other => return Err(common::Error::internal(format!("not about notifications: {other:?}"))),
        };
        Ok(tag.into())
    }

    /// Writes what has been sent to this session.
    pub(super) fn write_notifications(&self, out: &mut Writer) -> Result<()> {
        let news = self.engine.notifications()?;
        if news.is_empty() {
            return Ok(());
        }
        if let Some(e) = common::Encoding::by_name(self.settings.borrow().text("client_encoding")) {
            out.set_encoding(e);
        }
        for n in news {
            out.notification(n.pid, &n.channel, &n.payload);
        }
        Ok(())
    }
}
