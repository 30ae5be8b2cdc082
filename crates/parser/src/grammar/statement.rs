//! Dispatch on a statement's first word.

use super::Parser;
use crate::ast::Statement;
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    /// One statement, up to its semicolon or the end.
    pub(crate) fn statement(&mut self) -> Result<Statement> {
        let kw = match self.kind() {
            T::Kw(kw) => kw,
            T::Char(b'(') => return Ok(Statement::Select(self.select_stmt()?)),
            _ => return Err(self.syntax_error()),
        };
        match kw {
            Kw::Select | Kw::Values | Kw::Table => Ok(Statement::Select(self.select_stmt()?)),
            Kw::With | Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge => self.preparable_stmt(),
            Kw::Begin
            | Kw::Start
            | Kw::Commit
            | Kw::End
            | Kw::Abort
            | Kw::Rollback
            | Kw::Savepoint
            | Kw::Release => self.transaction_stmt(),
            Kw::Set => self.set_stmt(),
            Kw::Reset => self.reset_stmt().map(|s| Statement::VariableSet(Box::new(s))),
            Kw::Show => self.show_stmt(),
            Kw::Copy => self.copy_stmt(),
            Kw::Explain => self.explain_stmt(),
            Kw::Vacuum => self.vacuum_stmt(),
            Kw::Analyze | Kw::Analyse => self.analyze_stmt(),
            Kw::Prepare => self.prepare_stmt(),
            Kw::Execute => self.execute_stmt(),
            Kw::Deallocate => self.deallocate_stmt(),
            Kw::Declare => self.declare_cursor_stmt(),
            Kw::Fetch | Kw::Move => self.fetch_stmt(),
            Kw::Close => self.close_stmt(),
            Kw::Lock => self.lock_stmt(),
            Kw::Discard => self.discard_stmt(),
            Kw::Load => self.load_stmt(),
            Kw::Listen => self.listen_stmt(),
            Kw::Notify => self.notify_stmt(),
            Kw::Unlisten => self.unlisten_stmt(),
            Kw::Cluster => self.cluster_stmt(),
            Kw::Reindex => self.reindex_stmt(),
            Kw::Truncate => self.truncate_stmt(),
            Kw::Checkpoint => {
                self.skip()?;
                Ok(Statement::Checkpoint)
            }
            Kw::Do => self.do_stmt(),
            Kw::Call => self.call_stmt(),
            Kw::Create => self.create_stmt(),
            Kw::Alter => self.alter_stmt(),
            Kw::Drop => self.drop_stmt(),
            Kw::Grant => self.grant_stmt(),
            Kw::Revoke => self.revoke_stmt(),
            Kw::Comment => self.comment_stmt(),
            Kw::Security => self.security_label_stmt(),
            Kw::Reassign => self.reassign_owned_stmt(),
            Kw::Refresh => self.refresh_stmt(),
            Kw::Import => self.import_foreign_schema_stmt(),
            _ => Err(self.syntax_error()),
        }
    }
}
