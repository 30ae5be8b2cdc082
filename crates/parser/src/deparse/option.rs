//! Options: values of definitions, lists of `name = value`, SET and RESET.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    /// The text, if the condition holds.
    pub(super) fn when(&mut self, yes: bool, text: &str) {
        if yes {
            self.push(text);
        }
    }

    /// A word and a name, if there is one.
    pub(super) fn named(&mut self, word: &str, name: Option<&String>) {
        if let Some(name) = name {
            self.push(word);
            self.ident(name);
        }
    }

    pub(super) fn def_arg(&mut self, arg: &DefArg) {
        match arg {
            DefArg::Integer(n) => self.push(&n.to_string()),
            DefArg::Float(text) => self.push(text),
            DefArg::String(s) => self.literal(s),
            DefArg::Boolean(b) => self.push(if *b { "true" } else { "false" }),
            DefArg::TypeName(t) => self.type_name(t),
            DefArg::Names(names) => self.operator_name(names),
            DefArg::Star => self.push("*"),
            DefArg::Expr(e) => self.expr(e),
            DefArg::Roles(roles) => self.roles(roles),
            DefArg::RangeVar(r) => self.relation(r),
            DefArg::List(items) => {
                self.push("(");
                self.list(items, Self::def_arg);
                self.push(")");
            }
            DefArg::VariableSet(v) => self.variable_set(v),
        }
    }

    /// A value that is a name, not an operator.
    pub(super) fn def_names(&mut self, arg: Option<&DefArg>) {
        if let Some(DefArg::Names(names)) = arg {
            self.names(names);
        }
    }

    /// A string that is a name.
    pub(super) fn def_ident(&mut self, arg: Option<&DefArg>) {
        if let Some(DefArg::String(name)) = arg {
            self.ident(name);
        }
    }

    pub(super) fn opt_def_arg(&mut self, word: &str, arg: Option<&DefArg>) {
        if let Some(arg) = arg {
            self.push(word);
            self.def_arg(arg);
        }
    }

    /// `([namespace.]name [= value], …)`
    pub(super) fn definition(&mut self, options: &[DefElem]) {
        self.push("(");
        self.list(options, |d, o| {
            if let Some(namespace) = &o.defnamespace {
                d.ident(namespace);
                d.push(".");
            }
            d.ident(&o.defname);
            d.opt_def_arg(" = ", o.arg.as_ref());
        });
        self.push(")");
    }

    /// The same behind a word, if there are any.
    pub(super) fn with_definition(&mut self, word: &str, options: &[DefElem]) {
        if !options.is_empty() {
            self.push(word);
            self.definition(options);
        }
    }

    /// `(name = value, …)` where no value is NONE.
    pub(super) fn operator_definition(&mut self, options: &[DefElem]) {
        self.push("(");
        self.list(options, |d, o| {
            d.ident(&o.defname);
            d.push(" = ");
            match &o.arg {
                Some(arg) => d.def_arg(arg),
                None => d.push("NONE"),
            }
        });
        self.push(")");
    }

    /// ` (name [value], …)` of EXPLAIN, VACUUM and COPY, if there are any.
    pub(super) fn utility_options(&mut self, options: &[DefElem]) {
        if options.is_empty() {
            return;
        }
        self.push(" (");
        self.list(options, |d, o| {
            d.ident(&o.defname);
            d.opt_def_arg(" ", o.arg.as_ref());
        });
        self.push(")");
    }

    /// ` OPTIONS ([ADD | SET | DROP] name ['value'], …)`, if there are any.
    pub(super) fn generic_options(&mut self, options: &[DefElem]) {
        if options.is_empty() {
            return;
        }
        self.push(" OPTIONS (");
        self.list(options, |d, o| {
            d.push(match o.defaction {
                DefElemAction::Unspec => "",
                DefElemAction::Set => "SET ",
                DefElemAction::Add => "ADD ",
                DefElemAction::Drop => "DROP ",
            });
            d.ident(&o.defname);
            d.opt_def_arg(" ", o.arg.as_ref());
        });
        self.push(")");
    }

    pub(super) fn sequence_option(&mut self, o: &DefElem) {
        let arg = o.arg.as_ref();
        match (o.defname.as_str(), arg) {
            ("cycle", Some(DefArg::Boolean(false))) => self.push("NO CYCLE"),
            ("cycle", _) => self.push("CYCLE"),
            ("maxvalue", None) => self.push("NO MAXVALUE"),
            ("minvalue", None) => self.push("NO MINVALUE"),
            ("increment", _) => self.opt_def_arg("INCREMENT BY ", arg),
            ("owned_by" | "sequence_name", _) => {
                self.push(if o.defname == "owned_by" { "OWNED BY " } else { "SEQUENCE NAME " });
                self.def_names(arg);
            }
            (name, _) => {
                self.push(&name.to_ascii_uppercase());
                self.opt_def_arg(" ", arg);
            }
        }
    }

    pub(super) fn sequence_options(&mut self, options: &[DefElem]) {
        for o in options {
            self.push(" ");
            self.sequence_option(o);
        }
    }

    /// SET or RESET. A dotted name is written as one quoted word, which means the same.
    pub(super) fn variable_set(&mut self, v: &VariableSetStmt) {
        use VariableSetKind as Kind;
        match v.kind {
            Kind::ResetAll => return self.push("RESET ALL"),
            Kind::Reset => {
                self.push("RESET ");
                return self.quoted(&v.name);
            }
            _ => self.push(if v.is_local { "SET LOCAL " } else { "SET " }),
        }
        match (v.kind, v.args.as_slice()) {
            (Kind::SetMulti, args) => {
                self.push(match v.name.as_str() {
                    "SESSION CHARACTERISTICS" => "SESSION CHARACTERISTICS AS TRANSACTION",
                    name => name,
                });
                self.push(" ");
                self.list(args, Self::set_arg);
            }
            (_, [SetArg::Interval(cast)]) => self.time_zone_interval(cast),
            (Kind::SetDefault, _) => {
                self.quoted(&v.name);
                self.push(" TO DEFAULT");
            }
            (Kind::SetCurrent, _) => {
                self.quoted(&v.name);
                self.push(" FROM CURRENT");
            }
            (_, args) => {
                self.quoted(&v.name);
                self.push(" TO ");
                self.list(args, Self::set_arg);
            }
        }
    }

    /// A name in quotes, whatever it is.
    pub(super) fn quoted(&mut self, name: &str) {
        self.push(&format!("\"{}\"", name.replace('"', "\"\"")));
    }

    fn set_arg(&mut self, arg: &SetArg) {
        match arg {
            // No parentheses around a negative number here.
            SetArg::Const(AConst { val: Value::Integer(n), .. }) => self.push(&n.to_string()),
            SetArg::Const(AConst { val: Value::Float(text), .. }) => self.push(text),
            SetArg::Const(c) => self.constant(&c.val),
            SetArg::Interval(cast) => self.time_zone_interval(cast),
            SetArg::Mode(mode) => self.transaction_mode(mode),
        }
    }

    /// `TIME ZONE INTERVAL '…' HOUR [TO MINUTE]`, or with a precision.
    fn time_zone_interval(&mut self, cast: &TypeCast) {
        self.push("TIME ZONE INTERVAL");
        let typmods = cast.type_name.typmods.as_slice();
        if let [_, precision] = typmods {
            self.push("(");
            self.expr(precision);
            self.push(")");
        }
        self.push(" ");
        self.expr(&cast.arg);
        if let [Expr::AConst(AConst { val: Value::Integer(mask), .. })] = typmods {
            self.push(if *mask & 1 << 11 == 0 { " HOUR" } else { " HOUR TO MINUTE" });
        }
    }

    pub(super) fn transaction_mode(&mut self, mode: &DefElem) {
        match (mode.defname.as_str(), &mode.arg) {
            ("transaction_isolation", Some(DefArg::String(level))) => {
                self.push("ISOLATION LEVEL ");
                self.push(&level.to_ascii_uppercase());
            }
            ("transaction_read_only", Some(DefArg::Boolean(only))) => {
                self.push(if *only { "READ ONLY" } else { "READ WRITE" });
            }
            (_, Some(DefArg::Boolean(false))) => self.push("NOT DEFERRABLE"),
            _ => self.push("DEFERRABLE"),
        }
    }

    pub(super) fn role(&mut self, role: &RoleSpec) {
        match &role.roletype {
            RoleSpecType::CString(name) => self.ident(name),
            RoleSpecType::CurrentRole => self.push("CURRENT_ROLE"),
            RoleSpecType::CurrentUser => self.push("CURRENT_USER"),
            RoleSpecType::SessionUser => self.push("SESSION_USER"),
            RoleSpecType::Public => self.push("PUBLIC"),
        }
    }

    pub(super) fn roles(&mut self, roles: &[RoleSpec]) {
        self.list(roles, Self::role);
    }

    pub(super) fn idents(&mut self, names: &[String]) {
        self.list(names, |d, n| d.ident(n));
    }

    /// ` (a, b)`, if there are any.
    pub(super) fn opt_columns(&mut self, names: &[String]) {
        if !names.is_empty() {
            self.push(" ");
            self.paren_names(names);
        }
    }

    pub(super) fn behavior(&mut self, behavior: DropBehavior) {
        self.when(behavior == DropBehavior::Cascade, " CASCADE");
    }

    pub(super) fn if_exists(&mut self, yes: bool) {
        self.when(yes, "IF EXISTS ");
    }

    pub(super) fn if_not_exists(&mut self, yes: bool) {
        self.when(yes, "IF NOT EXISTS ");
    }

    /// Relations with commas between them, without aliases.
    pub(super) fn relations(&mut self, list: &[RangeVar]) {
        self.list(list, Self::relation_name);
    }
}
