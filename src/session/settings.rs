//! Settings of a session: what is checked before a value is taken, and what a new value changes.

use super::Session;
use common::settings::{Scope, Settings, Source};
use common::{Error, Result, Severity, SqlState, bail, err};
use planner::PlannerSettings;
use planner::settings::{ConstraintExclusion, ForceParallel};
use std::rc::Rc;
use types::FormatSettings;
use types::registry::{DateOrder, DateStyle, IntervalStyle};

/// Settings whose changes are reported to the client, with their spelling on the wire.
const REPORTED: [&str; 14] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
    "",
];

/// Takes the settings of a startup packet: command-line options first, then named parameters.
pub fn startup_settings(
    settings: &mut Settings,
    packet: &protocol::StartupPacket,
    superuser: bool,
) -> Result<()> {
    let mut all: Vec<(String, String)> = Vec::new();
    if let Some(options) = &packet.options {
        all.extend(parse_options(options)?);
    }
    all.extend(packet.settings.iter().cloned());
    for (name, value) in all {
        let (name, value) = check(settings, &name, &value)?;
        if let Some(i) = settings.defs().find(&name) {
            use common::settings::Context as C;
            let refused = match settings.defs().get(i).context {
                C::Internal => Some("changed"),
                C::Postmaster => Some("changed without restarting the server"),
                C::Sighup => Some("changed now"),
                C::Superuser | C::SuperuserBackend if !superuser => {
                    bail!(INSUFFICIENT_PRIVILEGE, "permission denied to set parameter \"{name}\"")
                }
                _ => None,
            };
            if let Some(how) = refused {
                return Err(Error::new(
                    SqlState::CANT_CHANGE_RUNTIME_PARAM,
                    format!("parameter \"{name}\" cannot be {how}"),
                ));
            }
        }
        settings.set_initial(&name, &value, Source::Client)?;
    }
    Ok(())
}

/// Applies what ALTER ROLE … SET and ALTER DATABASE … SET have stored, the more specific over the more general. A value
/// that no longer fits is passed over with a line in the log.
pub fn stored_settings(settings: &mut Settings, catalog: &catalog::Catalog, role: common::Oid) -> Result<()> {
    use catalog::columns::pg_db_role_setting as t;
    let db = catalog.database();
    let none = common::Oid::INVALID;
    let levels = [
        (none, none, Source::Global),
        (db, none, Source::Database),
        (none, role, Source::User),
        (db, role, Source::DatabaseUser),
    ];
    for (d, r, source) in levels {
        let keys = [types::Datum::oid(d), types::Datum::oid(r)];
        for row in catalog.scan(t::TABLE, t::DATABASEID_ROL_INDEX, &keys)? {
            for item in catalog::literal::text_items(row.bytes(t::SETCONFIG)) {
                let Some((n, v)) = item.split_once('=') else { continue };
                let set = check(settings, n, v).and_then(|(n, v)| settings.set_initial(&n, &v, source));
                if let Err(e) = set {
                    crate::log::report(e.report(), None);
                }
            }
        }
    }
    Ok(())
}

/// The `options` string: `-c name=value` and `--name=value`, words separated by blanks, backslash escapes.
fn parse_options(options: &str) -> Result<Vec<(String, String)>> {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut any) = (String::new(), false);
    let mut chars = options.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                any = true;
                word.extend(chars.next());
            }
            c if c.is_whitespace() => {
                if std::mem::take(&mut any) {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => {
                any = true;
                word.push(c);
            }
        }
    }
    if any {
        words.push(word);
    }
    let mut out = Vec::new();
    let mut it = words.into_iter();
    while let Some(w) = it.next() {
        let assignment = if w == "-c" {
            it.next().unwrap_or_default()
        } else if let Some(rest) = w.strip_prefix("--").or_else(|| w.strip_prefix("-c")) {
            rest.to_string()
        } else {
            return Err(err!(SYNTAX_ERROR, "invalid command-line argument for server process: {w}").fatal());
        };
        match assignment.split_once('=') {
            Some((n, v)) => out.push((n.replace('-', "_"), v.to_string())),
            None => return Err(err!(SYNTAX_ERROR, "-c {assignment} requires a value").fatal()),
        }
    }
    Ok(out)
}

