//! What ANALYZE does for statistics objects and indexed expressions: reads the definitions, evaluates their expressions over
//! the sample, computes and stores.

use super::column::{self, SampleSize, ValueKind};
use super::extended::{Data, Dimension};
use super::{sample, store};
use analyze::expr::Expr;
use catalog::columns::{pg_statistic_ext as ext, pg_statistic_ext_data as data};
use catalog::desc::Relation;
use catalog::ext_stats::{
    KIND_DEPENDENCIES, KIND_EXPRESSIONS, KIND_MCV_LIST, KIND_NDISTINCT, write_dependencies, write_mcv,
    write_ndistinct,
};
use catalog::{CatRow, Catalog, literal};
use common::{Oid, Result, SqlState};
use executor::ExecEnv;
use std::rc::Rc;
use types::{Batch, Column, Datum};

/// ANALYZE of one table under way.
pub struct Analysis<'a> {
    pub catalog: &'a Catalog,
    pub env: &'a Rc<ExecEnv>,
    pub rel: &'a Relation,
    pub rows: &'a Batch,
    pub total_rows: f64,
    /// By column: entries its lists may have; 0 for a column that is not analysed.
    pub targets: &'a [usize],
    pub default_target: usize,
    /// There is nobody to tell, and no session to run functions that are not built in.
    pub background: bool,
}

/// A statistics object as defined.
pub struct Definition {
    row: CatRow,
    keys: Vec<i16>,
    exprs: Vec<Expr>,
    kinds: Vec<u8>,
}

/// The statistics objects on a table, by OID.
pub fn definitions(catalog: &Catalog, rel: Oid) -> Result<Vec<Definition>> {
    if rel < Oid::FIRST_NORMAL {
        return Ok(Vec::new());
    }
    let mut rows = catalog.scan(ext::TABLE, ext::RELID_INDEX, &[Datum::oid(rel)])?;
    rows.sort_by_key(|r| r.oid(ext::OID));
    let read = |row: CatRow| {
        Ok(Definition {
            keys: literal::int2_items(row.bytes(ext::STXKEYS)),
            exprs: super::expressions(&row)?,
            kinds: super::kinds(&row),
            row,
        })
    };
    rows.into_iter().map(read).collect()
}

impl Definition {
    /// Entries its lists may have; `targets` by column as they were set (negative: default).
    pub fn target(&self, targets: &dyn Fn(i16) -> i32, default: usize) -> usize {
        let own = self.row.i32(ext::STXSTATTARGET);
        let widest = || self.keys.iter().map(|k| targets(*k)).max().unwrap_or(-1);
        usize::try_from(if own >= 0 { own } else { widest() }).unwrap_or(default)
    }
}

