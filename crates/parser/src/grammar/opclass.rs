//! Operator classes and families, ALTER OPERATOR.

use super::Parser;
use super::alter_object::{ALL_FORMS, Forms};
use crate::ast::{
    AlterOpFamilyStmt, AlterOperatorStmt, CreateOpClassStmt, CreateOpFamilyStmt, DefElem, ObjectRef,
    ObjectType, ObjectWithArgs, OpClassItem, OpFamilyDropItem, OpFamilyItems, Statement, TypeName,
};
use crate::keywords::Kw;
use common::{Report, Result, Severity, SqlState};

impl Parser<'_> {
    /// CREATE OPERATOR CLASS; the present token is CLASS.
    pub(crate) fn create_opclass(&mut self) -> Result<Statement> {
        self.skip()?;
        let opclassname = self.any_name()?;
        let is_default = self.eat_kw(Kw::Default)?;
        self.expect_kws(&[Kw::For, Kw::Type])?;
        let datatype = self.type_name()?;
        self.expect_kw(Kw::Using)?;
        let amname = self.col_id()?;
        let opfamilyname = if self.eat_kw(Kw::Family)? { self.any_name()? } else { Vec::new() };
        self.expect_kw(Kw::As)?;
        let items = self.list(Self::opclass_item)?;
        Ok(Statement::CreateOpClass(Box::new(CreateOpClassStmt {
            opclassname,
            opfamilyname,
            amname,
            datatype,
            items,
            is_default,
        })))
    }

    /// CREATE OPERATOR FAMILY; the present token is FAMILY.
    pub(crate) fn create_opfamily(&mut self) -> Result<Statement> {
        self.skip()?;
        let opfamilyname = self.any_name()?;
        self.expect_kw(Kw::Using)?;
        let amname = self.col_id()?;
        Ok(Statement::CreateOpFamily(CreateOpFamilyStmt { opfamilyname, amname }))
    }

    fn type_list(&mut self) -> Result<Vec<Option<TypeName>>> {
        self.paren_list(|p| Ok(Some(p.type_name()?)))
    }

    fn opclass_item(&mut self) -> Result<OpClassItem> {
        match self.eat_one_of(&[Kw::Operator, Kw::Function, Kw::Storage])? {
            Some(Kw::Operator) => {
                let number = self.iconst()?;
                let objname = self.any_operator()?;
                let args_unspecified = !self.at_char(b'(');
                let objargs = if args_unspecified { Vec::new() } else { self.operator_args()? };
                let name = ObjectWithArgs {
                    objname,
                    objargs,
                    objfuncargs: Vec::new(),
                    args_unspecified,
                    agg_star: false,
                };
                let mut order_family = Vec::new();
                if self.eat_kw(Kw::For)? {
                    if self.eat_kw(Kw::Order)? {
                        self.expect_kw(Kw::By)?;
                        order_family = self.any_name()?;
                    } else {
                        self.expect_kw(Kw::Search)?;
                    }
                }
                if self.at_kw(Kw::Recheck) {
                    let at = self.skip()?;
                    let message = "RECHECK is no longer required";
                    let mut notice = Report::new(Severity::Notice, SqlState::FEATURE_NOT_SUPPORTED, message);
                    notice.hint = Some("Update your data type.".to_string());
                    notice.position = Some(at);
                    self.warning(notice);
                }
                Ok(OpClassItem::Operator { number, name, order_family })
            }
            Some(Kw::Function) => {
                let number = self.iconst()?;
                let class_args = if self.at_char(b'(') { self.type_list()? } else { Vec::new() };
                let name = self.function_with_args()?;
                Ok(OpClassItem::Function { number, class_args, name })
            }
            Some(_) => Ok(OpClassItem::Storage(self.type_name()?)),
            None => Err(self.syntax_error()),
        }
    }

    fn opclass_drop_item(&mut self) -> Result<OpFamilyDropItem> {
        let kw = self.eat_one_of(&[Kw::Operator, Kw::Function])?;
        if kw.is_none() {
            return Err(self.syntax_error());
        }
        let number = self.iconst()?;
        let args = self.type_list()?;
        Ok(if kw == Some(Kw::Operator) {
            OpFamilyDropItem::Operator { number, args }
        } else {
            OpFamilyDropItem::Function { number, args }
        })
    }

    /// ALTER OPERATOR [CLASS | FAMILY]; OPERATOR has been read.
    pub(crate) fn alter_operator(&mut self) -> Result<Statement> {
        let class = self.at_kw(Kw::Class);
        if (class || self.at_kw(Kw::Family)) && !self.peek_is_char(b'.') {
            self.skip()?;
            return self.alter_opclass(class);
        }
        let opername = self.operator_with_args()?;
        if self.at_kw(Kw::Set) && self.peek_is_char(b'(') {
            self.skip()?;
            let options = self.operator_definition()?;
            return Ok(Statement::AlterOperator(Box::new(AlterOperatorStmt { opername, options })));
        }
        let forms = Forms { rename: false, ..ALL_FORMS };
        self.shared_form(ObjectType::Operator, ObjectRef::WithArgs(opername), forms)
    }

    /// `(name = value, …)`, values mandatory.
    pub(crate) fn operator_definition(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let at = p.tok.start;
            let name = p.col_label()?;
            p.expect_char(b'=')?;
            let arg = if p.eat_kw(Kw::None)? { None } else { Some(p.def_arg()?) };
            Ok(DefElem::new(name, arg, at))
        })
    }

    fn alter_opclass(&mut self, class: bool) -> Result<Statement> {
        let name = self.any_name()?;
        self.expect_kw(Kw::Using)?;
        let amname = self.col_id()?;
        if !class && (self.at_kw(Kw::Add) || self.at_kw(Kw::Drop)) {
            let items = if self.eat_kw(Kw::Add)? {
                OpFamilyItems::Add(self.list(Self::opclass_item)?)
            } else {
                self.skip()?;
                OpFamilyItems::Drop(self.list(Self::opclass_drop_item)?)
            };
            let stmt = AlterOpFamilyStmt { opfamilyname: name, amname, items };
            return Ok(Statement::AlterOpFamily(Box::new(stmt)));
        }
        let mut full = vec![amname];
        full.extend(name);
        let kind = if class { ObjectType::OpClass } else { ObjectType::OpFamily };
        self.shared_form(kind, ObjectRef::Name(full), ALL_FORMS)
    }
}