/// Splits a list of names (`search_path`): quoted names keep their case.
pub fn split_names(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.peek().is_some_and(|c| c.is_whitespace() || *c == ',') {
            chars.next();
        }
        let Some(&first) = chars.peek() else { return out };
        let mut name = String::new();
        if first == '"' {
            chars.next();
            while let Some(c) = chars.next() {
                if c == '"' && chars.peek() != Some(&'"') {
                    break;
                }
                if c == '"' {
                    chars.next();
                }
                name.push(c);
            }
        } else {
            while chars.peek().is_some_and(|c| !c.is_whitespace() && *c != ',') {
                name.extend(chars.next().map(|c| c.to_ascii_lowercase()));
            }
        }
        out.push(name);
    }
}

/// Checks values whose form the definition cannot express, and returns name and canonical value.
pub fn check(settings: &Settings, name: &str, value: &str) -> Result<(String, String)> {
    let lower = name.to_ascii_lowercase();
    let invalid = |v: &str, shown: &str| {
        err!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{shown}\": \"{v}\"")
    };
    super::setting_check::check(&lower, value)?;
    super::setting_check::check_together(settings, &lower, value)?;
    let value = match lower.as_str() {
        "datestyle" => {
            let (s, o) = parse_date_style(value, settings.text("DateStyle"))?;
            show_date_style(s, o)
        }
        "timezone" | "log_timezone" => match find_zone(value) {
            Some((_, name)) => name,
            None => {
                return Err(invalid(value, if lower == "timezone" { "TimeZone" } else { "log_timezone" }));
            }
        },
        "client_encoding" => match common::Encoding::by_name(value) {
            Some(e) if e.is_convertible() => e.name().to_string(),
            Some(e) => {
                let mut error = invalid(value, "client_encoding");
                error.report_mut().sqlstate = common::SqlState::FEATURE_NOT_SUPPORTED;
                return Err(
                    error.detail(format!("Conversion between {} and UTF8 is not supported.", e.name()))
                );
            }
            None => return Err(invalid(value, "client_encoding")),
        },
        "application_name" => value.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect(),
        _ => value.to_string(),
    };
    Ok((name.to_string(), value))
}

fn parse_date_style(text: &str, old: &str) -> Result<(DateStyle, DateOrder)> {
    let mut style = None;
    let mut order = None;
    for word in text.split(',') {
        let w = word.trim().to_ascii_lowercase();
        match w.as_str() {
            "" => {}
            "iso" => style = Some(DateStyle::Iso),
            "sql" => style = Some(DateStyle::Sql),
            "german" => {
                style = Some(DateStyle::German);
                order = order.or(Some(DateOrder::Dmy));
            }
            w if w.starts_with("postgres") => style = Some(DateStyle::Postgres),
            "ymd" => order = Some(DateOrder::Ymd),
            "dmy" | "european" | "euro" | "noneuro" if w != "noneuro" => order = Some(DateOrder::Dmy),
            "mdy" | "us" | "noneuro" | "noneuropean" => order = Some(DateOrder::Mdy),
            "default" => {
                style = Some(DateStyle::Iso);
                order = Some(DateOrder::Mdy);
            }
            _ => {
                return Err(err!(
                    INVALID_PARAMETER_VALUE,
                    "invalid value for parameter \"DateStyle\": \"{text}\""
                )
                .detail(format!("Unrecognized key word: \"{}\".", word.trim())));
            }
        }
    }
    let (s, o) = date_style(old);
    Ok((style.unwrap_or(s), order.unwrap_or(o)))
}

fn show_date_style(s: DateStyle, o: DateOrder) -> String {
    let s = match s {
        DateStyle::Iso => "ISO",
        DateStyle::Sql => "SQL",
        DateStyle::Postgres => "Postgres",
        DateStyle::German => "German",
    };
    let o = match o {
        DateOrder::Mdy => "MDY",
        DateOrder::Dmy => "DMY",
        DateOrder::Ymd => "YMD",
    };
    format!("{s}, {o}")
}

