//! `pg_ident.conf`: maps from users of the operating system (or of certificates) to database users.

use super::LineError;
use super::line::{Line, fault, lines};
use std::path::Path;

/// One line.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub line: usize,
    pub map: String,
    /// A name, or with a leading slash a regular expression.
    pub system_user: String,
    pub database_user: String,
    pattern: Option<regex::Regex>,
}

/// Reads the file; a file with a fault is not used.
pub fn parse_ident(text: &str, dir: &Path) -> (Vec<Mapping>, Vec<LineError>) {
    let (mut maps, mut errors) = (Vec::new(), Vec::new());
    for l in lines(text, dir) {
        match mapping(&l) {
            Ok(m) => maps.push(m),
            Err(e) => errors.push(LineError { line: l.number, ..e }),
        }
    }
    (maps, errors)
}

fn mapping(l: &Line) -> Result<Mapping, LineError> {
    if let Some(e) = &l.error {
        return Err(fault(e.clone()));
    }
    let word = |i: usize| match l.fields.get(i).map(Vec::as_slice) {
        Some([w]) => Ok(w.text.clone()),
        Some(_) => Err(fault("multiple values in ident field")),
        None => Err(fault("missing entry at end of line")),
    };
    let (map, system_user, database_user) = (word(0)?, word(1)?, word(2)?);
    let pattern = match system_user.strip_prefix('/') {
        None => None,
        Some(p) => Some(regex::Regex::new(p).map_err(|e| {
            let why = e.to_string();
            let why = if why.contains("unclosed group") || why.contains("unopened group") {
                "parentheses () not balanced".to_string()
            } else {
                why.lines().last().unwrap_or("").trim_start_matches("error: ").to_string()
            };
            fault(format!("invalid regular expression \"{p}\": {why}"))
        })?),
    };
    Ok(Mapping { line: l.number, map, system_user, database_user, pattern })
}

/// May this system user be that database user? Without a map the names must be equal. The error is a line for the log.
pub fn check_map(maps: &[Mapping], map: Option<&str>, user: &str, system_user: &str) -> Result<(), String> {
    let Some(name) = map.filter(|m| !m.is_empty()) else {
        return if user == system_user {
            Ok(())
        } else {
            Err(format!(
                "provided user name ({user}) and authenticated user name ({system_user}) do not match"
            ))
        };
    };
    if maps.iter().filter(|m| m.map == name).any(|m| m.fits(user, system_user)) {
        return Ok(());
    }
    Err(format!("no match in usermap \"{name}\" for user \"{user}\" authenticated as \"{system_user}\""))
}

impl Mapping {
    fn fits(&self, user: &str, system_user: &str) -> bool {
        let Some(p) = &self.pattern else {
            return self.system_user == system_user && self.database_user == user;
        };
        let Some(found) = p.captures(system_user) else { return false };
        let part = found.get(1).map_or("", |g| g.as_str());
        self.database_user.replacen("\\1", part, 1) == user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        let text = "m joe jack\nm /^(.*)@example\\.com$ \\1\nn /^x$ y\n";
        let (maps, errors) = parse_ident(text, Path::new("/"));
        assert!(errors.is_empty());
        let ok = |m, u, s| check_map(&maps, m, u, s).is_ok();
        assert!(ok(None, "a", "a") && !ok(None, "a", "b"));
        assert!(ok(Some("m"), "jack", "joe") && !ok(Some("m"), "joe", "joe"));
        assert!(ok(Some("m"), "ann", "ann@example.com") && !ok(Some("m"), "ann", "bob@example.com"));
        assert!(ok(Some("n"), "y", "x") && !ok(Some("o"), "y", "x"));
        let (_, errors) = parse_ident("m\nm,n a b\nm /(a b\n", Path::new("/"));
        let got: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
        assert_eq!(
            got,
            vec![
                "missing entry at end of line",
                "multiple values in ident field",
                "invalid regular expression \"(a\": parentheses () not balanced"
            ]
        );
    }
}
