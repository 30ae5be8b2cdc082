//! SQL/XML functions and XMLTABLE.

use super::Parser;
use super::expr::system_call;
use crate::ast::{
    CoercionForm, Expr, RangeTableFunc, RangeTableFuncCol, ResTarget, XmlExpr, XmlExprOp, XmlOption,
    XmlSerialize, XmlStandalone,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl XmlExpr {
    /// A node with arguments only.
    pub(crate) fn with_args(op: XmlExprOp, args: Vec<Expr>, location: usize) -> XmlExpr {
        XmlExpr {
            op,
            name: None,
            named_args: Vec::new(),
            args,
            xmloption: XmlOption::Document,
            preserve_whitespace: false,
            standalone: None,
            location,
        }
    }
}

impl Parser<'_> {
    /// Behind `NAME (` of an XML function, up to the closing parenthesis.
    pub(crate) fn xml_function(&mut self, kw: Kw, at: usize) -> Result<Expr> {
        let mut x = XmlExpr::with_args(XmlExprOp::Concat, Vec::new(), at);
        match kw {
            Kw::Xmlconcat => x.args = self.expr_list()?,
            Kw::Xmlelement => {
                x.op = XmlExprOp::Element;
                self.expect_kw(Kw::Name)?;
                x.name = Some(self.col_label()?);
                if self.at_char(b',') {
                    self.skip()?;
                    if self.at_kw(Kw::Xmlattributes) && self.peek_is_char(b'(') {
                        self.skip()?;
                        x.named_args = self.paren_list(Self::xml_attribute)?;
                        if self.eat_char(b',')? {
                            x.args = self.expr_list()?;
                        }
                    } else {
                        x.args = self.expr_list()?;
                    }
                }
            }
            Kw::Xmlexists => {
                let path = self.primary()?;
                let document = self.xml_passing()?;
                return Ok(system_call("xmlexists", vec![path, document], CoercionForm::SqlSyntax, at));
            }
            Kw::Xmlforest => {
                x.op = XmlExprOp::Forest;
                x.named_args = self.list(Self::xml_attribute)?;
            }
            Kw::Xmlparse => {
                x.op = XmlExprOp::Parse;
                x.xmloption = self.xml_option()?;
                x.args = vec![self.a_expr()?];
                if self.eat_kw(Kw::Preserve)? {
                    self.expect_kw(Kw::Whitespace)?;
                    x.preserve_whitespace = true;
                } else if self.eat_kw(Kw::Strip)? {
                    self.expect_kw(Kw::Whitespace)?;
                }
            }
            Kw::Xmlpi => {
                x.op = XmlExprOp::Pi;
                self.expect_kw(Kw::Name)?;
                x.name = Some(self.col_label()?);
                if self.eat_char(b',')? {
                    x.args = vec![self.a_expr()?];
                }
            }
            Kw::Xmlroot => {
                x.op = XmlExprOp::Root;
                x.args = vec![self.a_expr()?];
                self.expect_char(b',')?;
                self.xml_root_options(&mut x)?;
            }
            _ => {
                let xmloption = self.xml_option()?;
                let expr = self.a_expr()?;
                self.expect_kw(Kw::As)?;
                let type_name = self.simple_type()?;
                let node = XmlSerialize { xmloption, expr, type_name, location: at };
                return Ok(Expr::XmlSerialize(Box::new(node)));
            }
        }
        Ok(Expr::XmlExpr(Box::new(x)))
    }

    fn xml_attribute(&mut self) -> Result<ResTarget> {
        let location = self.tok.start;
        let val = Some(self.a_expr()?);
        let name = if self.eat_kw(Kw::As)? { Some(self.col_label()?) } else { None };
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn xml_option(&mut self) -> Result<XmlOption> {
        match self.eat_one_of(&[Kw::Document, Kw::Content])? {
            Some(Kw::Document) => Ok(XmlOption::Document),
            Some(_) => Ok(XmlOption::Content),
            None => Err(self.syntax_error()),
        }
    }

    /// VERSION value | VERSION NO VALUE [, STANDALONE …]; the version becomes the second argument.
    fn xml_root_options(&mut self, x: &mut XmlExpr) -> Result<()> {
        self.expect_kw(Kw::Version)?;
        if self.at_kw(Kw::No) && self.peek_is_kw(Kw::Value) {
            let at = self.skip()?;
            self.skip()?;
            x.args.push(Expr::AConst(crate::ast::AConst { val: crate::ast::Value::Null, location: at }));
        } else {
            x.args.push(self.a_expr()?);
        }
        x.standalone = Some(XmlStandalone::Omitted);
        if self.eat_char(b',')? {
            self.expect_kw(Kw::Standalone)?;
            x.standalone = Some(if self.eat_kw(Kw::Yes)? {
                XmlStandalone::Yes
            } else {
                self.expect_kw(Kw::No)?;
                if self.eat_kw(Kw::Value)? { XmlStandalone::NoValue } else { XmlStandalone::No }
            });
        }
        Ok(())
    }

    /// `PASSING [BY REF | VALUE] expr [BY REF | VALUE]`
    fn xml_passing(&mut self) -> Result<Expr> {
        self.expect_kw(Kw::Passing)?;
        self.xml_mechanism()?;
        let e = self.primary()?;
        if self.eat_kw(Kw::By)? && self.eat_one_of(&[Kw::Ref, Kw::Value])?.is_none() {
            return Err(self.syntax_error());
        }
        Ok(e)
    }

    /// Before the document, where BY might also be a column.
    fn xml_mechanism(&mut self) -> Result<()> {
        if self.at_kw(Kw::By) && matches!(self.peek(), T::Kw(Kw::Ref | Kw::Value)) {
            self.skip()?;
            self.skip()?;
        }
        Ok(())
    }

    /// `XMLTABLE ( … )`
    pub(crate) fn xml_table(&mut self, lateral: bool) -> Result<RangeTableFunc> {
        let location = self.skip()?;
        self.expect_char(b'(')?;
        let mut namespaces = Vec::new();
        if self.at_kw(Kw::Xmlnamespaces) && self.peek_is_char(b'(') {
            self.skip()?;
            namespaces = self.paren_list(Self::xml_namespace)?;
            self.expect_char(b',')?;
        }
        let rowexpr = self.primary()?;
        let docexpr = self.xml_passing()?;
        self.expect_kw(Kw::Columns)?;
        let columns = self.list(Self::xml_column)?;
        self.expect_char(b')')?;
        Ok(RangeTableFunc { lateral, docexpr, rowexpr, namespaces, columns, alias: None, location })
    }

    fn xml_namespace(&mut self) -> Result<ResTarget> {
        let location = self.tok.start;
        if self.eat_kw(Kw::Default)? {
            let val = Some(self.b_expr()?);
            return Ok(ResTarget { name: None, indirection: Vec::new(), val, location });
        }
        let val = Some(self.b_expr()?);
        self.expect_kw(Kw::As)?;
        let name = Some(self.col_label()?);
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn xml_column(&mut self) -> Result<RangeTableFuncCol> {
        let location = self.tok.start;
        let colname = self.col_id()?;
        let mut col = RangeTableFuncCol {
            colname,
            type_name: None,
            for_ordinality: false,
            is_not_null: false,
            colexpr: None,
            coldefexpr: None,
            location,
        };
        if self.at_kw(Kw::For) {
            self.skip()?;
            self.expect_kw(Kw::Ordinality)?;
            col.for_ordinality = true;
            return Ok(col);
        }
        col.type_name = Some(self.type_name()?);
        let mut nullability = false;
        loop {
            let at = self.tok.start;
            match self.kind() {
                T::Kw(Kw::Default) => {
                    self.skip()?;
                    let value = self.b_expr()?;
                    if col.coldefexpr.replace(value).is_some() {
                        return Err(err!(SYNTAX_ERROR, "only one DEFAULT value is allowed").at(at));
                    }
                }
                T::Kw(Kw::Not | Kw::Null) => {
                    let not = self.eat_kw(Kw::Not)?;
                    self.expect_kw(Kw::Null)?;
                    if nullability {
                        let column = &col.colname;
                        let message = "conflicting or redundant NULL / NOT NULL declarations for column";
                        return Err(err!(SYNTAX_ERROR, "{message} \"{column}\"").at(at));
                    }
                    nullability = true;
                    col.is_not_null = not;
                }
                T::Ident => {
                    let option = self.word()?;
                    let value = self.b_expr()?;
                    if option != "path" {
                        return Err(err!(SYNTAX_ERROR, "unrecognized column option \"{option}\"").at(at));
                    }
                    if col.colexpr.replace(value).is_some() {
                        return Err(err!(SYNTAX_ERROR, "only one PATH value per column is allowed").at(at));
                    }
                }
                _ => return Ok(col),
            }
        }
    }
}
