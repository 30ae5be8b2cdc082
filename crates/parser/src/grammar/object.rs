//! References to objects of every kind, as COMMENT, SECURITY LABEL, DROP, ALTER and ALTER EXTENSION name them.

use super::Parser;
use super::name::{is_col_id, is_type_function_name};
use crate::ast::{
    CommentStmt, FunctionParameter, FunctionParameterMode, ObjectRef, ObjectType, ObjectWithArgs,
    SecLabelStmt, Statement, TypeName,
};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    /// A kind of object whose name is qualified: TABLE, MATERIALIZED VIEW, TEXT SEARCH PARSER … Consumes the words.
    pub(crate) fn opt_qualified_kind(&mut self) -> Result<Option<ObjectType>> {
        let kind = match self.kw() {
            Some(Kw::Table) => ObjectType::Table,
            Some(Kw::Sequence) => ObjectType::Sequence,
            Some(Kw::View) => ObjectType::View,
            Some(Kw::Index) => ObjectType::Index,
            Some(Kw::Collation) => ObjectType::Collation,
            Some(Kw::Conversion) => ObjectType::Conversion,
            Some(Kw::Statistics) => ObjectType::Statistic,
            Some(Kw::Materialized) => {
                self.skip()?;
                self.expect_kw(Kw::View)?;
                return Ok(Some(ObjectType::MatView));
            }
            Some(Kw::Foreign) if !self.peek_is_kw(Kw::Data) => {
                self.skip()?;
                self.expect_kw(Kw::Table)?;
                return Ok(Some(ObjectType::ForeignTable));
            }
            Some(Kw::Text) => {
                self.skip()?;
                self.expect_kw(Kw::Search)?;
                return Ok(Some(self.text_search_kind()?));
            }
            _ => return Ok(None),
        };
        self.skip()?;
        Ok(Some(kind))
    }

    pub(crate) fn text_search_kind(&mut self) -> Result<ObjectType> {
        match self.eat_one_of(&[Kw::Parser, Kw::Dictionary, Kw::Template, Kw::Configuration])? {
            Some(Kw::Parser) => Ok(ObjectType::TSParser),
            Some(Kw::Dictionary) => Ok(ObjectType::TSDictionary),
            Some(Kw::Template) => Ok(ObjectType::TSTemplate),
            Some(_) => Ok(ObjectType::TSConfiguration),
            None => Err(self.syntax_error()),
        }
    }

    /// A kind of object with a simple name that DROP takes in lists.
    pub(crate) fn opt_simple_kind(&mut self) -> Result<Option<ObjectType>> {
        let (kind, rest): (_, &[Kw]) = match self.kw() {
            Some(Kw::Access) => (ObjectType::AccessMethod, &[Kw::Method]),
            Some(Kw::Event) => (ObjectType::EventTrigger, &[Kw::Trigger]),
            Some(Kw::Extension) => (ObjectType::Extension, &[]),
            Some(Kw::Foreign) => (ObjectType::Fdw, &[Kw::Data, Kw::Wrapper]),
            Some(Kw::Procedural) => (ObjectType::Language, &[Kw::Language]),
            Some(Kw::Language) => (ObjectType::Language, &[]),
            Some(Kw::Publication) => (ObjectType::Publication, &[]),
            Some(Kw::Schema) => (ObjectType::Schema, &[]),
            Some(Kw::Server) => (ObjectType::ForeignServer, &[]),
            _ => return Ok(None),
        };
        self.skip()?;
        self.expect_kws(rest)?;
        Ok(Some(kind))
    }

    /// Kinds with a simple name that DROP treats apart.
    fn opt_other_simple_kind(&mut self) -> Result<Option<ObjectType>> {
        let kind = match self.kw() {
            Some(Kw::Database) => ObjectType::Database,
            Some(Kw::Role) => ObjectType::Role,
            Some(Kw::Subscription) => ObjectType::Subscription,
            Some(Kw::Tablespace) => ObjectType::TableSpace,
            _ => return Ok(None),
        };
        self.skip()?;
        Ok(Some(kind))
    }

    /// Kind and name of any object. `on_table` allows what lives in a table or domain (constraints, policies …),
    /// `casts` also casts, operator classes and transforms.
    pub(crate) fn object(&mut self, on_table: bool, casts: bool) -> Result<(ObjectType, ObjectRef)> {
        if let Some(kind) = self.opt_qualified_kind()? {
            return Ok((kind, ObjectRef::Name(self.any_name()?)));
        }
        if let Some(kind) = self.opt_simple_kind()? {
            return Ok((kind, ObjectRef::Name(vec![self.col_id()?])));
        }
        if let Some(kind) = self.opt_other_simple_kind()? {
            return Ok((kind, ObjectRef::Name(vec![self.col_id()?])));
        }
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        match kw {
            Kw::Type | Kw::Domain => {
                self.skip()?;
                let kind = if kw == Kw::Type { ObjectType::Type } else { ObjectType::Domain };
                Ok((kind, ObjectRef::Type(self.type_name()?)))
            }
            Kw::Aggregate => {
                self.skip()?;
                Ok((ObjectType::Aggregate, ObjectRef::WithArgs(self.aggregate_with_args()?)))
            }
            Kw::Function | Kw::Procedure | Kw::Routine => {
                self.skip()?;
                Ok((routine_kind(kw), ObjectRef::WithArgs(self.function_with_args()?)))
            }
            Kw::Operator if casts => {
                self.skip()?;
                if matches!(self.kw(), Some(Kw::Class | Kw::Family)) && !self.peek_is_char(b'.') {
                    return self.operator_class_object();
                }
                Ok((ObjectType::Operator, ObjectRef::WithArgs(self.operator_with_args()?)))
            }
            Kw::Cast if casts => {
                self.skip()?;
                Ok((ObjectType::Cast, self.cast_object()?))
            }
            Kw::Transform if casts => {
                self.skip()?;
                Ok((ObjectType::Transform, self.transform_object()?))
            }
            Kw::Large if on_table => {
                self.skip()?;
                self.expect_kw(Kw::Object)?;
                Ok((ObjectType::LargeObject, ObjectRef::LargeObject(self.large_object_id()?)))
            }
            Kw::Column if on_table => {
                self.skip()?;
                Ok((ObjectType::Column, ObjectRef::Name(self.any_name()?)))
            }
            Kw::Constraint | Kw::Policy | Kw::Rule | Kw::Trigger if on_table && casts => {
                self.skip()?;
                self.object_on_table(kw)
            }
            _ => Err(self.syntax_error()),
        }
    }

    pub(crate) fn large_object_id(&mut self) -> Result<String> {
        Ok(match self.numeric_only()? {
            crate::ast::Value::Integer(n) => n.to_string(),
            crate::ast::Value::Float(text) => text,
            _ => String::new(),
        })
    }

    fn operator_class_object(&mut self) -> Result<(ObjectType, ObjectRef)> {
        let class = self.at_kw(Kw::Class);
        self.skip()?;
        let names = self.any_name()?;
        self.expect_kw(Kw::Using)?;
        let mut full = vec![self.col_id()?];
        full.extend(names);
        Ok((if class { ObjectType::OpClass } else { ObjectType::OpFamily }, ObjectRef::Name(full)))
    }

    /// `(type AS type)`
    pub(crate) fn cast_object(&mut self) -> Result<ObjectRef> {
        self.expect_char(b'(')?;
        let source = self.type_name()?;
        self.expect_kw(Kw::As)?;
        let target = self.type_name()?;
        self.expect_char(b')')?;
        Ok(ObjectRef::Cast(Box::new((source, target))))
    }

    /// `FOR type LANGUAGE name`
    pub(crate) fn transform_object(&mut self) -> Result<ObjectRef> {
        self.expect_kw(Kw::For)?;
        let type_name = self.type_name()?;
        self.expect_kw(Kw::Language)?;
        let language = self.col_id()?;
        Ok(ObjectRef::Transform(Box::new(type_name), language))
    }

    /// `name ON table`, for constraints also `name ON DOMAIN type`.
    fn object_on_table(&mut self, kw: Kw) -> Result<(ObjectType, ObjectRef)> {
        let name = self.col_id()?;
        self.expect_kw(Kw::On)?;
        if kw == Kw::Constraint && self.at_kw(Kw::Domain) && is_col_id(self.peek()) {
            self.skip()?;
            let location = self.tok.start;
            let names = self.any_name()?;
            let domain = TypeName { names, location, ..TypeName::default() };
            return Ok((ObjectType::DomConstraint, ObjectRef::DomainConstraint(Box::new(domain), name)));
        }
        let mut names = self.any_name()?;
        names.push(name);
        let kind = match kw {
            Kw::Constraint => ObjectType::TabConstraint,
            Kw::Policy => ObjectType::Policy,
            Kw::Rule => ObjectType::Rule,
            _ => ObjectType::Trigger,
        };
        Ok((kind, ObjectRef::Name(names)))
    }

    // ---- routines with arguments

    /// A function with its argument types, or its bare name.
    pub(crate) fn function_with_args(&mut self) -> Result<ObjectWithArgs> {
        let single_keyword = matches!(self.kw(), Some(kw) if kw.category() == Category::TypeFuncName);
        if !is_col_id(self.tok.kind) && !single_keyword {
            return Err(self.syntax_error());
        }
        let column_only = !is_type_function_name(self.tok.kind);
        let first = self.word()?;
        let steps = if single_keyword { Vec::new() } else { self.indirection()? };
        let callable = !column_only || !steps.is_empty();
        let objname = self.names_of(first, steps)?;
        if !self.at_char(b'(') || !callable {
            return Ok(ObjectWithArgs {
                objname,
                objargs: Vec::new(),
                objfuncargs: Vec::new(),
                args_unspecified: true,
                agg_star: false,
            });
        }
        let parameters = self.function_parameters(Self::function_parameter)?;
        Ok(object_with_parameters(objname, parameters))
    }

    /// `( parameter, … )`, possibly empty.
    pub(crate) fn function_parameters(
        &mut self,
        item: impl FnMut(&mut Self) -> Result<FunctionParameter>,
    ) -> Result<Vec<FunctionParameter>> {
        self.expect_char(b'(')?;
        let list = if self.at_char(b')') { Vec::new() } else { self.list(item)? };
        self.expect_char(b')')?;
        Ok(list)
    }

    /// `[mode] [name] type`, mode and name in either order.
    pub(crate) fn function_parameter(&mut self) -> Result<FunctionParameter> {
        let mut mode = self.opt_parameter_mode()?;
        let mut name = None;
        if self.at_parameter_name() {
            name = Some(self.word()?);
            if mode == FunctionParameterMode::Default {
                mode = self.opt_parameter_mode()?;
            }
        }
        let arg_type = self.func_type()?;
        Ok(FunctionParameter { name, arg_type, mode, defexpr: None })
    }

    fn opt_parameter_mode(&mut self) -> Result<FunctionParameterMode> {
        Ok(match self.eat_one_of(&[Kw::In, Kw::Out, Kw::Inout, Kw::Variadic])? {
            Some(Kw::In) if self.eat_kw(Kw::Out)? => FunctionParameterMode::InOut,
            Some(Kw::In) => FunctionParameterMode::In,
            Some(Kw::Out) => FunctionParameterMode::Out,
            Some(Kw::Inout) => FunctionParameterMode::InOut,
            Some(_) => FunctionParameterMode::Variadic,
            None => FunctionParameterMode::Default,
        })
    }

    /// Whether the present word is a parameter's name: then a mode or a type follows it.
    fn at_parameter_name(&mut self) -> bool {
        if !is_type_function_name(self.tok.kind) {
            return false;
        }
        let next = self.peek();
        if self.at_kw(Kw::Double) && next == T::Kw(Kw::Precision) {
            return false;
        }
        starts_type(next) || matches!(next, T::Kw(Kw::In | Kw::Out | Kw::Inout | Kw::Variadic))
    }

    /// An aggregate with its argument types.
    pub(crate) fn aggregate_with_args(&mut self) -> Result<ObjectWithArgs> {
        let objname = self.func_name()?;
        let (parameters, _, agg_star) = self.aggregate_parameters()?;
        Ok(ObjectWithArgs { agg_star, ..object_with_parameters(objname, parameters) })
    }

    /// `(*)`, `(params)`, `([params] ORDER BY params)`; with the number of direct arguments.
    pub(crate) fn aggregate_parameters(&mut self) -> Result<(Vec<FunctionParameter>, Option<usize>, bool)> {
        self.expect_char(b'(')?;
        if self.eat_char(b'*')? {
            self.expect_char(b')')?;
            return Ok((Vec::new(), None, true));
        }
        let mut direct =
            if self.at_kw(Kw::Order) { Vec::new() } else { self.list(Self::aggregate_parameter)? };
        let mut num_direct = None;
        if self.eat_kw(Kw::Order)? {
            self.expect_kw(Kw::By)?;
            num_direct = Some(direct.len());
            let ordered = self.list(Self::aggregate_parameter)?;
            if !self.at_char(b')') {
                return Err(self.syntax_error());
            }
            self.check_ordered_set(&direct, &ordered)?;
            let variadic = direct.last().is_some_and(|p| p.mode == FunctionParameterMode::Variadic);
            if !variadic {
                direct.extend(ordered);
            }
        }
        self.expect_char(b')')?;
        Ok((direct, num_direct, false))
    }

    fn aggregate_parameter(&mut self) -> Result<FunctionParameter> {
        let at = self.tok.start;
        let parameter = self.function_parameter()?;
        if matches!(parameter.mode, FunctionParameterMode::Out | FunctionParameterMode::InOut) {
            return Err(err!(FEATURE_NOT_SUPPORTED, "aggregates cannot have output arguments").at(at));
        }
        Ok(parameter)
    }

    /// A variadic direct argument of an ordered-set aggregate must be matched by the same ordered one.
    fn check_ordered_set(&self, direct: &[FunctionParameter], ordered: &[FunctionParameter]) -> Result<()> {
        let Some(last) = direct.last().filter(|p| p.mode == FunctionParameterMode::Variadic) else {
            return Ok(());
        };
        let same = |p: &FunctionParameter| p.mode == last.mode && p.arg_type.names == last.arg_type.names;
        if ordered.len() == 1 && same(&ordered[0]) {
            return Ok(());
        }
        let message = "an ordered-set aggregate with a VARIADIC direct argument must have one VARIADIC aggregated \
                       argument of the same data type";
        Err(err!(FEATURE_NOT_SUPPORTED, "{message}")
            .at(ordered.first().map_or(last.arg_type.location, |p| p.arg_type.location)))
    }

    /// An operator with its operand types.
    pub(crate) fn operator_with_args(&mut self) -> Result<ObjectWithArgs> {
        let objname = self.any_operator()?;
        let objargs = self.operator_args()?;
        Ok(ObjectWithArgs {
            objname,
            objargs,
            objfuncargs: Vec::new(),
            args_unspecified: false,
            agg_star: false,
        })
    }

    /// `(type | NONE, type)`
    pub(crate) fn operator_args(&mut self) -> Result<Vec<Option<TypeName>>> {
        self.expect_char(b'(')?;
        let left = if self.eat_kw(Kw::None)? { None } else { Some(self.type_name()?) };
        if self.at_char(b')') && left.is_some() {
            return Err(err!(SYNTAX_ERROR, "missing argument")
                .hint("Use NONE to denote the missing argument of a unary operator.")
                .at(self.tok.start));
        }
        self.expect_char(b',')?;
        let right = if left.is_some() && self.eat_kw(Kw::None)? { None } else { Some(self.type_name()?) };
        self.expect_char(b')')?;
        Ok(vec![left, right])
    }

    // ---- COMMENT and SECURITY LABEL

    pub(crate) fn comment_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kw(Kw::On)?;
        let (objtype, object) = self.object(true, true)?;
        self.expect_kw(Kw::Is)?;
        let comment = self.sconst_or_null()?;
        Ok(Statement::Comment(Box::new(CommentStmt { objtype, object, comment })))
    }

    pub(crate) fn security_label_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kw(Kw::Label)?;
        let provider = if self.eat_kw(Kw::For)? { Some(self.non_reserved_word_or_sconst()?) } else { None };
        self.expect_kw(Kw::On)?;
        let (objtype, object) = self.object(true, false)?;
        self.expect_kw(Kw::Is)?;
        let label = self.sconst_or_null()?;
        Ok(Statement::SecLabel(Box::new(SecLabelStmt { objtype, object, provider, label })))
    }

    pub(crate) fn sconst_or_null(&mut self) -> Result<Option<String>> {
        if self.eat_kw(Kw::Null)? { Ok(None) } else { Ok(Some(self.sconst()?)) }
    }
}

