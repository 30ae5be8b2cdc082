//! What a crash leaves that only the directory tells: files of temporary relations, and the contents of unlogged ones. Called by
//! recovery, before anyone connects.

use crate::datadir;
use crate::{Fork, Store};
use common::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The number in `N`, `N_fork`, `N.seg`, `N_fork.seg`.
fn number(name: &str) -> Option<(&str, &str)> {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    (end > 0).then(|| name.split_at(end))
}

/// `tBACKEND_N…`, a file of a temporary relation.
fn is_temporary(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('t') else { return false };
    let Some((_, rest)) = number(rest) else { return false };
    rest.strip_prefix('_').and_then(number).is_some()
}

fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let all = match std::fs::read_dir(dir) {
        Ok(all) => all,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::os(format!("could not open directory \"{}\"", dir.display()), &e)),
    };
    Ok(all.flatten().map(|e| (e.file_name().to_string_lossy().into_owned(), e.path())).collect())
}

impl Store {
    fn database_directories(&self) -> Result<Vec<PathBuf>> {
        let root = &self.config().data_dir;
        let mut dirs: Vec<PathBuf> = entries(&root.join("base"))?.into_iter().map(|(_, p)| p).collect();
        for (_, space) in entries(&root.join("pg_tblspc"))? {
            for (_, version) in entries(&space)?.into_iter().filter(|(n, _)| n.starts_with("PG_")) {
                dirs.extend(entries(&version)?.into_iter().map(|(_, p)| p));
            }
        }
        dirs.retain(|d| d.is_dir());
        Ok(dirs)
    }
    /// Removes the files of temporary relations: nobody is left whose they could be.
    pub fn remove_temp_relations(&self) -> Result<()> {
        for dir in self.database_directories()? {
            for (name, path) in entries(&dir)? {
                if is_temporary(&name) {
                    datadir::unlink(&path)?;
                }
            }
        }
        Ok(())
    }
    /// After a crash: the main fork of every unlogged relation becomes its init fork.
    pub fn reset_unlogged_relations(&self) -> Result<()> {
        self.flush_init_forks()?;
        for dir in self.database_directories()? {
            self.reset_in(&dir)?;
        }
        Ok(())
    }
    fn reset_in(&self, dir: &Path) -> Result<()> {
        let all = entries(dir)?;
        let unlogged: HashSet<&str> = all
            .iter()
            .filter_map(|(n, _)| n.strip_suffix(Fork::Init.suffix()))
            .filter(|n| number(n).is_some_and(|(_, rest)| rest.is_empty()))
            .collect();
        if unlogged.is_empty() {
            return Ok(());
        }
        for (name, path) in &all {
            if let Some((n, rest)) = number(name)
                && unlogged.contains(n)
                && !rest.starts_with(Fork::Init.suffix())
            {
                datadir::unlink(path)?;
            }
        }
        for n in unlogged {
            let (from, to) = (dir.join(format!("{n}{}", Fork::Init.suffix())), dir.join(n));
            std::fs::copy(&from, &to).map_err(|e| {
                Error::os(format!("could not copy file \"{}\" to \"{}\"", from.display(), to.display()), &e)
            })?;
            datadir::sync_path(&to)?;
        }
        self.files().close_all();
        datadir::sync_dir(dir)
    }
}

#[cfg(test)]
mod tests {
    use super::is_temporary;

    #[test]
    fn names_of_temporary_files() {
        assert!(is_temporary("t3_16384") && is_temporary("t12_99_fsm") && is_temporary("t1_2.1"));
        assert!(
            !is_temporary("16384")
                && !is_temporary("t_1")
                && !is_temporary("t3")
                && !is_temporary("pg_filenode")
        );
    }
}
