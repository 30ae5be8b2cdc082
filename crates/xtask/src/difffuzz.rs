//! `cargo xtask difffuzz QUERIES [SEED]`: generated queries over a few typed tables, on Stegodon and on a real PostgreSQL. Prints
//! those that give other rows or another SQLSTATE. Errors of values (class 22) may come or not, as plans decide what is
//! evaluated.

use testkit::{Cluster, Kind, Options, Wire};

const TABLES: &str = "
create table t1 (a int, b bigint, c text, d numeric, e boolean, f date, g timestamp);
create table t2 (a int, b bigint, c text, d numeric, e boolean, f date, g timestamp);
create table t3 (a int primary key, b bigint, c text, d numeric, e boolean, f date, g timestamp);
insert into t1 select nullif(i % 7, 3), i * 1000, nullif('x' || i % 5, 'x2'), nullif(i % 4, 2) * 1.25, nullif(i % 3, 1) = 0,
  date '2024-02-26' + nullif(i % 6, 5), timestamp '2024-02-29 12:00' + i * interval '7 hours' from generate_series(1, 40) i;
insert into t2 select nullif(i % 5, 0), nullif(i % 9, 4), repeat(chr(97 + i % 4), i % 3), i / 3.0, i % 2 = 0,
  date '2024-02-28' + i % 3, null from generate_series(1, 25) i;
insert into t3 select i, -i, 'k' || i, i * i * 0.1, i > 5, date '2023-12-31' + i * 20, timestamp '2024-01-01' + i * interval '1 day'
  from generate_series(0, 12) i;
create index on t1 (a, c); create index on t2 (b); analyze;";

#[derive(Clone, Copy, PartialEq)]
enum Ty {
    Int,
    Text,
    Num,
    Bool,
    Date,
    Time,
}

const TYPES: [Ty; 6] = [Ty::Int, Ty::Text, Ty::Num, Ty::Bool, Ty::Date, Ty::Time];

struct Gen {
    state: u64,
    /// Aliases in reach.
    tables: Vec<String>,
    next: u32,
}

impl Gen {
    fn below(&mut self, n: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % n
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }

    fn ty(&mut self) -> Ty {
        TYPES[self.below(6) as usize]
    }

    fn column(&mut self, ty: Ty) -> String {
        let n = self.below(self.tables.len() as u64) as usize;
        let table = self.tables[n].clone();
        let column = match ty {
            Ty::Int => self.pick(&["a", "a", "b"]),
            Ty::Text => "c",
            Ty::Num => "d",
            Ty::Bool => "e",
            Ty::Date => "f",
            Ty::Time => "g",
        };
        format!("{table}.{column}")
    }

    fn literal(&mut self, ty: Ty) -> String {
        if self.below(12) == 0 {
            let name = match ty {
                Ty::Int => "int",
                Ty::Text => "text",
                Ty::Num => "numeric",
                Ty::Bool => "bool",
                Ty::Date => "date",
                Ty::Time => "timestamp",
            };
            return format!("null::{name}");
        }
        match ty {
            Ty::Int => self.pick(&["0", "1", "2", "-3", "7", "1000"]),
            Ty::Text => self.pick(&["'x1'", "''", "'a%'", "'k3'", "'bb'"]),
            Ty::Num => self.pick(&["0.0", "1.25", "-2.5", "100"]),
            Ty::Bool => self.pick(&["true", "false"]),
            Ty::Date => self.pick(&["date '2024-02-29'", "date '2024-01-20'"]),
            Ty::Time => self.pick(&["timestamp '2024-03-01 02:00'", "timestamp '2024-01-05'"]),
        }
        .to_string()
    }

