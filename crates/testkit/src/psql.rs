//! The real `psql`, run against a cluster.

use crate::Cluster;
use std::io::Result;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run printed.
#[derive(Clone, Debug)]
pub struct Output {
    pub success: bool,
    /// Standard output and error, in order, as a terminal would show them.
    pub text: String,
}

impl Cluster {
    /// A `psql` command for a database, without the user's start-up file.
    pub fn psql_command(&self, database: &str) -> Command {
        let mut c = Command::new("psql");
        c.args(["-X", "-q", "-h"]).arg(&self.dir).arg("-p").arg(self.port.to_string());
        c.args(["-U", "postgres", "-d", database]).env("PGCLIENTENCODING", "UTF8").stdin(Stdio::null());
        c
    }
    /// Runs statements in database `postgres`; unaligned, without headers.
    pub fn psql(&self, sql: &str) -> Result<Output> {
        let out = self.psql_command("postgres").args(["-At", "-c", sql]).output()?;
        let mut text = String::from_utf8_lossy(&out.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&out.stderr));
        Ok(Output { success: out.status.success(), text })
    }
    /// Runs a script in a fresh database and returns everything printed, the statements echoed.
    pub fn run_script(&self, script: &Path, database: &str) -> Result<Output> {
        let made = self.psql(&format!("create database {database}"))?;
        if !made.success {
            return Ok(made);
        }
        let shell = format!(
            "exec psql -X -q -a -h '{}' -p {} -U postgres -d {database} -f '{}' 2>&1",
            self.dir.display(),
            self.port,
            script.display()
        );
        let out = Command::new("sh").arg("-c").arg(shell).env("PGCLIENTENCODING", "UTF8").output()?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        // psql names the script in messages; its directory differs from machine to machine.
        let prefix = format!("psql:{}:", script.display());
        let name = script.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let text = text.replace(&prefix, &format!("psql:{name}:"));
        let _ = self.psql(&format!("drop database {database}"))?;
        Ok(Output { success: out.status.success(), text })
    }
}
