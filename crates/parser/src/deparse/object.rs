//! Objects of any kind by name, and the statements that take all kinds: DROP, COMMENT, SECURITY LABEL, ALTER … RENAME,
//! OWNER, SET SCHEMA, DEPENDS.

use super::Deparser;
use crate::ast::*;

/// The kind as SQL says it.
pub(super) fn kind_words(kind: ObjectType) -> &'static str {
    use ObjectType as K;
    match kind {
        K::AccessMethod => "ACCESS METHOD",
        K::Aggregate => "AGGREGATE",
        K::Attribute => "ATTRIBUTE",
        K::Cast => "CAST",
        K::Collation => "COLLATION",
        K::Column => "COLUMN",
        K::Conversion => "CONVERSION",
        K::Database => "DATABASE",
        K::Default => "DEFAULT",
        K::Domain => "DOMAIN",
        K::DomConstraint | K::TabConstraint => "CONSTRAINT",
        K::EventTrigger => "EVENT TRIGGER",
        K::Extension => "EXTENSION",
        K::Fdw => "FOREIGN DATA WRAPPER",
        K::ForeignServer => "SERVER",
        K::ForeignTable => "FOREIGN TABLE",
        K::Function => "FUNCTION",
        K::Index => "INDEX",
        K::Language => "LANGUAGE",
        K::LargeObject => "LARGE OBJECT",
        K::MatView => "MATERIALIZED VIEW",
        K::OpClass => "OPERATOR CLASS",
        K::Operator => "OPERATOR",
        K::OpFamily => "OPERATOR FAMILY",
        K::ParameterAcl => "PARAMETER",
        K::Policy => "POLICY",
        K::Procedure => "PROCEDURE",
        K::Publication => "PUBLICATION",
        K::Role => "ROLE",
        K::Routine => "ROUTINE",
        K::Rule => "RULE",
        K::Schema => "SCHEMA",
        K::Sequence => "SEQUENCE",
        K::Statistic => "STATISTICS",
        K::Subscription => "SUBSCRIPTION",
        K::Table => "TABLE",
        K::TableSpace => "TABLESPACE",
        K::Transform => "TRANSFORM",
        K::Trigger => "TRIGGER",
        K::TSConfiguration => "TEXT SEARCH CONFIGURATION",
        K::TSDictionary => "TEXT SEARCH DICTIONARY",
        K::TSParser => "TEXT SEARCH PARSER",
        K::TSTemplate => "TEXT SEARCH TEMPLATE",
        K::Type => "TYPE",
        K::UserMapping => "USER MAPPING",
        K::View => "VIEW",
    }
}

impl Deparser {
    pub(super) fn kind(&mut self, kind: ObjectType) {
        self.push(kind_words(kind));
        self.push(" ");
    }

    pub(super) fn object(&mut self, kind: ObjectType, object: &ObjectRef) {
        use ObjectType as K;
        match (kind, object) {
            (K::Trigger | K::Rule | K::Policy | K::TabConstraint, ObjectRef::Name(names)) => {
                if let [table @ .., name] = names.as_slice() {
                    self.ident(name);
                    self.push(" ON ");
                    self.names(table);
                }
            }
            (K::OpClass | K::OpFamily, ObjectRef::Name(names)) => {
                if let [method, name @ ..] = names.as_slice() {
                    self.names(name);
                    self.push(" USING ");
                    self.ident(method);
                }
            }
            (_, ObjectRef::Name(names)) => self.names(names),
            (_, ObjectRef::Type(t)) => self.type_name(t),
            (K::Operator, ObjectRef::WithArgs(o)) => self.operator_with_args(o),
            (K::Aggregate, ObjectRef::WithArgs(o)) => self.aggregate_with_args(o),
            (_, ObjectRef::WithArgs(o)) => self.function_with_args(o),
            (_, ObjectRef::Cast(types)) => {
                self.push("(");
                self.type_name(&types.0);
                self.push(" AS ");
                self.type_name(&types.1);
                self.push(")");
            }
            (_, ObjectRef::DomainConstraint(domain, name)) => {
                self.ident(name);
                self.push(" ON DOMAIN ");
                self.type_name(domain);
            }
            (_, ObjectRef::Transform(type_name, language)) => self.transform_for(type_name, language),
            (_, ObjectRef::LargeObject(oid)) => self.push(oid),
        }
    }

    pub(super) fn transform_for(&mut self, type_name: &TypeName, language: &str) {
        self.push("FOR ");
        self.type_name(type_name);
        self.push(" LANGUAGE ");
        self.ident(language);
    }

    pub(super) fn function_with_args(&mut self, o: &ObjectWithArgs) {
        self.names(&o.objname);
        if !o.args_unspecified {
            self.push("(");
            self.list(&o.objfuncargs, Self::parameter);
            self.push(")");
        }
    }

    fn aggregate_with_args(&mut self, o: &ObjectWithArgs) {
        if o.agg_star {
            self.names(&o.objname);
            self.push("(*)");
        } else {
            self.function_with_args(o);
        }
    }

    /// An operator's name as it is defined, `schema.+`.
    pub(super) fn operator_plain(&mut self, names: &[String]) {
        if let [schema @ .., symbol] = names {
            for name in schema {
                self.ident(name);
                self.push(".");
            }
            self.push(symbol);
        }
    }