    fn expr(&mut self, ty: Ty, depth: u32) -> String {
        if depth == 0 || self.below(4) == 0 {
            return if self.below(3) == 0 { self.literal(ty) } else { self.column(ty) };
        }
        let d = depth - 1;
        match self.below(8) {
            0 => return format!("coalesce({}, {})", self.expr(ty, d), self.expr(ty, d)),
            1 => {
                return format!(
                    "case when {} then {} else {} end",
                    self.expr(Ty::Bool, d),
                    self.expr(ty, d),
                    self.expr(ty, d)
                );
            }
            2 if ty != Ty::Bool => return format!("greatest({}, {})", self.expr(ty, d), self.expr(ty, d)),
            3 if ty != Ty::Bool => return format!("nullif({}, {})", self.expr(ty, d), self.expr(ty, d)),
            4 if depth > 1 => return self.scalar_query(ty, d),
            _ => {}
        }
        match ty {
            Ty::Int => match self.below(5) {
                0 => format!("length({})", self.expr(Ty::Text, d)),
                1 => format!("extract(day from {})::int", self.expr(Ty::Date, d)),
                2 => format!("({} - {})", self.expr(Ty::Date, d), self.expr(Ty::Date, d)),
                _ => {
                    let op = self.pick(&["+", "-", "*", "/", "%"]);
                    format!("({} {op} {})", self.expr(Ty::Int, d), self.expr(Ty::Int, d))
                }
            },
            Ty::Text => match self.below(5) {
                0 => format!("upper({})", self.expr(Ty::Text, d)),
                1 => format!("substr({}, 2, 3)", self.expr(Ty::Text, d)),
                2 => {
                    let other = self.ty();
                    format!("({})::text", self.expr(other, d))
                }
                _ => format!("({} || {})", self.expr(Ty::Text, d), self.expr(Ty::Text, d)),
            },
            Ty::Num => match self.below(4) {
                0 => format!("round({}, 1)", self.expr(Ty::Num, d)),
                1 => format!("({})::numeric", self.expr(Ty::Int, d)),
                _ => {
                    let op = self.pick(&["+", "-", "*", "/"]);
                    format!("({} {op} {})", self.expr(Ty::Num, d), self.expr(Ty::Num, d))
                }
            },
            Ty::Date => format!("({} + {})::date", self.expr(Ty::Date, d), self.pick(&["1", "-3", "30"])),
            Ty::Time => match self.below(2) {
                0 => format!("date_trunc('day', {})", self.expr(Ty::Time, d)),
                _ => format!("({} + interval '1 month 2 hours')", self.expr(Ty::Time, d)),
            },
            Ty::Bool => self.condition(d),
        }
    }

    fn condition(&mut self, d: u32) -> String {
        let ty = self.ty();
        match self.below(11) {
            0 => format!("({} and {})", self.expr(Ty::Bool, d), self.expr(Ty::Bool, d)),
            1 => format!("({} or {})", self.expr(Ty::Bool, d), self.expr(Ty::Bool, d)),
            2 => format!("(not {})", self.expr(Ty::Bool, d)),
            3 => {
                let test = self.pick(&["is null", "is not null"]);
                format!("({} {test})", self.expr(ty, d))
            }
            4 => format!("({} in ({}, {}))", self.expr(ty, d), self.literal(ty), self.literal(ty)),
            5 => format!("({} between {} and {})", self.expr(ty, d), self.literal(ty), self.expr(ty, d)),
            6 => {
                format!("({} like {})", self.expr(Ty::Text, d), self.pick(&["'x%'", "'%1'", "'_'", "'%a%'"]))
            }
            7 => format!("({} is distinct from {})", self.expr(ty, d), self.expr(ty, d)),
            8 if d > 0 => {
                let not = self.pick(&["", "not "]);
                let (from, inner) = self.sub_query(d, |g, d| g.expr(Ty::Bool, d));
                format!("{not}exists (select 1 from {from} where {inner})")
            }
            9 if d > 0 => {
                let left = self.expr(ty, d);
                let not = self.pick(&["", "not "]);
                let (from, inner) = self.sub_query(d, |g, d| g.expr(ty, d.min(1)));
                format!("({left} {not}in (select {inner} from {from}))")
            }
            _ => {
                let op = self.pick(&["=", "<>", "<", "<=", ">", ">="]);
                format!("({} {op} {})", self.expr(ty, d), self.expr(ty, d))
            }
        }
    }

