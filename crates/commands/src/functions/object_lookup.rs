//! `pg_get_object_address`: the object that a kind, a list of names and a list of arguments mean.

use super::rows::made;
use super::with_command;
use crate::ctx::CommandCtx;
use crate::object_address::resolve;
use crate::target;
use crate::user_type::without_position;
use analyze::typename::type_name_to_string;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, bail, err};
use parser::ast::{ObjectRef, ObjectType, ObjectWithArgs, TypeName};
use types::registry::RowSource;
use types::{CallCtx, Datum, DatumRef, FnImpl};

pub static TABLE: &[(u32, FnImpl)] = &[(3954, FnImpl::Srf(get_object_address))];

fn get_object_address(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let [kind, names, arguments] = args else { return made(Vec::new()) };
    let (DatumRef::Bytes(kind), DatumRef::Bytes(names), DatumRef::Bytes(arguments)) =
        (kind.as_ref(), names.as_ref(), arguments.as_ref())
    else {
        return made(Vec::new());
    };
    let kind = String::from_utf8_lossy(kind).into_owned();
    let n = KINDS.iter().find(|k| k.0 == kind);
    let Some((_, what)) = n else {
        if UNSUPPORTED.contains(&&*kind) {
            bail!(INVALID_PARAMETER_VALUE, "unsupported object type \"{kind}\"");
        }
        bail!(INVALID_PARAMETER_VALUE, "unrecognized object type \"{kind}\"");
    };
    let (names, arguments) = (texts(names)?, texts(arguments)?);
    with_command(c, |ctx| {
        let r = Request { ctx, what: *what, names: &names, args: &arguments };
        r.check_lengths()?;
        let a = r.find().map_err(without_position)?;
        made(vec![vec![Datum::oid(a.class), Datum::oid(a.object), Datum::I32(a.sub)]])
    })
}

/// Kinds that have names, but that cannot be asked for.
const UNSUPPORTED: [&str; 7] = [
    "toast table",
    "composite type",
    "index column",
    "sequence column",
    "toast table column",
    "view column",
    "materialized view column",
];

/// What a word means.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Relation(&'static [u8], &'static str),
    Column,
    Default,
    /// Constraints, rules, triggers, policies.
    OnTable(&'static str),
    DomainConstraint,
    Type,
    Cast,
    Routine(ObjectType),
    Operator,
    OpClass,
    OpFamily,
    AmOperator,
    AmFunction,
    LargeObject,
    Schema,
    Role,
    Database,
    Tablespace,
    DefaultAcl,
    UserMapping,
    ParameterAcl,
    Transform,
    PublicationPart,
    Subscription,
    /// What statements call by a name alone, with a schema or without one.
    Named(ObjectType, bool),
}

const KINDS: &[(&str, What)] = &[
    ("table", What::Relation(b"rp", "table")),
    ("index", What::Relation(b"iI", "index")),
    ("sequence", What::Relation(b"S", "sequence")),
    ("view", What::Relation(b"v", "view")),
    ("materialized view", What::Relation(b"m", "materialized view")),
    ("foreign table", What::Relation(b"f", "foreign table")),
    ("table column", What::Column),
    ("composite type column", What::Column),
    ("foreign table column", What::Column),
    ("aggregate", What::Routine(ObjectType::Aggregate)),
    ("function", What::Routine(ObjectType::Function)),
    ("procedure", What::Routine(ObjectType::Procedure)),
    ("type", What::Type),
    ("cast", What::Cast),
    ("collation", What::Named(ObjectType::Collation, true)),
    ("table constraint", What::OnTable("constraint")),
    ("domain constraint", What::DomainConstraint),
    ("conversion", What::Named(ObjectType::Conversion, true)),
    ("default value", What::Default),
    ("language", What::Named(ObjectType::Language, false)),
    ("large object", What::LargeObject),
    ("operator", What::Operator),
    ("operator class", What::OpClass),
    ("operator family", What::OpFamily),
    ("access method", What::Named(ObjectType::AccessMethod, false)),
    ("operator of access method", What::AmOperator),
    ("function of access method", What::AmFunction),
    ("rule", What::OnTable("rule")),
    ("trigger", What::OnTable("trigger")),
    ("schema", What::Schema),
    ("text search parser", What::Named(ObjectType::TSParser, true)),
    ("text search dictionary", What::Named(ObjectType::TSDictionary, true)),
    ("text search template", What::Named(ObjectType::TSTemplate, true)),
    ("text search configuration", What::Named(ObjectType::TSConfiguration, true)),
    ("role", What::Role),
    ("database", What::Database),
    ("tablespace", What::Tablespace),
    ("foreign-data wrapper", What::Named(ObjectType::Fdw, false)),
    ("server", What::Named(ObjectType::ForeignServer, false)),
    ("user mapping", What::UserMapping),
    ("default acl", What::DefaultAcl),
    ("extension", What::Named(ObjectType::Extension, false)),
    ("event trigger", What::Named(ObjectType::EventTrigger, false)),
    ("parameter ACL", What::ParameterAcl),
    ("policy", What::OnTable("policy")),
    ("publication", What::Named(ObjectType::Publication, false)),
    ("publication namespace", What::PublicationPart),
    ("publication relation", What::PublicationPart),
    ("subscription", What::Subscription),
    ("transform", What::Transform),
    ("statistics object", What::Named(ObjectType::Statistic, true)),
];