impl Analysis<'_> {
    /// Statistics of an index's expressions.
    pub fn index(&self, oid: Oid) -> Result<()> {
        let ix = self.catalog.index(oid)?;
        let Some(stored) = &ix.expressions else { return Ok(()) };
        let exprs: Vec<Expr> = analyze::load_expr(stored)?;
        let predicate: Vec<Expr> =
            ix.predicate.as_deref().map(analyze::load_expr).transpose()?.into_iter().collect();
        let evaluated = sample::evaluate(self.env, &exprs, &predicate, self.rows);
        let Some((values, rows)) = self.unless_impossible(evaluated)? else { return Ok(()) };
        if rows == 0 {
            return Ok(());
        }
        let total_rows = (rows as f64 / self.rows.rows as f64 * self.total_rows).ceil();
        let places = ix.keys.iter().enumerate().filter(|(_, k)| **k == 0).map(|(i, _)| i);
        for ((i, e), col) in places.zip(&exprs).zip(&values) {
            let k = sample::kind_of(self.catalog, e, ix.collations.get(i).copied())?;
            let size = SampleSize { total_rows, target: self.default_target };
            let s = column::compute(self.catalog, &k, col, rows, size)?;
            store::store(self.catalog, &store::row(self.catalog, oid, i as i16 + 1, &k, &s)?)?;
        }
        Ok(())
    }

    /// In the background there are functions that cannot be called: what needs them is left as it is.
    fn unless_impossible<T>(&self, r: Result<T>) -> Result<Option<T>> {
        match r {
            Err(e) if self.background && e.sqlstate() == SqlState::FEATURE_NOT_SUPPORTED => Ok(None),
            r => r.map(Some),
        }
    }

    /// Builds one statistics object; `false` if some of its columns were not analysed.
    pub fn object(&self, d: &Definition) -> Result<bool> {
        if d.keys.iter().any(|k| self.targets.get(*k as usize - 1).is_none_or(|t| *t == 0)) {
            return Ok(false);
        }
        let target = d.target(&|k| self.targets[k as usize - 1] as i32, self.default_target);
        if target == 0 || self.rows.rows == 0 {
            return Ok(true);
        }
        let evaluated = sample::evaluate(self.env, &d.exprs, &[], self.rows);
        let Some((values, _)) = self.unless_impossible(evaluated)? else { return Ok(true) };
        let mut dims = Vec::new();
        for k in &d.keys {
            let a = &self.rel.desc.attrs[*k as usize - 1];
            let kind = ValueKind { type_oid: a.type_oid, len: a.len, collation: a.collation };
            self.dimension(&mut dims, *k, kind, &self.rows.cols[*k as usize - 1])?;
        }
        for (i, (e, col)) in d.exprs.iter().zip(&values).enumerate() {
            let kind = sample::kind_of(self.catalog, e, None)?;
            self.dimension(&mut dims, -(i as i16) - 1, kind, col)?;
        }
        let found = Data { dims, rows: self.rows.rows, total_rows: self.total_rows };
        self.store(d, &found, &values, target)?;
        Ok(true)
    }

    fn dimension<'c>(
        &self,
        dims: &mut Vec<(Dimension, &'c Column)>,
        member: i16,
        kind: ValueKind,
        col: &'c Column,
    ) -> Result<()> {
        dims.extend(Dimension::new(self.catalog, member, kind, col, self.rows.rows)?.map(|d| (d, col)));
        Ok(())
    }

    fn store(&self, d: &Definition, found: &Data<'_>, values: &[Column], target: usize) -> Result<()> {
        let mut row = self.catalog.blank_row(data::TABLE);
        let oid = d.row.oid(ext::OID);
        row[data::STXOID] = Datum::oid(oid);
        row[data::STXDINHERIT] = Datum::Bool(false);
        for kind in &d.kinds {
            match *kind {
                KIND_NDISTINCT => row[data::STXDNDISTINCT] = write_ndistinct(&found.ndistinct()),
                KIND_DEPENDENCIES => {
                    let all = found.dependencies();
                    if !all.is_empty() {
                        row[data::STXDDEPENDENCIES] = write_dependencies(&all);
                    }
                }
                KIND_MCV_LIST => {
                    if let Some(list) = found.mcv(target) {
                        row[data::STXDMCV] = write_mcv(self.catalog, &list)?;
                    }
                }
                KIND_EXPRESSIONS => row[data::STXDEXPR] = self.expression_rows(d, values, target)?,
                _ => {}
            }
        }
        let keys = [Datum::oid(oid), Datum::Bool(false)];
        match self.catalog.scan(data::TABLE, data::STXOID_INH_INDEX, &keys)?.first() {
            Some(old) => self.catalog.update_row(data::TABLE, old, &row)?,
            None => self.catalog.insert_row(data::TABLE, &row)?,
        };
        Ok(())
    }

    /// Rows of `pg_statistic` for the expressions, as an array.
    fn expression_rows(&self, d: &Definition, values: &[Column], target: usize) -> Result<Datum> {
        let Some(t) = self.catalog.builtins().schema.table(catalog::columns::pg_statistic::TABLE) else {
            return Ok(Datum::Null);
        };
        let mut rows = Vec::new();
        for (e, col) in d.exprs.iter().zip(values) {
            let k = sample::kind_of(self.catalog, e, None)?;
            let size = SampleSize { total_rows: self.total_rows, target };
            let s = column::compute(self.catalog, &k, col, self.rows.rows, size)?;
            rows.push(store::record(self.catalog, &store::row(self.catalog, Oid::INVALID, 0, &k, &s)?)?);
        }
        Ok(catalog::array::build(&*self.catalog.type_desc(t.row_type)?, &rows))
    }

    /// What a warning calls a statistics object and its table.
    pub fn warning(&self, d: &Definition) -> Result<String> {
        let schema = |oid| Ok::<_, common::Error>(self.catalog.namespace_name(oid)?.unwrap_or_default());
        Ok(format!(
            "statistics object \"{}.{}\" could not be computed for relation \"{}.{}\"",
            schema(d.row.oid(ext::STXNAMESPACE))?,
            d.row.str(ext::STXNAME),
            schema(self.rel.namespace)?,
            self.rel.name
        ))
    }
}