    /// A table under a new alias, and something said with it in reach.
    fn sub_query<R>(&mut self, depth: u32, f: impl FnOnce(&mut Self, u32) -> R) -> (String, R) {
        let table = self.table();
        let inner = f(self, depth.saturating_sub(1));
        let alias = self.tables.pop().unwrap_or_default();
        (format!("{table} {alias}"), inner)
    }

    fn table(&mut self) -> &'static str {
        self.next += 1;
        self.tables.push(format!("q{}", self.next));
        self.pick(&["t1", "t2", "t3"])
    }

    fn scalar_query(&mut self, ty: Ty, depth: u32) -> String {
        let (from, (value, filter)) = self.sub_query(depth, |g, d| (g.column(ty), g.expr(Ty::Bool, d)));
        let aggregate = match ty {
            Ty::Bool => "bool_or",
            _ => self.pick(&["min", "max"]),
        };
        format!("(select {aggregate}({value}) from {from} where {filter})")
    }

    fn from(&mut self) -> String {
        let table = self.table();
        let mut text = format!("{table} {}", self.tables[self.tables.len() - 1]);
        for _ in 0..self.below(3) {
            let kind = self.pick(&["join", "left join", "right join", "full join", "cross join"]);
            let left = self.tables.len();
            let table = self.table();
            let alias = self.tables[left].clone();
            let on = match kind {
                "cross join" => String::new(),
                // FULL JOIN wants a condition that merges or hashes.
                "full join" => format!(" on {}.a = {alias}.a", self.tables[left - 1]),
                _ => {
                    let c = self.pick(&["a", "b", "c", "f"]);
                    let more = if self.below(3) == 0 {
                        format!(" and {}", self.expr(Ty::Bool, 1))
                    } else {
                        String::new()
                    };
                    format!(" on {}.{c} = {alias}.{c}{more}", self.tables[left - 1])
                }
            };
            text = format!("{text} {kind} {table} {alias}{on}");
        }
        text
    }

    fn select(&mut self, types: &[Ty]) -> String {
        let reach = std::mem::take(&mut self.tables);
        let from = self.from();
        let filter =
            if self.below(3) > 0 { format!(" where {}", self.expr(Ty::Bool, 3)) } else { String::new() };
        let text = match self.below(4) {
            0 => self.grouped(types, &from, &filter),
            1 => {
                let mut items: Vec<String> = types.iter().map(|t| self.expr(*t, 2)).collect();
                let (by, order) = (self.column(Ty::Text), self.column(Ty::Int));
                let call = self.pick(&["count(*)", "rank()", "dense_rank()"]);
                items.push(format!("{call} over (partition by {by} order by {order})"));
                format!("select {} from {from}{filter}", items.join(", "))
            }
            n => {
                let distinct = if n == 2 { "distinct " } else { "" };
                let items: Vec<String> = types.iter().map(|t| self.item(*t, n == 2)).collect();
                format!("select {distinct}{}, 0 from {from}{filter}", items.join(", "))
            }
        };
        self.tables = reach;
        text
    }

    /// Of equal numbers DISTINCT keeps one, whatever its scale.
    fn item(&mut self, ty: Ty, distinct: bool) -> String {
        let e = self.expr(ty, 3);
        if distinct && ty == Ty::Num { format!("trim_scale({e})") } else { e }
    }

    fn grouped(&mut self, types: &[Ty], from: &str, filter: &str) -> String {
        let keys: Vec<String> = types.iter().map(|t| self.column(*t)).collect();
        let ty = self.ty();
        let value = self.expr(ty, 2);
        let aggregate = match ty {
            Ty::Int | Ty::Num => self.pick(&["sum", "min", "max", "count"]),
            Ty::Bool => self.pick(&["bool_and", "count"]),
            _ => self.pick(&["min", "max", "count", "count(distinct"]),
        };
        let open = if aggregate.contains('(') { " " } else { "(" };
        let having = if self.below(3) == 0 { " having count(*) > 1" } else { "" };
        let by = match self.below(5) {
            0 => format!("rollup ({})", keys.join(", ")),
            _ => keys.join(", "),
        };
        format!(
            "select {}, ({aggregate}{open}{value}))::text from {from}{filter} group by {by}{having}",
            keys.join(", ")
        )
    }

    fn query(&mut self) -> String {
        self.tables.clear();
        self.next = 0;
        let types: Vec<Ty> = (0..1 + self.below(3)).map(|_| self.ty()).collect();
        let first = self.select(&types);
        match self.below(6) {
            0 => {
                let op = self.pick(&["union", "union all", "intersect", "except", "except all"]);
                let wrap = |g: &mut Self| {
                    format!("select count(*), {} from ({}) s", "min(s::text)", g.select(&types))
                };
                format!("select * from ({} {op} {}) u", wrap(self), wrap(self))
            }
            1 => format!("with w as ({first}) select count(*), max(w::text) from w"),
            _ => first,
        }
    }
}