/// Whether a token can begin a type's name.
pub(crate) fn starts_type(kind: T) -> bool {
    is_type_function_name(kind)
        || matches!(
            kind,
            T::Kw(
                Kw::Int
                    | Kw::Integer
                    | Kw::Smallint
                    | Kw::Bigint
                    | Kw::Real
                    | Kw::Float
                    | Kw::Decimal
                    | Kw::Dec
                    | Kw::Numeric
                    | Kw::Boolean
                    | Kw::Bit
                    | Kw::Character
                    | Kw::Char
                    | Kw::Varchar
                    | Kw::National
                    | Kw::Nchar
                    | Kw::Timestamp
                    | Kw::Time
                    | Kw::Interval
                    | Kw::Setof
            )
        )
}

pub(crate) fn routine_kind(kw: Kw) -> ObjectType {
    match kw {
        Kw::Function => ObjectType::Function,
        Kw::Procedure => ObjectType::Procedure,
        _ => ObjectType::Routine,
    }
}

/// Only what the caller of a function passes counts among the argument types.
pub(crate) fn object_with_parameters(
    objname: Vec<String>,
    parameters: Vec<FunctionParameter>,
) -> ObjectWithArgs {
    let input =
        |p: &&FunctionParameter| !matches!(p.mode, FunctionParameterMode::Out | FunctionParameterMode::Table);
    ObjectWithArgs {
        objname,
        objargs: parameters.iter().filter(input).map(|p| Some(p.arg_type.clone())).collect(),
        objfuncargs: parameters,
        args_unspecified: false,
        agg_star: false,
    }
}
