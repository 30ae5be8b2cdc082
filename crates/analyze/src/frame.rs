//! Window frames: `ROWS | RANGE | GROUPS BETWEEN … AND … EXCLUDE …`, and which `in_range` function a RANGE offset uses.

use crate::clause::frame as f;
use crate::coerce::Context;
use crate::expr::*;
use crate::info::{expr_location, expr_type};
use crate::kind::ExprKind;
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use common::{Oid, Result, err};
use types::oids;

/// A frame clause, resolved.
#[derive(Default)]
pub struct Frame {
    pub options: u32,
    pub start: Option<Expr>,
    pub end: Option<Expr>,
    pub start_in_range: Oid,
    pub end_in_range: Oid,
}

/// The order a RANGE offset moves along: operator family and type of the ORDER BY column.
struct RangeOrder {
    family: Oid,
    column_type: Oid,
}

/// Offset types the built-in `in_range` functions know.
const OFFSET_TYPES: [Oid; 6] =
    [oids::INT8, oids::INT4, oids::INT2, oids::FLOAT8, oids::NUMERIC, oids::INTERVAL];

/// `btree` support function number of `in_range`.
const IN_RANGE: i16 = 3;

impl Analyzer<'_> {
    /// The frame of a window definition whose ORDER BY is `order` over `list`.
    pub fn transform_frame(
        &mut self,
        d: &parser::WindowDef,
        order: &[SortGroupClause],
        list: &[TargetEntry],
    ) -> Result<Frame> {
        let Some(w) = &d.frame else { return Ok(Frame { options: f::DEFAULTS, ..Frame::default() }) };
        let (mode, kind) = match w.mode {
            parser::FrameMode::Range => (f::RANGE, ExprKind::WindowFrameRange),
            parser::FrameMode::Rows => (f::ROWS, ExprKind::WindowFrameRows),
            parser::FrameMode::Groups => (f::GROUPS, ExprKind::WindowFrameGroups),
        };
        let mut out = Frame { options: f::NONDEFAULT | mode, ..Frame::default() };
        if w.between {
            out.options |= f::BETWEEN;
        }
        if w.mode == parser::FrameMode::Groups && order.is_empty() {
            return Err(err!(WINDOWING_ERROR, "GROUPS mode requires an ORDER BY clause").at(d.location));
        }
        let offset = |b: &parser::FrameBound| {
            matches!(b, parser::FrameBound::OffsetPreceding(_) | parser::FrameBound::OffsetFollowing(_))
        };
        let range = if w.mode == parser::FrameMode::Range && (offset(&w.start) || offset(&w.end)) {
            Some(self.range_order(d, order, list)?)
        } else {
            None
        };
        let bits = |b: &parser::FrameBound, bits: [u32; 5]| match b {
            parser::FrameBound::UnboundedPreceding => bits[0],
            parser::FrameBound::OffsetPreceding(_) => bits[1],
            parser::FrameBound::CurrentRow => bits[2],
            parser::FrameBound::OffsetFollowing(_) => bits[3],
            parser::FrameBound::UnboundedFollowing => bits[4],
        };
        out.options |= bits(
            &w.start,
            [
                f::START_UNBOUNDED_PRECEDING,
                f::START_OFFSET_PRECEDING,
                f::START_CURRENT_ROW,
                f::START_OFFSET_FOLLOWING,
                f::START_UNBOUNDED_FOLLOWING,
            ],
        );
        out.options |= bits(
            &w.end,
            [
                f::END_UNBOUNDED_PRECEDING,
                f::END_OFFSET_PRECEDING,
                f::END_CURRENT_ROW,
                f::END_OFFSET_FOLLOWING,
                f::END_UNBOUNDED_FOLLOWING,
            ],
        );
        out.options |= match w.exclusion {
            Some(parser::FrameExclusion::CurrentRow) => f::EXCLUDE_CURRENT_ROW,
            Some(parser::FrameExclusion::Group) => f::EXCLUDE_GROUP,
            Some(parser::FrameExclusion::Ties) => f::EXCLUDE_TIES,
            _ => 0,
        };
        (out.start, out.start_in_range) = self.frame_offset(&w.start, kind, range.as_ref())?;
        (out.end, out.end_in_range) = self.frame_offset(&w.end, kind, range.as_ref())?;
        Ok(out)
    }

    fn range_order(
        &self,
        d: &parser::WindowDef,
        order: &[SortGroupClause],
        list: &[TargetEntry],
    ) -> Result<RangeOrder> {
        let [key] = order else {
            return Err(err!(
                WINDOWING_ERROR,
                "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column"
            )
            .at(d.location));
        };
        let at = list.iter().find(|t| t.sort_group_ref == key.tle_ref).and_then(|t| expr_location(&t.expr));
        self.ctx
            .catalog
            .amops_of(key.sortop)?
            .iter()
            .find(|a| a.method == Oid(403) && matches!(a.strategy, 1 | 5))
            .map(|a| RangeOrder { family: a.family, column_type: a.left })
            .ok_or_else(|| {
                err!(INTERNAL_ERROR, "operator {} is not a valid ordering operator", key.sortop.0)
                    .at_if_none(at)
            })
    }

    fn frame_offset(
        &mut self,
        b: &parser::FrameBound,
        kind: ExprKind,
        range: Option<&RangeOrder>,
    ) -> Result<(Option<Expr>, Oid)> {
        let (parser::FrameBound::OffsetPreceding(raw) | parser::FrameBound::OffsetFollowing(raw)) = b else {
            return Ok((None, Oid::INVALID));
        };
        let name = match kind {
            ExprKind::WindowFrameRows => "ROWS",
            ExprKind::WindowFrameGroups => "GROUPS",
            _ => "RANGE",
        };
        let e = self.transform_expr_kind(raw, kind)?;
        let (e, func) = match range {
            Some(r) => self.range_offset(e, r)?,
            None => (self.coerce_to_specific(e, oids::INT8, -1, name)?, Oid::INVALID),
        };
        if let Some(loc) = crate::agg::first_var(&e) {
            return Err(err!(INVALID_COLUMN_REFERENCE, "argument of {name} must not contain variables")
                .at_if_none(loc));
        }
        Ok((Some(e), func))
    }

    /// Chooses the `in_range` function for an offset and converts the offset to what it takes.
    fn range_offset(&mut self, e: Expr, r: &RangeOrder) -> Result<(Expr, Oid)> {
        let given = expr_type(&e);
        let preferred = if given == oids::UNKNOWN { r.column_type } else { given };
        let (mut known, mut matches) = (0, 0);
        let mut chosen = (Oid::INVALID, Oid::INVALID);
        for t in OFFSET_TYPES.into_iter().chain([oids::FLOAT4]) {
            let Some(func) = self.ctx.catalog.amproc(r.family, r.column_type, t, IN_RANGE)? else { continue };
            known += 1;
            if !self.ctx.can_coerce(&[given], &[t], Context::Implicit)? {
                continue;
            }
            matches += 1;
            if chosen.0 != preferred {
                chosen = (t, func);
            }
        }
        let at = expr_location(&e);
        let column = || format_type_short(self.ctx, r.column_type);
        if known == 0 {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                column()
            )
            .at_if_none(at));
        }
        let pair =
            || format!("column type {} and offset type {}", column(), format_type_short(self.ctx, given));
        if matches == 0 {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING is not supported for {}",
                pair()
            )
            .hint("Cast the offset value to an appropriate type.")
            .at_if_none(at));
        }
        if matches != 1 && chosen.0 != preferred {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for {}",
                pair()
            )
            .hint("Cast the offset value to the exact intended type.")
            .at_if_none(at));
        }
        Ok((self.coerce_to_common(e, chosen.0, "RANGE")?, chosen.1))
    }
}
