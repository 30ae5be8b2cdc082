//! Triggers, event triggers, rules.

use super::Parser;
use super::name::is_col_label;
use crate::ast::{
    Constraint, CreateEventTrigStmt, CreateTrigStmt, DefArg, DefElem, RuleEvent, RuleStmt, Statement,
    TriggerTiming, TriggerTransition, trigger_event,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    /// CREATE [CONSTRAINT] TRIGGER; the present token is one of these words.
    pub(crate) fn create_trigger(&mut self, replace: bool) -> Result<Statement> {
        let isconstraint = self.eat_kw(Kw::Constraint)?;
        self.expect_kw(Kw::Trigger)?;
        let trigname = self.col_id()?;
        if isconstraint && !self.at_kw(Kw::After) {
            return Err(self.syntax_error());
        }
        let timing = match self.eat_one_of(&[Kw::Before, Kw::After, Kw::Instead])? {
            Some(Kw::After) => TriggerTiming::After,
            Some(Kw::Before) => TriggerTiming::Before,
            Some(_) => {
                self.expect_kw(Kw::Of)?;
                TriggerTiming::Instead
            }
            None => return Err(self.syntax_error()),
        };
        let (events, columns) = self.trigger_events()?;
        self.expect_kw(Kw::On)?;
        let relation = self.qualified_name()?;
        let mut constrrel = None;
        let mut attributes = Constraint::default();
        let mut transition_rels = Vec::new();
        let mut row = false;
        if isconstraint {
            if self.eat_kw(Kw::From)? {
                constrrel = Some(self.qualified_name()?);
            }
            self.constraint_attributes(&mut attributes, "TRIGGER")?;
            self.expect_kws(&[Kw::For, Kw::Each, Kw::Row])?;
            row = true;
        } else {
            if self.eat_kw(Kw::Referencing)? {
                while transition_rels.is_empty() || matches!(self.kw(), Some(Kw::New | Kw::Old)) {
                    transition_rels.push(self.trigger_transition()?);
                }
            }
            if self.eat_kw(Kw::For)? {
                self.eat_kw(Kw::Each)?;
                row = match self.eat_one_of(&[Kw::Row, Kw::Statement])? {
                    Some(kw) => kw == Kw::Row,
                    None => return Err(self.syntax_error()),
                };
            }
        }
        let when_clause = if self.eat_kw(Kw::When)? { Some(self.paren_condition()?) } else { None };
        let funcname = self.execute_function()?;
        let args = self.trigger_args()?;
        if replace && isconstraint {
            let message = "CREATE OR REPLACE CONSTRAINT TRIGGER is not supported";
            return Err(err!(FEATURE_NOT_SUPPORTED, "{message}"));
        }
        Ok(Statement::CreateTrigger(Box::new(CreateTrigStmt {
            replace,
            isconstraint,
            trigname,
            relation,
            funcname,
            args,
            row,
            timing,
            events,
            columns,
            when_clause,
            transition_rels,
            deferrable: attributes.deferrable,
            initdeferred: attributes.initdeferred,
            constrrel,
        })))
    }

    /// `INSERT OR UPDATE OF a, b OR …`
    fn trigger_events(&mut self) -> Result<(u16, Vec<String>)> {
        let mut events = 0;
        let mut columns = Vec::new();
        loop {
            let event_token = (self.tok.start, self.tok.end);
            let event = match self.eat_one_of(&[Kw::Insert, Kw::Delete, Kw::Update, Kw::Truncate])? {
                Some(Kw::Insert) => trigger_event::INSERT,
                Some(Kw::Delete) => trigger_event::DELETE,
                Some(Kw::Update) => {
                    if self.eat_kw(Kw::Of)? {
                        columns.extend(self.name_list()?);
                    }
                    trigger_event::UPDATE
                }
                Some(_) => trigger_event::TRUNCATE,
                None => return Err(self.syntax_error()),
            };
            if events & event != 0 {
                let near = &self.source()[event_token.0..event_token.1];
                let message = "duplicate trigger events specified";
                return Err(err!(SYNTAX_ERROR, "{message} at or near \"{near}\"").at(event_token.0));
            }
            events |= event;
            if !self.eat_kw(Kw::Or)? {
                return Ok((events, columns));
            }
        }
    }

    fn trigger_transition(&mut self) -> Result<TriggerTransition> {
        let is_new = match self.eat_one_of(&[Kw::New, Kw::Old])? {
            Some(kw) => kw == Kw::New,
            None => return Err(self.syntax_error()),
        };
        let is_table = match self.eat_one_of(&[Kw::Table, Kw::Row])? {
            Some(kw) => kw == Kw::Table,
            None => return Err(self.syntax_error()),
        };
        self.eat_kw(Kw::As)?;
        let name = self.col_id()?;
        Ok(TriggerTransition { name, is_new, is_table })
    }

    /// `EXECUTE FUNCTION name`, or PROCEDURE.
    fn execute_function(&mut self) -> Result<Vec<String>> {
        self.expect_kw(Kw::Execute)?;
        if self.eat_one_of(&[Kw::Function, Kw::Procedure])?.is_none() {
            return Err(self.syntax_error());
        }
        self.func_name()
    }

    /// Arguments are constants or words, all kept as text. PostgreSQL lets the list begin with a comma.
    fn trigger_args(&mut self) -> Result<Vec<String>> {
        self.expect_char(b'(')?;
        let mut args = Vec::new();
        if !self.at_char(b')') {
            if !self.at_char(b',') {
                args.push(self.trigger_arg()?);
            }
            while self.eat_char(b',')? {
                args.push(self.trigger_arg()?);
            }
        }
        self.expect_char(b')')?;
        Ok(args)
    }

    fn trigger_arg(&mut self) -> Result<String> {
        match self.kind() {
            T::IConst => Ok(self.iconst()?.to_string()),
            T::FConst | T::SConst => Ok(self.advance()?.text.into_owned()),
            kind if is_col_label(kind) => self.word(),
            _ => Err(self.syntax_error()),
        }
    }

    /// CREATE EVENT TRIGGER; the present token is EVENT.
    pub(crate) fn create_event_trigger(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kw(Kw::Trigger)?;
        let trigname = self.col_id()?;
        self.expect_kw(Kw::On)?;
        let eventname = self.col_label()?;
        let mut whenclause = Vec::new();
        if self.eat_kw(Kw::When)? {
            loop {
                let at = self.tok.start;
                let name = self.col_id()?;
                self.expect_kw(Kw::In)?;
                let values = self.paren_list(|p| Ok(DefArg::String(p.sconst()?)))?;
                whenclause.push(DefElem::new(name, Some(DefArg::List(values)), at));
                if !self.eat_kw(Kw::And)? {
                    break;
                }
            }
        }
        let funcname = self.execute_function()?;
        self.expect_char(b'(')?;
        self.expect_char(b')')?;
        let stmt = CreateEventTrigStmt { trigname, eventname, whenclause, funcname };
        Ok(Statement::CreateEventTrigger(Box::new(stmt)))
    }

    /// CREATE RULE; the present token is RULE.
    pub(crate) fn create_rule(&mut self, replace: bool) -> Result<Statement> {
        self.skip()?;
        let rulename = self.col_id()?;
        self.expect_kws(&[Kw::As, Kw::On])?;
        let event = match self.eat_one_of(&[Kw::Select, Kw::Update, Kw::Delete, Kw::Insert])? {
            Some(Kw::Select) => RuleEvent::Select,
            Some(Kw::Update) => RuleEvent::Update,
            Some(Kw::Delete) => RuleEvent::Delete,
            Some(_) => RuleEvent::Insert,
            None => return Err(self.syntax_error()),
        };
        self.expect_kw(Kw::To)?;
        let relation = self.qualified_name()?;
        let where_clause = self.opt_where()?;
        self.expect_kw(Kw::Do)?;
        let instead = self.eat_one_of(&[Kw::Instead, Kw::Also])? == Some(Kw::Instead);
        let actions = self.rule_actions()?;
        let stmt = RuleStmt { relation, rulename, where_clause, event, instead, actions, replace };
        Ok(Statement::Rule(Box::new(stmt)))
    }

    fn rule_actions(&mut self) -> Result<Vec<Statement>> {
        if self.eat_kw(Kw::Nothing)? {
            return Ok(Vec::new());
        }
        if !self.eat_char(b'(')? {
            return Ok(vec![self.rule_action()?]);
        }
        let mut actions = Vec::new();
        while !self.eat_char(b')')? {
            if self.eat_char(b';')? {
                continue;
            }
            actions.push(self.rule_action()?);
            if !self.at_char(b';') && !self.at_char(b')') {
                return Err(self.syntax_error());
            }
        }
        Ok(actions)
    }

    fn rule_action(&mut self) -> Result<Statement> {
        if self.at_kw(Kw::Notify) {
            return self.notify_stmt();
        }
        if self.at_kw(Kw::Merge) {
            return Err(self.syntax_error());
        }
        self.preparable_stmt()
    }
}