/// Rows in some order of their own, or the SQLSTATE.
fn answer(w: &mut Wire, sql: &str) -> Result<Vec<String>, String> {
    let reply = w.query(sql).map_err(|e| e.to_string())?;
    if let Some(e) = &reply.error {
        return Err(format!("{} {}", e.code(), e.message()));
    }
    let mut lines = reply.lines();
    lines.sort();
    Ok(lines)
}

pub fn run(args: &[String]) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    let count: u32 = args.first().and_then(|s| s.parse().ok()).unwrap_or(2_000);
    let seed: u64 = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(42);
    let ours = Cluster::start(Kind::Stegodon, Options::default()).map_err(text)?;
    let oracle = Cluster::start(Kind::PostgreSql, Options::default()).map_err(text)?;
    let mut sessions = Vec::new();
    for cluster in [&ours, &oracle] {
        let mut w = Wire::connect(cluster).map_err(text)?;
        w.ok(TABLES);
        w.ok("set statement_timeout = '20s'");
        sessions.push(w);
    }
    let mut g = Gen { state: seed | 1, tables: Vec::new(), next: 0 };
    let (mut different, mut rows) = (0, 0);
    for n in 0..count {
        let sql = g.query();
        let [w, o] = sessions.as_mut_slice() else { break };
        let (mine, theirs) = (answer(w, &sql), answer(o, &sql));
        let code =
            |r: &Result<Vec<String>, String>| r.as_ref().err().map_or(String::new(), |e| e[..5].to_string());
        let values = |c: &str| c.starts_with("22") || c == "57014";
        let equal = mine == theirs || code(&mine) == code(&theirs) && !code(&mine).is_empty();
        if equal || values(&code(&mine)) || values(&code(&theirs)) {
            rows += mine.as_ref().map_or(0, |l| usize::from(!l.is_empty()));
            continue;
        }
        different += 1;
        let shown = |r: &Result<Vec<String>, String>| match r {
            Ok(lines) => format!(
                "{} rows: {}",
                lines.len(),
                lines.iter().take(4).cloned().collect::<Vec<_>>().join(" / ")
            ),
            Err(e) => e.clone(),
        };
        println!("--- {n}\n{sql};\n  Stegodon:   {}\n  PostgreSQL: {}", shown(&mine), shown(&theirs));
    }
    println!("{count} queries, {rows} of them with rows, {different} different");
    if different == 0 { Ok(()) } else { Err(format!("{different} queries differ")) }
}
