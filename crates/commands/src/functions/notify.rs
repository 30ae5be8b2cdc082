//! `pg_notify` and what can be asked about notifications.

use super::env;
use super::rows::made;
use common::Result;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c0, c2};

pub static TABLE: &[(u32, FnImpl)] =
    &[(3036, c2!(notify)), (3296, c0!(queue_usage)), (3035, FnImpl::Srf(listening_channels))];

/// NULL stands for the empty string, which no channel may be.
fn notify(c: &CallCtx<'_>, channel: Option<&str>, payload: Option<&str>) -> Result<i32> {
    env(c)?.engine.notify(channel.unwrap_or(""), payload.unwrap_or("")).map(|()| 0)
}

fn queue_usage(c: &CallCtx<'_>) -> Result<f64> {
    Ok(env(c)?.engine.notification_queue_usage())
}

fn listening_channels(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let names = env(c)?.engine.listening_channels();
    made(names.into_iter().map(|n| vec![Datum::text(&n)]).collect())
}