    pub(super) fn operator_with_args(&mut self, o: &ObjectWithArgs) {
        self.operator_plain(&o.objname);
        if !o.args_unspecified {
            self.push(" (");
            self.opt_types(&o.objargs);
            self.push(")");
        }
    }

    /// Types, NONE where there is none.
    pub(super) fn opt_types(&mut self, types: &[Option<TypeName>]) {
        self.list(types, |d, t| match t {
            Some(t) => d.type_name(t),
            None => d.push("NONE"),
        });
    }

    pub(super) fn parameter(&mut self, p: &FunctionParameter) {
        use FunctionParameterMode as Mode;
        self.push(match p.mode {
            Mode::Default | Mode::Table => "",
            Mode::In => "IN ",
            Mode::Out => "OUT ",
            Mode::InOut => "INOUT ",
            Mode::Variadic => "VARIADIC ",
        });
        if let Some(name) = &p.name {
            self.ident(name);
            self.push(" ");
        }
        self.type_name(&p.arg_type);
        self.condition(" DEFAULT ", p.defexpr.as_ref());
    }

    pub(super) fn drop(&mut self, s: &DropStmt) {
        self.push("DROP ");
        self.kind(s.remove_type);
        self.when(s.concurrent, "CONCURRENTLY ");
        self.if_exists(s.missing_ok);
        self.list(&s.objects, |d, o| d.object(s.remove_type, o));
        self.behavior(s.behavior);
    }

    pub(super) fn comment(&mut self, s: &CommentStmt) {
        self.push("COMMENT ON ");
        self.kind(s.objtype);
        self.object(s.objtype, &s.object);
        self.push(" IS ");
        self.literal_or_null(s.comment.as_ref());
    }

    pub(super) fn security_label(&mut self, s: &SecLabelStmt) {
        self.push("SECURITY LABEL ");
        if let Some(provider) = &s.provider {
            self.push("FOR ");
            self.literal(provider);
            self.push(" ");
        }
        self.push("ON ");
        self.kind(s.objtype);
        self.object(s.objtype, &s.object);
        self.push(" IS ");
        self.literal_or_null(s.label.as_ref());
    }

    pub(super) fn literal_or_null(&mut self, s: Option<&String>) {
        match s {
            Some(s) => self.literal(s),
            None => self.push("NULL"),
        }
    }

    pub(super) fn rename(&mut self, s: &RenameStmt) {
        use ObjectType as K;
        self.push("ALTER ");
        let sub = s.subname.as_deref().unwrap_or("");
        match (&s.relation, &s.object) {
            (Some(relation), _) if matches!(s.rename_type, K::Policy | K::Rule | K::Trigger) => {
                self.kind(s.rename_type);
                self.if_exists(s.missing_ok);
                self.ident(sub);
                self.push(" ON ");
                self.relation_name(relation);
                self.push(" RENAME");
            }
            (Some(relation), _) => {
                self.kind(match s.rename_type {
                    K::TabConstraint => K::Table,
                    kind => s.relation_type.unwrap_or(kind),
                });
                self.if_exists(s.missing_ok);
                self.relation_name(relation);
                self.push(" RENAME");
                if matches!(s.rename_type, K::Column | K::Attribute | K::TabConstraint) {
                    self.push(" ");
                    self.kind(s.rename_type);
                    self.ident(sub);
                }
            }
            (None, Some(object)) if s.rename_type == K::DomConstraint => {
                self.kind(K::Domain);
                self.object(K::Domain, object);
                self.push(" RENAME CONSTRAINT ");
                self.ident(sub);
            }
            (None, Some(object)) => {
                self.kind(s.rename_type);
                self.object(s.rename_type, object);
                self.push(" RENAME");
            }
            (None, None) => {
                self.kind(s.rename_type);
                self.ident(sub);
                self.push(" RENAME");
            }
        }
        self.push(" TO ");
        self.ident(&s.newname);
        self.behavior(s.behavior);
    }

    /// ALTER kind, and which one; a relation, or something else, or something in a relation.
    fn alter_target(&mut self, kind: ObjectType, relation: Option<&RangeVar>, object: Option<&ObjectRef>) {
        match (relation, object) {
            (Some(relation), Some(ObjectRef::Name(name))) => {
                self.names(name);
                self.push(" ON ");
                self.relation_name(relation);
            }
            (Some(relation), _) => self.relation_name(relation),
            (None, Some(object)) => self.object(kind, object),
            (None, None) => {}
        }
    }

    pub(super) fn alter_owner(&mut self, s: &AlterOwnerStmt) {
        self.push("ALTER ");
        self.kind(s.object_type);
        self.object(s.object_type, &s.object);
        self.push(" OWNER TO ");
        self.role(&s.newowner);
    }

    pub(super) fn alter_object_schema(&mut self, s: &AlterObjectSchemaStmt) {
        self.push("ALTER ");
        self.kind(s.object_type);
        self.if_exists(s.missing_ok);
        self.alter_target(s.object_type, s.relation.as_ref(), s.object.as_ref());
        self.push(" SET SCHEMA ");
        self.ident(&s.newschema);
    }

    pub(super) fn alter_object_depends(&mut self, s: &AlterObjectDependsStmt) {
        self.push("ALTER ");
        self.kind(s.object_type);
        self.alter_target(s.object_type, s.relation.as_ref(), s.object.as_ref());
        self.push(if s.remove { " NO DEPENDS ON EXTENSION " } else { " DEPENDS ON EXTENSION " });
        self.ident(&s.extname);
    }
}