/// Reads the canonical form.
fn date_style(text: &str) -> (DateStyle, DateOrder) {
    let s = match text.split(',').next().unwrap_or("") {
        "SQL" => DateStyle::Sql,
        "Postgres" => DateStyle::Postgres,
        "German" => DateStyle::German,
        _ => DateStyle::Iso,
    };
    let o = match text.rsplit(", ").next().unwrap_or("") {
        "DMY" => DateOrder::Dmy,
        "YMD" => DateOrder::Ymd,
        _ => DateOrder::Mdy,
    };
    (s, o)
}

const UTC_NAMES: [&str; 8] = ["UTC", "GMT", "Etc/UTC", "Etc/GMT", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu"];

/// A zone at a fixed distance from Greenwich, with the name PostgreSQL gives it.
fn fixed_zone(seconds: i32) -> Option<(jiff::tz::TimeZone, String)> {
    let offset = jiff::tz::Offset::from_seconds(seconds).ok()?;
    let (h, m, s) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    let sign = |neg: bool| if neg { '-' } else { '+' };
    let digits = match (m, s) {
        (0, 0) => format!("{h:02}"),
        (m, 0) => format!("{h:02}:{m:02}"),
        (m, s) => format!("{h:02}:{m:02}:{s:02}"),
    };
    let name = format!("<{}{digits}>{}{digits}", sign(seconds < 0), sign(seconds > 0));
    Some((jiff::tz::TimeZone::fixed(offset), name))
}

/// Seconds of a name that [`fixed_zone`] has given.
fn fixed_seconds(name: &str) -> Option<i32> {
    let (shown, posix) = name.strip_prefix('<')?.split_once('>')?;
    let digits = shown.strip_prefix(['+', '-'])?;
    if posix.strip_prefix(['+', '-'])? != digits {
        return None;
    }
    let mut total = 0i32;
    let mut unit = 3600;
    for p in digits.split(':') {
        total = total.checked_add(p.parse::<i32>().ok()?.checked_mul(unit)?)?;
        unit /= 60;
    }
    // POSIX counts west of Greenwich.
    Some(if posix.starts_with('+') { -total } else { total })
}

/// Seconds of `INTERVAL 'h:m:s'`, as [`Session::interval_zone`] writes it.
fn interval_seconds(text: &str) -> Option<i32> {
    let t = text.strip_prefix("INTERVAL '")?.strip_suffix('\'')?;
    let (negative, t) = t.strip_prefix('-').map_or((false, t), |t| (true, t));
    let mut total = 0i32;
    let mut parts = 0;
    for p in t.split(':') {
        total = total.checked_mul(60)?.checked_add(p.parse().ok()?)?;
        parts += 1;
    }
    (parts == 3).then_some(if negative { -total } else { total })
}

/// A zone by IANA name, by numeric hours, by an interval, or as a POSIX string; with its canonical name.
pub fn find_zone(text: &str) -> Option<(jiff::tz::TimeZone, String)> {
    if let Some(seconds) = interval_seconds(text).or_else(|| fixed_seconds(text)) {
        return fixed_zone(seconds);
    }
    let t = text.trim().trim_matches('\'');
    // The zones without offset need no look into the zone database, whose first use reads directories.
    if let Some(name) = UTC_NAMES.iter().find(|n| n.eq_ignore_ascii_case(t)) {
        return Some((jiff::tz::TimeZone::UTC, (*name).to_string()));
    }
    if let Ok(hours) = t.parse::<f64>() {
        return fixed_zone((hours * 3600.0) as i32);
    }
    if let Ok(z) = jiff::tz::TimeZone::get(t) {
        let name = z.iana_name().map_or_else(|| t.to_string(), str::to_string);
        return Some((z, name));
    }
    jiff::tz::TimeZone::posix(t).ok().map(|z| (z, t.to_string()))
}

impl Session {
    /// The value of SET TIME ZONE INTERVAL, as text that [`find_zone`] reads.
    pub(super) fn interval_zone(&self, c: &parser::ast::TypeCast) -> Result<String> {
        let raw = parser::Expr::TypeCast(Box::new(c.clone()));
        let source = self.source.borrow().clone();
        let e = self.with_analyze_ctx(&source, |a| {
            analyze::transform_expr_for(a, &raw, analyze::ExprContext::Other, None, None)
        })?;
        let types::Datum::Fixed16(b) = executor::eval_constant(self.env(), &e)? else {
            return Err(Error::internal("interval of a time zone is NULL"));
        };
        let i = types::datetime::Interval::unpack(b);
        let refuse = |what: &str, shown: String| {
            Err(err!(
                INVALID_PARAMETER_VALUE,
                "invalid value for parameter \"TimeZone\": \"INTERVAL '{shown}'\""
            )
            .detail(format!("Cannot specify {what} in time zone interval.")))
        };
        if i.months != 0 {
            return refuse("months", format!("{} mon{}", i.months, if i.months == 1 { "" } else { "s" }));
        }
        if i.days != 0 {
            return refuse("days", format!("{} day{}", i.days, if i.days == 1 { "" } else { "s" }));
        }
        let seconds = i.us / 1_000_000;
        let (sign, s) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
        Ok(format!("INTERVAL '{sign}{}:{:02}:{:02}'", s / 3600, s / 60 % 60, s % 60))
    }

    /// SET, SET LOCAL, RESET of one setting (`None` = default), with its checks and effects.
    pub(super) fn set_setting(&self, name: &str, value: Option<&str>, scope: Scope) -> Result<()> {
        let level = self.setting_level();
        if self.set_transaction_setting(name, value)? {
            return Ok(());
        }
        let lower = name.to_ascii_lowercase();
        if lower == "role" || lower == "session_authorization" {
            if self.security_definer.get() {
                bail!(
                    INSUFFICIENT_PRIVILEGE,
                    "cannot set parameter \"{lower}\" within security-definer function"
                );
            }
            self.check_role_setting(&lower, value)?;
        }
        let checked;
        let value = match value {
            Some(v) => {
                checked = check(&self.settings.borrow(), name, v)?.1;
                Some(checked.as_str())
            }
            None => None,
        };
        self.settings.borrow_mut().set(name, value, scope, level, self.superuser.get())?;
        if lower == "session_authorization" {
            // Another session user begins without a role of SET ROLE.
            self.settings.borrow_mut().set("role", Some("none"), scope, level, self.superuser.get())?;
        }
        self.apply_settings();
        Ok(())
    }

    /// `transaction_isolation` and its kin live in the engine.
    fn set_transaction_setting(&self, name: &str, value: Option<&str>) -> Result<bool> {
        let on = |v: &str| matches!(v.to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1" | "t" | "y");
        match (name.to_ascii_lowercase().as_str(), value) {
            ("transaction_isolation", Some(v)) => {
                self.settings.borrow().check("transaction_isolation", v)?;
                self.engine.set_isolation(super::transaction::isolation(v)?)?;
            }
            ("transaction_read_only", Some(v)) => self.engine.set_read_only(on(v))?,
            ("transaction_deferrable", Some(v)) => self.engine.set_deferrable(on(v))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check_role_setting(&self, name: &str, value: Option<&str>) -> Result<()> {
        let Some(v) = value else { return Ok(()) };
        if name == "role" && v.eq_ignore_ascii_case("none") {
            return Ok(());
        }
        let Some(row) = self.catalog.role_row(v)? else {
            bail!(INVALID_PARAMETER_VALUE, "role \"{v}\" does not exist");
        };
        let oid = row.oid(catalog::columns::pg_authid::OID);
        // A role is judged by who the session is at present, another session user by who has logged in.
        let session = self.session_role.get();
        let allowed = if name == "role" {
            oid == session || commands::roles::is_member(&self.catalog, session, oid)?
        } else {
            self.identity.authenticated_is_superuser || oid == self.identity.authenticated
        };
        if !allowed {
            let what = if name == "role" { "set role" } else { "set session authorization" };
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to {what} \"{v}\"");
        }
        Ok(())
    }

    /// Brings what is derived from settings up to date, and tells the client about reported ones.
    pub(super) fn apply_settings(&self) {
        let s = self.settings.borrow();
        if let Some(env) = self.env.get() {
            env.work_mem.set(s.int("work_mem") as usize * 1024);
            env.hash_mem_multiplier.set(s.real("hash_mem_multiplier"));
            env.limits.set(executor::parallel::Limits {
                workers_max: s.int("max_parallel_workers") as usize,
                processes_max: s.int("max_worker_processes") as usize,
                leader_works: s.bool("parallel_leader_participation"),
            });
            let fmt = format_settings(&s, &env.fmt.borrow());
            *env.fmt.borrow_mut() = Rc::new(fmt);
        }
        self.engine.set_defaults(
            super::transaction::isolation(s.text("default_transaction_isolation")).unwrap_or_default(),
            s.bool("default_transaction_read_only"),
            s.bool("default_transaction_deferrable"),
        );
        self.engine.set_sync_commit(super::transaction::sync_commit(s.text("synchronous_commit")));
        self.engine.stats_view().set_mode(match s.text("stats_fetch_consistency") {
            "none" => transam::Consistency::None,
            "snapshot" => transam::Consistency::Snapshot,
            _ => transam::Consistency::Cache,
        });
        self.engine.set_track_counts(s.bool("track_counts"));
        self.engine.store().tune(crate::tuning::tuning(&s, ipc::BackendKind::Client));
        self.engine.store().set_wal_compression(s.text("wal_compression") != "off");
        self.engine.store().set_temp_buffers(s.int("temp_buffers") as u32);
        self.engine.set_read_limits(
            s.int("max_pred_locks_per_page"),
            s.int("max_pred_locks_per_relation"),
            s.int("max_pred_locks_per_transaction"),
        );
        self.engine.set_lock_timeouts(s.int("deadlock_timeout"), s.int("lock_timeout"));
        self.engine.store().set_io_timing(s.bool("track_io_timing"), s.bool("track_wal_io_timing"));
        self.engine.proc().activity.app_name(s.text("application_name"));
        self.engine.set_log_lock_waits(s.bool("log_lock_waits"));
        if let Some(env) = self.env.get() {
            env.temp.store.replace(Some(self.engine.store().clone()));
            env.temp.limit_kb.set(s.int("temp_file_limit"));
            env.temp.log_min_kb.set(s.int("log_temp_files"));
        }
        if let Ok(mut conn) = self.conn.try_borrow_mut() {
            let encoding = common::Encoding::by_name(s.text("client_encoding"));
            conn.out.set_encoding(encoding.unwrap_or(common::Encoding::UTF8));
            conn.transport.set_keepalives(&s);
            conn.transport
                .set_client_check(self.engine.interrupts(), s.int("client_connection_check_interval"));
        }
        drop(s);
        self.configure_logging();
        self.apply_roles();
        self.report_settings();
    }

    /// Follows `session_authorization` and `role`, which transactions may undo.
    fn apply_roles(&self) {
        let (session, role) = {
            let s = self.settings.borrow();
            (s.text("session_authorization").to_string(), s.text("role").to_string())
        };
        // Outside a transaction the catalogs cannot be read; names do not change there either.
        if !self.engine.in_transaction() || self.security_definer.get() {
            return;
        }
        let row = |name: &str| self.catalog.role_row(name).ok().flatten();
        use catalog::columns::pg_authid::{OID, ROLSUPER};
        let mut current = (self.identity.authenticated, self.identity.authenticated_is_superuser);
        if let Some(r) = row(&session) {
            current = (r.oid(OID), r.bool(ROLSUPER));
        }
        self.session_role.set(current.0);
        if role != "none"
            && let Some(r) = row(&role)
        {
            current = (r.oid(OID), r.bool(ROLSUPER));
        }
        self.current_role.set(current.0);
        if self.superuser.replace(current.1) != current.1 {
            let _ =
                self.settings.borrow_mut().set_internal("is_superuser", if current.1 { "on" } else { "off" });
        }
    }

    /// ParameterStatus for every reported setting that differs from what the client was told.
    pub(super) fn report_settings(&self) {
        let Ok(mut conn) = self.conn.try_borrow_mut() else { return };
        let s = self.settings.borrow();
        // Asked before every ReadyForQuery: nothing to compare when no setting has changed.
        if self.reported_version.replace(s.version()) == s.version() {
            return;
        }
        let mut told = self.reported.borrow_mut();
        for name in REPORTED.iter().filter(|n| !n.is_empty()) {
            let value = s.show(name).unwrap_or_default();
            if told.get(name) != Some(&value) {
                conn.out.parameter_status(name, &value);
                told.insert(name, value);
            }
        }
    }

    /// The least severity a client wants to see.
    pub(super) fn client_min_messages(&self) -> Severity {
        severity(self.settings.borrow().text("client_min_messages"))
    }

    /// The planner's switches and costs.
    pub(super) fn planner_settings(&self) -> Rc<PlannerSettings> {
        let s = self.settings.borrow();
        if let Some((v, p)) = &*self.planner_settings.borrow()
            && *v == s.version()
        {
            return p.clone();
        }
        let p = Rc::new(planner_settings(&s));
        *self.planner_settings.borrow_mut() = Some((s.version(), p.clone()));
        p
    }
}

fn severity(name: &str) -> Severity {
    match name {
        "debug5" => Severity::Debug5,
        "debug4" => Severity::Debug4,
        "debug3" => Severity::Debug3,
        "debug2" => Severity::Debug2,
        "debug1" => Severity::Debug1,
        "log" => Severity::Log,
        "info" => Severity::Info,
        "warning" => Severity::Warning,
        "error" => Severity::Error,
        "fatal" => Severity::Fatal,
        "panic" => Severity::Panic,
        _ => Severity::Notice,
    }
}

/// The zone is looked up only when its name is another than `old`'s.
fn format_settings(s: &Settings, old: &FormatSettings) -> FormatSettings {
    let (date_style, date_order) = date_style(s.text("DateStyle"));
    let zone = s.text("TimeZone");
    let (timezone, timezone_name) = if zone == old.timezone_name {
        (old.timezone.clone(), old.timezone_name.clone())
    } else {
        find_zone(zone).unwrap_or((jiff::tz::TimeZone::UTC, "UTC".into()))
    };
    FormatSettings {
        date_style,
        date_order,
        interval_style: match s.text("IntervalStyle") {
            "postgres_verbose" => IntervalStyle::PostgresVerbose,
            "sql_standard" => IntervalStyle::SqlStandard,
            "iso_8601" => IntervalStyle::Iso8601,
            _ => IntervalStyle::Postgres,
        },
        timezone,
        timezone_name,
        extra_float_digits: s.int("extra_float_digits") as i32,
        bytea_escape: s.text("bytea_output") == "escape",
        standard_conforming_strings: s.bool("standard_conforming_strings"),
        array_nulls: s.bool("array_nulls"),
        transform_null_equals: s.bool("transform_null_equals"),
    }
}

/// How strings are read. Of the client's encodings, those in which a backslash may be part of a character make `\\'`
/// unsafe.
pub fn lex_options(s: &Settings) -> parser::LexOptions {
    let client_only = ["SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"];
    let encoding = s.text("client_encoding");
    parser::LexOptions {
        plain_strings: s.bool("standard_conforming_strings"),
        warn_escapes: s.bool("escape_string_warning"),
        backslash_quote: match s.text("backslash_quote") {
            "on" => true,
            "off" => false,
            _ => !client_only.contains(&encoding),
        },
    }
}

fn planner_settings(s: &Settings) -> PlannerSettings {
    PlannerSettings {
        enable_seqscan: s.bool("enable_seqscan"),
        enable_indexscan: s.bool("enable_indexscan"),
        enable_indexonlyscan: s.bool("enable_indexonlyscan"),
        enable_bitmapscan: s.bool("enable_bitmapscan"),
        enable_tidscan: s.bool("enable_tidscan"),
        enable_sort: s.bool("enable_sort"),
        enable_incremental_sort: s.bool("enable_incremental_sort"),
        enable_hashagg: s.bool("enable_hashagg"),
        enable_material: s.bool("enable_material"),
        enable_memoize: s.bool("enable_memoize"),
        enable_nestloop: s.bool("enable_nestloop"),
        enable_mergejoin: s.bool("enable_mergejoin"),
        enable_hashjoin: s.bool("enable_hashjoin"),
        seq_page_cost: s.real("seq_page_cost"),
        random_page_cost: s.real("random_page_cost"),
        cpu_tuple_cost: s.real("cpu_tuple_cost"),
        cpu_index_tuple_cost: s.real("cpu_index_tuple_cost"),
        cpu_operator_cost: s.real("cpu_operator_cost"),
        effective_cache_size: s.int("effective_cache_size") as f64,
        work_mem: s.int("work_mem") as u64,
        hash_mem_multiplier: s.real("hash_mem_multiplier"),
        from_collapse_limit: s.int("from_collapse_limit") as usize,
        join_collapse_limit: s.int("join_collapse_limit") as usize,
        geqo: s.bool("geqo"),
        geqo_threshold: s.int("geqo_threshold") as usize,
        geqo_effort: s.int("geqo_effort").max(1) as usize,
        default_statistics_target: s.int("default_statistics_target") as i32,
        cursor_tuple_fraction: s.real("cursor_tuple_fraction"),
        max_parallel_workers_per_gather: s.int("max_parallel_workers_per_gather") as u32,
        min_parallel_table_scan_size: s.int("min_parallel_table_scan_size") as f64,
        min_parallel_index_scan_size: s.int("min_parallel_index_scan_size") as f64,
        parallel_setup_cost: s.real("parallel_setup_cost"),
        parallel_tuple_cost: s.real("parallel_tuple_cost"),
        parallel_leader_participation: s.bool("parallel_leader_participation"),
        force_parallel_mode: match s.text("force_parallel_mode") {
            "on" => ForceParallel::On,
            "regress" => ForceParallel::Regress,
            _ => ForceParallel::Off,
        },
        enable_gathermerge: s.bool("enable_gathermerge"),
        enable_parallel_hash: s.bool("enable_parallel_hash"),
        enable_parallel_append: s.bool("enable_parallel_append"),
        constraint_exclusion: match s.text("constraint_exclusion") {
            "on" => ConstraintExclusion::On,
            "off" => ConstraintExclusion::Off,
            _ => ConstraintExclusion::Partition,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names() {
        assert_eq!(split_names("\"$user\", public"), vec!["$user", "public"]);
        assert_eq!(split_names(" A,\"b\"\"c\" "), vec!["a", "b\"c"]);
        assert!(split_names("").is_empty());
    }

    #[test]
    fn date_styles() {
        let canon = |t: &str| parse_date_style(t, "ISO, MDY").map(|(s, o)| show_date_style(s, o)).unwrap();
        assert_eq!(canon("sql, dmy"), "SQL, DMY");
        assert_eq!(canon("German"), "German, DMY");
        assert_eq!(canon("ymd"), "ISO, YMD");
        assert!(parse_date_style("x", "ISO, MDY").is_err());
    }

    #[test]
    fn options_strings() {
        let o = parse_options("-c work_mem=64 --enable-seqscan=off  -csearch_path=a\\ b").unwrap();
        assert_eq!(o[1], ("enable_seqscan".to_string(), "off".to_string()));
        assert_eq!(o[2].1, "a b");
        assert!(parse_options("-x").is_err());
    }

    #[test]
    fn zones() {
        assert_eq!(find_zone("-8").unwrap().1, "<-08>+08");
        assert_eq!(find_zone("america/new_york").unwrap().1, "America/New_York");
        assert!(find_zone("nowhere").is_none());
    }
}
