//! Where an expression stands: decides what may be in it and how errors name the place.

use crate::ctx::ExprContext;

/// The clause an expression belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExprKind {
    #[default]
    None,
    Other,
    JoinOn,
    JoinUsing,
    FromSubselect,
    FromFunction,
    Where,
    Having,
    Filter,
    WindowPartition,
    WindowOrder,
    WindowFrameRange,
    WindowFrameRows,
    WindowFrameGroups,
    SelectTarget,
    InsertTarget,
    UpdateSource,
    UpdateTarget,
    GroupBy,
    OrderBy,
    DistinctOn,
    Limit,
    Offset,
    Returning,
    MergeWhen,
    Values,
    ValuesSingle,
    CheckConstraint,
    DomainCheck,
    ColumnDefault,
    FunctionDefault,
    IndexExpr,
    IndexPredicate,
    StatsExpr,
    AlterColTransform,
    ExecuteParameter,
    TriggerWhen,
    PartitionBound,
    PartitionExpr,
    CallArgument,
    CopyWhere,
    GeneratedColumn,
    Policy,
    CycleMark,
}

impl ExprKind {
    /// The kind of a stand-alone expression.
    pub fn of(c: ExprContext) -> ExprKind {
        match c {
            ExprContext::Default => ExprKind::ColumnDefault,
            ExprContext::FunctionDefault => ExprKind::FunctionDefault,
            ExprContext::GeneratedColumn => ExprKind::GeneratedColumn,
            ExprContext::Check => ExprKind::CheckConstraint,
            ExprContext::DomainCheck => ExprKind::DomainCheck,
            ExprContext::IndexExpr => ExprKind::IndexExpr,
            ExprContext::IndexPredicate => ExprKind::IndexPredicate,
            ExprContext::StatsExpr => ExprKind::StatsExpr,
            ExprContext::Using => ExprKind::AlterColTransform,
            ExprContext::ExecuteParameter => ExprKind::ExecuteParameter,
            ExprContext::TriggerWhen => ExprKind::TriggerWhen,
            ExprContext::PartitionBound => ExprKind::PartitionBound,
            ExprContext::PartitionExpr => ExprKind::PartitionExpr,
            ExprContext::CallArgument => ExprKind::CallArgument,
            ExprContext::CopyWhere => ExprKind::CopyWhere,
            ExprContext::Policy => ExprKind::Policy,
            ExprContext::Other => ExprKind::Other,
        }
    }

    /// The place as "… are not allowed in %s" has it; `None` where aggregates are allowed.
    pub fn forbids_aggregates(self) -> Option<&'static str> {
        match self {
            ExprKind::None
            | ExprKind::Other
            | ExprKind::Having
            | ExprKind::WindowPartition
            | ExprKind::WindowOrder
            | ExprKind::SelectTarget
            | ExprKind::OrderBy
            | ExprKind::DistinctOn => None,
            k => Some(k.place()),
        }
    }

    /// Likewise for window functions.
    pub fn forbids_windows(self) -> Option<&'static str> {
        match self {
            ExprKind::None
            | ExprKind::Other
            | ExprKind::SelectTarget
            | ExprKind::OrderBy
            | ExprKind::DistinctOn => None,
            ExprKind::WindowPartition
            | ExprKind::WindowOrder
            | ExprKind::WindowFrameRange
            | ExprKind::WindowFrameRows
            | ExprKind::WindowFrameGroups => Some("window definitions"),
            k => Some(k.place()),
        }
    }

    /// Likewise for set-returning functions.
    pub fn forbids_srfs(self) -> Option<&'static str> {
        match self {
            ExprKind::None
            | ExprKind::Other
            | ExprKind::FromFunction
            | ExprKind::SelectTarget
            | ExprKind::InsertTarget
            | ExprKind::GroupBy
            | ExprKind::OrderBy
            | ExprKind::DistinctOn
            | ExprKind::ValuesSingle => None,
            ExprKind::WindowPartition | ExprKind::WindowOrder => None,
            ExprKind::WindowFrameRange | ExprKind::WindowFrameRows | ExprKind::WindowFrameGroups => {
                Some("window definitions")
            }
            k => Some(k.place()),
        }
    }

    /// "cannot use subquery in %s"; `None` where sub-queries are allowed.
    pub fn forbids_subqueries(self) -> Option<&'static str> {
        Some(match self {
            ExprKind::CheckConstraint | ExprKind::DomainCheck => "check constraint",
            ExprKind::ColumnDefault | ExprKind::FunctionDefault => "DEFAULT expression",
            ExprKind::IndexExpr => "index expression",
            ExprKind::IndexPredicate => "index predicate",
            ExprKind::StatsExpr => "statistics expression",
            ExprKind::AlterColTransform => "transform expression",
            ExprKind::ExecuteParameter => "EXECUTE parameter",
            ExprKind::TriggerWhen => "trigger WHEN condition",
            ExprKind::PartitionBound => "partition bound",
            ExprKind::PartitionExpr => "partition key expression",
            ExprKind::CallArgument => "CALL argument",
            ExprKind::CopyWhere => "COPY FROM WHERE condition",
            ExprKind::GeneratedColumn => "column generation expression",
            _ => return None,
        })
    }

    /// The clause's name for messages of the form "… in %s".
    pub fn place(self) -> &'static str {
        match self {
            ExprKind::None | ExprKind::Other | ExprKind::SelectTarget => "SELECT",
            ExprKind::JoinOn | ExprKind::JoinUsing => "JOIN conditions",
            ExprKind::FromSubselect => "FROM clause of their own query level",
            ExprKind::FromFunction => "functions in FROM",
            ExprKind::Where => "WHERE",
            ExprKind::Having => "HAVING",
            ExprKind::Filter => "FILTER",
            ExprKind::WindowPartition => "PARTITION BY",
            ExprKind::WindowOrder | ExprKind::OrderBy => "ORDER BY",
            ExprKind::WindowFrameRange => "window RANGE",
            ExprKind::WindowFrameRows => "window ROWS",
            ExprKind::WindowFrameGroups => "window GROUPS",
            ExprKind::InsertTarget => "INSERT",
            ExprKind::UpdateSource | ExprKind::UpdateTarget => "UPDATE",
            ExprKind::GroupBy => "GROUP BY",
            ExprKind::DistinctOn => "DISTINCT ON",
            ExprKind::Limit => "LIMIT",
            ExprKind::Offset => "OFFSET",
            ExprKind::Returning => "RETURNING",
            ExprKind::MergeWhen => "MERGE WHEN conditions",
            ExprKind::Values | ExprKind::ValuesSingle => "VALUES",
            ExprKind::CheckConstraint | ExprKind::DomainCheck => "check constraints",
            ExprKind::ColumnDefault | ExprKind::FunctionDefault => "DEFAULT expressions",
            ExprKind::IndexExpr => "index expressions",
            ExprKind::IndexPredicate => "index predicates",
            ExprKind::StatsExpr => "statistics expressions",
            ExprKind::AlterColTransform => "transform expressions",
            ExprKind::ExecuteParameter => "EXECUTE parameters",
            ExprKind::TriggerWhen => "trigger WHEN conditions",
            ExprKind::PartitionBound => "partition bound",
            ExprKind::PartitionExpr => "partition key expressions",
            ExprKind::CallArgument => "CALL arguments",
            ExprKind::CopyWhere => "COPY FROM WHERE conditions",
            ExprKind::GeneratedColumn => "column generation expressions",
            ExprKind::Policy => "policy expressions",
            ExprKind::CycleMark => "CYCLE",
        }
    }
}
