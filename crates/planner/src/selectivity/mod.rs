//! How many rows clauses keep and how many groups columns have, from ANALYZE's statistics. The formulas and default
//! constants are PostgreSQL's.

pub mod clause;
pub mod dependencies;
pub mod extended;
pub mod foreign;
pub mod groups;
pub mod join;
pub mod merge;
pub mod multi_groups;
pub mod pattern;
pub mod scalar;
pub mod variable;

pub use clause::{clause_sel, list_sel};
pub use groups::num_groups;

/// Selectivity of `=` with nothing known.
pub const DEFAULT_EQ_SEL: f64 = 0.005;
/// Selectivity of an inequality with nothing known.
pub const DEFAULT_INEQ_SEL: f64 = 0.3333333333333333;
/// Selectivity of a range `a < x AND x < b` with nothing known.
pub const DEFAULT_RANGE_INEQ_SEL: f64 = 0.005;
/// Selectivity of a pattern match with nothing known.
pub const DEFAULT_MATCH_SEL: f64 = 0.005;
/// Distinct values with nothing known.
pub const DEFAULT_NUM_DISTINCT: f64 = 200.0;
/// Selectivity of IS NULL with nothing known.
pub const DEFAULT_UNK_SEL: f64 = 0.005;
/// Selectivity of IS NOT NULL with nothing known.
pub const DEFAULT_NOT_UNK_SEL: f64 = 1.0 - DEFAULT_UNK_SEL;

/// Into [0, 1].
pub fn clamp(x: f64) -> f64 {
    if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) }
}

/// A sane row count: at least one, whole.
pub fn clamp_rows(x: f64) -> f64 {
    if x > 1e100 || x.is_nan() {
        1e100
    } else if x <= 1.0 {
        1.0
    } else {
        x.round_ties_even()
    }
}

/// Estimators by the OID of `pg_operator.oprrest`.
pub mod est {
    pub const EQSEL: u32 = 101;
    pub const NEQSEL: u32 = 102;
    pub const SCALARLTSEL: u32 = 103;
    pub const SCALARGTSEL: u32 = 104;
    pub const SCALARLESEL: u32 = 336;
    pub const SCALARGESEL: u32 = 337;
    pub const EQJOINSEL: u32 = 105;
    pub const NEQJOINSEL: u32 = 106;
    pub const SCALARLTJOINSEL: u32 = 107;
    pub const SCALARGTJOINSEL: u32 = 108;
    pub const SCALARLEJOINSEL: u32 = 386;
    pub const SCALARGEJOINSEL: u32 = 398;
    pub const LIKESEL: u32 = 1819;
    pub const ICLIKESEL: u32 = 1814;
    pub const NLIKESEL: u32 = 1822;
    pub const ICNLIKESEL: u32 = 1815;
    pub const REGEXEQSEL: u32 = 1818;
    pub const ICREGEXEQSEL: u32 = 1820;
    pub const REGEXNESEL: u32 = 1821;
    pub const ICREGEXNESEL: u32 = 1823;
    pub const PREFIXSEL: u32 = 3437;
}
