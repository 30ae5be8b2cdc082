//! What the configuration files do to the values: at start, and when they are read again while sessions run.

use super::def::{Context, Definitions};
use super::value::{Settings, Source, Value, boot_value, parse};
use crate::{Result, err};

/// Whether a file's value took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The value in force has changed.
    Changed,
    /// It is in force already, or a higher source has spoken.
    Unchanged,
}

/// One assignment out of a file.
pub struct FileChange<'a> {
    pub name: &'a str,
    pub value: &'a str,
    pub file: &'a str,
    pub line: usize,
}

impl Settings {
    /// When the files were read last, in microseconds since 2000.
    pub fn loaded_at(&self) -> i64 {
        self.loaded_at
    }
    /// The files have been read.
    pub fn set_loaded_at(&mut self, at: i64) {
        self.loaded_at = at;
    }
    /// Does a file hold another value that waits for a restart?
    pub fn pending_restart(&self, name: &str) -> bool {
        self.slot(name).is_some_and(|s| s.pending_restart)
    }
    /// Settings whose reset value came out of a file.
    pub fn from_file(&self) -> Vec<&'static str> {
        let defs: &'static Definitions = self.defs();
        (0..defs.all().len())
            .filter(|i| self.slots[*i].reset_source == Source::File)
            .map(|i| defs.get(i).name)
            .collect()
    }

    /// Takes a value from a file. While the server runs (`started`), one that only a restart could change is refused
    /// with 55P02 and marked as pending. `for_new_sessions`:
    /// these values are for sessions to come, so settings fixed at connection start may change.
    pub fn set_from_file(
        &mut self,
        c: &FileChange<'_>,
        started: bool,
        for_new_sessions: bool,
    ) -> Result<Applied> {
        let at = Some((c.file.to_string(), c.line));
        let Some(i) = self.defs().find(c.name) else {
            self.set_from(c.name, c.value, Source::File, at)?;
            return Ok(Applied::Changed);
        };
        let d = self.defs().get(i);
        if !d.allowed_in_file() {
            return Err(err!(CANT_CHANGE_RUNTIME_PARAM, "parameter \"{}\" cannot be changed", d.name));
        }
        let v = parse(d, c.value)?;
        if started && d.context == Context::Postmaster {
            if v != self.slots[i].value {
                self.slots[i].pending_restart = true;
                return Err(needs_restart(d.name));
            }
            self.slots[i].pending_restart = false;
            return Ok(Applied::Unchanged);
        }
        if started && !for_new_sessions && matches!(d.context, Context::Backend | Context::SuperuserBackend) {
            return Ok(Applied::Unchanged);
        }
        let before = self.slots[i].value.clone();
        self.put_initial(i, v, Source::File, at);
        Ok(if before == self.slots[i].value { Applied::Unchanged } else { Applied::Changed })
    }

    /// The files no longer name a setting that they had set: back to the default, or pending where only a restart could
    /// do that (55P02).
    pub fn remove_from_file(&mut self, name: &str, default: Option<Value>) -> Result<Applied> {
        let Some(i) = self.defs().find(name) else { return Ok(Applied::Unchanged) };
        let d = self.defs().get(i);
        let value = default.unwrap_or_else(|| boot_value(d));
        let s = &mut self.slots[i];
        if d.context <= Context::Postmaster {
            if s.value == value {
                return Ok(Applied::Unchanged);
            }
            s.pending_restart = true;
            return Err(needs_restart(d.name));
        }
        let mut changed = Applied::Unchanged;
        if s.reset_source == Source::File {
            s.reset = value.clone();
            s.reset_source = Source::Default;
        }
        if s.source == Source::File {
            if s.value != value {
                changed = Applied::Changed;
            }
            s.value = value;
            s.source = Source::Default;
            s.file = None;
            self.bump();
        }
        Ok(changed)
    }
}

fn needs_restart(name: &str) -> crate::Error {
    err!(CANT_CHANGE_RUNTIME_PARAM, "parameter \"{name}\" cannot be changed without restarting the server")
}