/// Elements of a one-dimensional array of text without NULLs.
fn texts(array: &[u8]) -> Result<Vec<String>> {
    let items = catalog::literal::array_items(array);
    let a = types::array::ArrayRef::new(array)?;
    if a.ndim() > 1 {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    if a.len() != items.len() {
        bail!(INVALID_PARAMETER_VALUE, "name or argument lists may not contain nulls");
    }
    Ok(items.iter().map(|d| String::from_utf8_lossy(d.as_ref().bytes()).into_owned()).collect())
}

struct Request<'a> {
    ctx: &'a CommandCtx<'a>,
    what: What,
    names: &'a [String],
    args: &'a [String],
}

impl Request<'_> {
    fn check_lengths(&self) -> Result<()> {
        let (names, args) = (self.names.len(), self.args.len());
        let exactly = |list: &str, n: usize| -> Result<()> {
            bail!(INVALID_PARAMETER_VALUE, "{list} list length must be exactly {n}")
        };
        let at_least = |n: usize| -> Result<()> {
            bail!(INVALID_PARAMETER_VALUE, "name list length must be at least {n}")
        };
        use What::*;
        match self.what {
            Type
            | Cast
            | DomainConstraint
            | LargeObject
            | Schema
            | Role
            | Database
            | Tablespace
            | UserMapping
            | ParameterAcl
            | Transform
            | Subscription
            | Named(_, false)
                if names != 1 =>
            {
                exactly("name", 1)?
            }
            OpClass | OpFamily if names < 2 => at_least(2)?,
            AmOperator | AmFunction if names < 3 => at_least(3)?,
            _ if names == 0 => at_least(1)?,
            _ => {}
        }
        match self.what {
            Cast | DomainConstraint | DefaultAcl | PublicationPart | UserMapping | Transform if args != 1 => {
                exactly("argument", 1)
            }
            AmOperator | AmFunction | Operator if args != 2 => exactly("argument", 2),
            _ => Ok(()),
        }
    }

    fn find(&self) -> Result<ObjectAddress> {
        let ctx = self.ctx;
        let name = self.names[0].as_str();
        match self.what {
            What::Relation(kinds, word) => self.relation(self.names, kinds, word),
            What::Column => self.column(),
            What::Default => self.default_value(),
            What::OnTable(word) => self.on_table(word),
            What::DomainConstraint => self.domain_constraint(),
            What::Type => Ok(ObjectAddress::new(pg_type::TABLE, self.type_of(name)?.1)),
            What::Cast => {
                let pair = (parse_type(name)?, parse_type(&self.args[0])?);
                Ok(resolve(ctx, ObjectType::Cast, &ObjectRef::Cast(Box::new(pair)))?.0)
            }
            What::Routine(t) => Ok(resolve(ctx, t, &self.with_args()?)?.0),
            What::Operator => Ok(resolve(ctx, ObjectType::Operator, &self.with_args()?)?.0),
            What::OpClass => self.method_object(true, self.names),
            What::OpFamily => self.method_object(false, self.names),
            What::AmOperator | What::AmFunction => self.family_member(),
            What::LargeObject => {
                Ok(resolve(ctx, ObjectType::LargeObject, &ObjectRef::LargeObject(name.into()))?.0)
            }
            What::Schema => Ok(ObjectAddress::new(pg_namespace::TABLE, ctx.catalog.require_namespace(name)?)),
            What::Role => Ok(ObjectAddress::new(pg_authid::TABLE, target::role_by_name(ctx, name)?)),
            What::Database => self.by_name(pg_database::TABLE, pg_database::DATNAME, "database"),
            What::Tablespace => self.by_name(pg_tablespace::TABLE, pg_tablespace::SPCNAME, "tablespace"),
            What::DefaultAcl => self.default_acl(),
            What::UserMapping => self.user_mapping(),
            What::ParameterAcl => {
                let lower = name.to_ascii_lowercase();
                let found = self
                    .scan(pg_parameter_acl::TABLE, |r| {
                        r.text(pg_parameter_acl::PARNAME).as_deref() == Some(&*lower)
                    })?
                    .map(|r| ObjectAddress::new(pg_parameter_acl::TABLE, r.oid(pg_parameter_acl::OID)));
                found.ok_or_else(|| err!(UNDEFINED_OBJECT, "parameter ACL \"{name}\" does not exist"))
            }
            What::Transform => self.transform(),
            // There are no publications.
            What::PublicationPart => {
                bail!(UNDEFINED_OBJECT, "publication \"{}\" does not exist", self.args[0])
            }
            What::Subscription => bail!(UNDEFINED_OBJECT, "subscription \"{name}\" does not exist"),
            What::Named(t, _) => Ok(resolve(ctx, t, &ObjectRef::Name(self.names.to_vec()))?.0),
        }
    }

    fn scan(&self, table: Oid, wanted: impl Fn(&CatRow) -> bool) -> Result<Option<CatRow>> {
        Ok(self.ctx.catalog.scan_all(table)?.into_iter().find(wanted))
    }

    fn by_name(&self, table: Oid, column: usize, word: &str) -> Result<ObjectAddress> {
        let name = &self.names[0];
        match self.scan(table, |r| r.str(column) == name)? {
            Some(r) => Ok(ObjectAddress::new(table, r.oid(0))),
            None => bail!(UNDEFINED_OBJECT, "{word} \"{name}\" does not exist"),
        }
    }

    fn relation(&self, names: &[String], kinds: &[u8], word: &str) -> Result<ObjectAddress> {
        let rv = target::range_var(names)?;
        let oid = target::find_relation(self.ctx, &rv)?.ok_or_else(|| target::undefined(self.ctx, &rv))?;
        let r = self.ctx.catalog.relation(oid)?;
        if !kinds.is_empty() && !kinds.contains(&r.kind) {
            let article = if word == "index" { "an" } else { "a" };
            bail!(WRONG_OBJECT_TYPE, "\"{}\" is not {article} {word}", r.name);
        }
        Ok(ObjectAddress::new(pg_class::TABLE, oid))
    }

    fn column(&self) -> Result<ObjectAddress> {
        let Some((name, rel)) = self.names.split_last().filter(|(_, r)| !r.is_empty()) else {
            bail!(SYNTAX_ERROR, "column name must be qualified");
        };
        let a = self.relation(rel, b"", "")?;
        match self.attnum(a.object, name)? {
            Some(n) => Ok(ObjectAddress::column(a.object, n)),
            None => {
                bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.join("."))
            }
        }
    }

    fn attnum(&self, rel: Oid, name: &str) -> Result<Option<i16>> {
        let r = self.ctx.catalog.relation(rel)?;
        let at = r.desc.attrs.iter().position(|a| !a.dropped && *a.name == *name);
        let system = catalog::bootstrap::SYSTEM_COLUMNS.iter().find(|c| c.0 == name).map(|c| c.1);
        Ok(at.map(|n| n as i16 + 1).or(system.filter(|_| matches!(r.kind, b'r' | b'm' | b't'))))
    }

    fn default_value(&self) -> Result<ObjectAddress> {
        use pg_attrdef::*;
        let a = self.column()?;
        let found = self.scan(TABLE, |r| r.oid(ADRELID) == a.object && i32::from(r.i16(ADNUM)) == a.sub)?;
        let Some((name, rel)) = self.names.split_last() else { return Ok(a) };
        match found {
            Some(r) => Ok(ObjectAddress::new(TABLE, r.oid(OID))),
            None => bail!(
                UNDEFINED_COLUMN,
                "default value for column \"{name}\" of relation \"{}\" does not exist",
                rel.join(".")
            ),
        }
    }

    fn on_table(&self, word: &str) -> Result<ObjectAddress> {
        let Some((name, rel)) = self.names.split_last().filter(|(_, r)| !r.is_empty()) else {
            bail!(SYNTAX_ERROR, "must specify relation and object name");
        };
        let of = self.relation(rel, b"", "")?.object;
        let (table, rel_column, name_column) = match word {
            "constraint" => (pg_constraint::TABLE, pg_constraint::CONRELID, pg_constraint::CONNAME),
            "rule" => (pg_rewrite::TABLE, pg_rewrite::EV_CLASS, pg_rewrite::RULENAME),
            "trigger" => (pg_trigger::TABLE, pg_trigger::TGRELID, pg_trigger::TGNAME),
            _ => (pg_policy::TABLE, pg_policy::POLRELID, pg_policy::POLNAME),
        };
        match self.scan(table, |r| r.oid(rel_column) == of && r.str(name_column) == name)? {
            Some(r) => Ok(ObjectAddress::new(table, r.oid(0))),
            None => {
                let r = self.ctx.catalog.relation(of)?;
                let what = if word == "rule" { "relation" } else { "table" };
                bail!(UNDEFINED_OBJECT, "{word} \"{name}\" for {what} \"{}\" does not exist", r.name)
            }
        }
    }

    /// A type by its text.
    fn type_of(&self, text: &str) -> Result<(TypeName, Oid)> {
        let tn = parse_type(text)?;
        let oid = crate::analysis::with_analyze(self.ctx, |a| analyze::resolve_type_name(a, &tn))?.0;
        Ok((tn, oid))
    }

    fn domain_constraint(&self) -> Result<ObjectAddress> {
        use pg_constraint::*;
        let (tn, oid) = self.type_of(&self.names[0])?;
        if self.ctx.catalog.type_desc(oid)?.typtype != b'd' {
            bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a domain", type_name_to_string(&tn));
        }
        let name = &self.args[0];
        match self.scan(TABLE, |r| r.oid(CONTYPID) == oid && r.str(CONNAME) == name)? {
            Some(r) => Ok(ObjectAddress::new(TABLE, r.oid(OID))),
            None => bail!(
                UNDEFINED_OBJECT,
                "constraint \"{name}\" for domain {} does not exist",
                crate::user_type::shown(self.ctx, oid)?
            ),
        }
    }

    fn with_args(&self) -> Result<ObjectRef> {
        let objargs = self.args.iter().map(|a| parse_type(a).map(Some)).collect::<Result<_>>()?;
        Ok(ObjectRef::WithArgs(ObjectWithArgs {
            objname: self.names.to_vec(),
            objargs,
            objfuncargs: Vec::new(),
            args_unspecified: false,
            agg_star: false,
        }))
    }

    /// An operator class or family: the access method, then the name.
    fn method_object(&self, class: bool, names: &[String]) -> Result<ObjectAddress> {
        let am = ObjectRef::Name(vec![names[0].clone()]);
        let am = resolve(self.ctx, ObjectType::AccessMethod, &am)?.0.object;
        let (table, method, name_column, ns_column, word) = if class {
            use pg_opclass::*;
            (TABLE, OPCMETHOD, OPCNAME, OPCNAMESPACE, "operator class")
        } else {
            use pg_opfamily::*;
            (TABLE, OPFMETHOD, OPFNAME, OPFNAMESPACE, "operator family")
        };
        let rest = &names[1..];
        let name = rest.last().map_or("", String::as_str);
        let schemas = match rest {
            [.., schema, _] => vec![self.ctx.catalog.require_namespace(schema)?],
            _ => self.ctx.host.search_path()?.schemas.clone(),
        };
        for ns in schemas {
            let found = self.scan(table, |r| {
                r.oid(method) == am && r.oid(ns_column) == ns && r.str(name_column) == name
            })?;
            if let Some(r) = found {
                return Ok(ObjectAddress::new(table, r.oid(0)));
            }
        }
        bail!(
            UNDEFINED_OBJECT,
            "{word} \"{}\" does not exist for access method \"{}\"",
            rest.join("."),
            names[0]
        )
    }

    /// An operator or support function of a family, by its number and types.
    fn family_member(&self) -> Result<ObjectAddress> {
        let Some((number, family)) = self.names.split_last() else { return Err(Error::internal("no names")) };
        let family_oid = self.method_object(false, family)?.object;
        let (lt, left) = self.type_of(&self.args[0])?;
        let (rt, right) = self.type_of(&self.args[1])?;
        // As C's atoi reads it.
        let digits: String = number.trim_start().chars().take_while(char::is_ascii_digit).collect();
        let n: i16 = digits.parse().unwrap_or(0);
        let operator = self.what == What::AmOperator;
        let (table, columns, word) = if operator {
            use pg_amop::*;
            (TABLE, [AMOPFAMILY, AMOPLEFTTYPE, AMOPRIGHTTYPE, AMOPSTRATEGY], "operator")
        } else {
            use pg_amproc::*;
            (TABLE, [AMPROCFAMILY, AMPROCLEFTTYPE, AMPROCRIGHTTYPE, AMPROCNUM], "function")
        };
        let [f, l, r, number_column] = columns;
        let wanted = |x: &CatRow| {
            x.oid(f) == family_oid && x.oid(l) == left && x.oid(r) == right && x.i16(number_column) == n
        };
        match self.scan(table, wanted)? {
            Some(row) => Ok(ObjectAddress::new(table, row.oid(0))),
            None => bail!(
                UNDEFINED_OBJECT,
                "{word} {n} ({}, {}) of {} does not exist",
                type_name_to_string(&lt),
                type_name_to_string(&rt),
                crate::drop::describe::describe(
                    self.ctx,
                    ObjectAddress::new(pg_opfamily::TABLE, family_oid)
                )?
            ),
        }
    }

    fn default_acl(&self) -> Result<ObjectAddress> {
        use pg_default_acl::*;
        let kind = self.args[0].bytes().next().unwrap_or(0);
        let what = match kind {
            b'r' => "tables",
            b'S' => "sequences",
            b'f' => "functions",
            b'T' => "types",
            b'n' => "schemas",
            _ => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "unrecognized default ACL object type \"{}\"",
                    kind as char
                )
                .hint("Valid object types are \"r\", \"S\", \"f\", \"T\", \"n\"."));
            }
        };
        let user = &self.names[0];
        let role = self.ctx.catalog.role_oid(user)?.unwrap_or_default();
        let schema = self.names.get(1);
        let ns = match schema {
            Some(s) => self.ctx.catalog.require_namespace(s)?,
            None => Oid::INVALID,
        };
        let wanted = |r: &CatRow| {
            r.oid(DEFACLROLE) == role && r.oid(DEFACLNAMESPACE) == ns && r.char(DEFACLOBJTYPE) == kind
        };
        match (self.scan(TABLE, wanted)?, schema) {
            (Some(r), _) => Ok(ObjectAddress::new(TABLE, r.oid(OID))),
            (None, Some(s)) => bail!(
                UNDEFINED_OBJECT,
                "default ACL for user \"{user}\" in schema \"{s}\" on {what} does not exist"
            ),
            (None, None) => {
                bail!(UNDEFINED_OBJECT, "default ACL for user \"{user}\" on {what} does not exist")
            }
        }
    }

    fn user_mapping(&self) -> Result<ObjectAddress> {
        use pg_user_mapping::*;
        let (user, server) = (&self.names[0], &self.args[0]);
        let role = if user == "public" { Oid::INVALID } else { target::role_by_name(self.ctx, user)? };
        let s = resolve(self.ctx, ObjectType::ForeignServer, &ObjectRef::Name(vec![server.clone()]))?.0;
        match self.scan(TABLE, |r| r.oid(UMUSER) == role && r.oid(UMSERVER) == s.object)? {
            Some(r) => Ok(ObjectAddress::new(TABLE, r.oid(OID))),
            None => bail!(
                UNDEFINED_OBJECT,
                "user mapping for user \"{user}\" on server \"{server}\" does not exist"
            ),
        }
    }

    fn transform(&self) -> Result<ObjectAddress> {
        use pg_transform::*;
        let (_, t) = self.type_of(&self.names[0])?;
        let language = &self.args[0];
        let lang = self.scan(pg_language::TABLE, |r| r.str(pg_language::LANNAME) == language)?;
        let lang = lang.map_or(Oid::INVALID, |r| r.oid(pg_language::OID));
        match self.scan(TABLE, |r| r.oid(TRFTYPE) == t && r.oid(TRFLANG) == lang)? {
            Some(r) => Ok(ObjectAddress::new(TABLE, r.oid(OID))),
            None => bail!(
                UNDEFINED_OBJECT,
                "transform for type {} language \"{language}\" does not exist",
                crate::user_type::shown(self.ctx, t)?
            ),
        }
    }
}

fn parse_type(text: &str) -> Result<TypeName> {
    parser::parse_type_name(text)
        .map_err(|e| without_position(e).context(format!("invalid type name \"{text}\"")))
}
