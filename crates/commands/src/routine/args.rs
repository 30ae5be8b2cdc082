//! The parameter list of CREATE FUNCTION, PROCEDURE and AGGREGATE.

use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use analyze::expr::Expr;
use common::{Oid, Result, bail, err};
use parser::ast::{FunctionParameter, FunctionParameterMode as Mode, ObjectType, TypeName};
use types::oids;

/// A parameter list, resolved.
#[derive(Default)]
pub struct Arguments {
    /// Types of the input arguments.
    pub input: Vec<Oid>,
    /// Types, modes and names of all, if there is more to say.
    pub all: Vec<Oid>,
    pub modes: Vec<u8>,
    pub names: Vec<String>,
    pub defaults: Vec<Expr>,
    pub variadic: Oid,
    /// What OUT parameters make the function return; invalid without any.
    pub required_result: Oid,
}

fn type_of(ctx: &CommandCtx<'_>, t: &TypeName, is_sql: bool) -> Result<Oid> {
    let plain = |e| crate::user_type::without_position(e);
    match with_analyze(ctx, |a| analyze::typename::lookup_type_name(a, t)) {
        Ok(Some((oid, _))) => Ok(oid),
        Ok(None) => {
            bail!(UNDEFINED_OBJECT, "type {} does not exist", analyze::typename::type_name_to_string(t))
        }
        Err(e) if e.report().message.ends_with("is only a shell") => {
            let shown = analyze::typename::type_name_to_string(t);
            if is_sql {
                bail!(INVALID_FUNCTION_DEFINITION, "SQL function cannot accept shell type {shown}");
            }
            crate::analysis::notice_as(
                ctx,
                common::SqlState::WRONG_OBJECT_TYPE,
                format!("argument type {shown} is only a shell"),
            );
            crate::user_type::shell::oid(ctx, t)
        }
        Err(e) => Err(plain(e)),
    }
}

/// Resolves a parameter list.
pub fn resolve(
    ctx: &CommandCtx<'_>,
    list: &[FunctionParameter],
    is_sql: bool,
    kind: ObjectType,
) -> Result<Arguments> {
    let mut a = Arguments::default();
    let (mut outs, mut variadics) = (0, 0);
    let (mut any_name, mut have_defaults) = (false, false);
    let is_procedure = kind == ObjectType::Procedure;
    for (i, p) in list.iter().enumerate() {
        let mode = if p.mode == Mode::Default { Mode::In } else { p.mode };
        let t = type_of(ctx, &p.arg_type, is_sql)?;
        if p.arg_type.setof {
            match kind {
                ObjectType::Aggregate => {
                    bail!(INVALID_FUNCTION_DEFINITION, "aggregates cannot accept set arguments")
                }
                ObjectType::Procedure => {
                    bail!(INVALID_FUNCTION_DEFINITION, "procedures cannot accept set arguments")
                }
                _ => bail!(INVALID_FUNCTION_DEFINITION, "functions cannot accept set arguments"),
            }
        }
        let is_input = !matches!(mode, Mode::Out | Mode::Table);
        if is_input {
            if variadics > 0 {
                bail!(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be the last input parameter");
            }
            a.input.push(t);
        }
        if !matches!(mode, Mode::In | Mode::Variadic) {
            if is_procedure {
                if variadics > 0 {
                    bail!(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be the last parameter");
                }
                // Procedures with output parameters always return rows.
                a.required_result = oids::RECORD;
            } else if outs == 0 {
                a.required_result = t;
            }
            outs += 1;
        }
        if mode == Mode::Variadic {
            a.variadic = match t {
                oids::ANYARRAY => oids::ANYELEMENT,
                oids::ANYCOMPATIBLEARRAY => oids::ANYCOMPATIBLE,
                oids::ANY => oids::ANY,
                t => with_analyze(ctx, |x| x.array_elem(t))?,
            };
            if !a.variadic.is_valid() {
                bail!(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be an array");
            }
            variadics += 1;
        }
        a.all.push(t);
        a.modes.push(match mode {
            Mode::Out => b'o',
            Mode::InOut => b'b',
            Mode::Variadic => b'v',
            Mode::Table => b't',
            _ => b'i',
        });
        if let Some(n) = p.name.as_ref().filter(|n| !n.is_empty()) {
            check_name(&list[..i], mode, n)?;
            any_name = true;
        }
        a.names.push(p.name.clone().unwrap_or_default());
        match &p.defexpr {
            Some(_) if !is_input => {
                bail!(INVALID_FUNCTION_DEFINITION, "only input parameters can have default values")
            }
            Some(raw) => {
                a.defaults.push(default(ctx, raw, t)?);
                have_defaults = true;
            }
            None if is_input && have_defaults => bail!(
                INVALID_FUNCTION_DEFINITION,
                "input parameters after one with a default value must also have defaults"
            ),
            None if have_defaults && is_procedure => bail!(
                INVALID_FUNCTION_DEFINITION,
                "procedure OUT parameters cannot appear after one with a default value"
            ),
            None => {}
        }
    }
    if outs > 1 {
        a.required_result = oids::RECORD;
    }
    if outs == 0 && variadics == 0 {
        a.all.clear();
        a.modes.clear();
    }
    if !any_name {
        a.names.clear();
    }
    if a.input.len() > 100 {
        let what = if is_procedure { "procedures" } else { "functions" };
        return Err(err!(TOO_MANY_ARGUMENTS, "{what} cannot have more than 100 arguments"));
    }
    Ok(a)
}

/// Two input or two output parameters must not have one name.
fn check_name(before: &[FunctionParameter], mode: Mode, name: &str) -> Result<()> {
    let pure_in = |m: Mode| matches!(m, Mode::In | Mode::Default | Mode::Variadic);
    let pure_out = |m: Mode| matches!(m, Mode::Out | Mode::Table);
    for q in before {
        if pure_in(mode) && pure_out(q.mode) || pure_out(mode) && pure_in(q.mode) {
            continue;
        }
        if q.name.as_deref() == Some(name) {
            bail!(INVALID_FUNCTION_DEFINITION, "parameter name \"{name}\" used more than once");
        }
    }
    Ok(())
}

fn default(ctx: &CommandCtx<'_>, raw: &parser::Expr, t: Oid) -> Result<Expr> {
    with_analyze(ctx, |a| analyze::routine::default_value(a, raw, t))
}
