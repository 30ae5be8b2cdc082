//! Who may come in: the rules of `pg_hba.conf`, the maps of `pg_ident.conf`, and TLS, read at start and at each reload. A
//! faulty file leaves what was read before in force.

use common::settings::Settings;
use common::{Error, Result, err};
use protocol::hba::{self, LineError, Mapping, Rule};
use protocol::tls::{TlsConfig, TlsFiles};
use std::path::Path;
use std::rc::Rc;

/// All of it.
pub struct Access {
    pub rules: Vec<Rule>,
    pub maps: Vec<Mapping>,
    /// `None`: `ssl` is off, or its files could not be read.
    pub tls: Option<Rc<TlsConfig>>,
}

/// A text file and where its `@files` are.
fn read(file: &str) -> std::result::Result<String, String> {
    std::fs::read(file).map(|b| String::from_utf8_lossy(&b).into_owned()).map_err(|e| {
        format!("could not open configuration file \"{file}\": {}", common::error::os_message(&e))
    })
}

fn parent(file: &str) -> &Path {
    Path::new(file).parent().unwrap_or(Path::new("/"))
}

fn tell(file: &str, errors: &[LineError]) {
    for e in errors {
        let place = format!("line {} of configuration file \"{file}\"", e.line);
        crate::log::line_context(&e.message, e.hint, &place);
    }
}

fn load_rules(s: &Settings) -> Option<Vec<Rule>> {
    let file = s.text("hba_file");
    let text = read(file).inspect_err(|e| crate::log::line("LOG", e)).ok()?;
    let (rules, errors) = hba::parse(&text, parent(file), s.bool("ssl"));
    tell(file, &errors);
    if errors.is_empty() && rules.is_empty() {
        crate::log::line("LOG", &format!("configuration file \"{file}\" contains no entries"));
        return None;
    }
    errors.is_empty().then_some(rules)
}

fn load_maps(s: &Settings) -> Option<Vec<Mapping>> {
    let file = s.text("ident_file");
    let text = read(file).inspect_err(|e| crate::log::line("LOG", e)).ok()?;
    let (maps, errors) = hba::parse_ident(&text, parent(file));
    tell(file, &errors);
    errors.is_empty().then_some(maps)
}

fn load_tls(s: &Settings) -> Result<Option<Rc<TlsConfig>>> {
    if !s.bool("ssl") {
        return Ok(None);
    }
    if !s.text("ssl_passphrase_command").is_empty() {
        return Err(Error::unsupported("ssl_passphrase_command").fatal());
    }
    let text = |n: &str| s.text(n).to_string();
    let files = TlsFiles {
        cert: text("ssl_cert_file"),
        key: text("ssl_key_file"),
        ca: text("ssl_ca_file"),
        crl: text("ssl_crl_file"),
        crl_dir: text("ssl_crl_dir"),
        ciphers: text("ssl_ciphers"),
        curve: text("ssl_ecdh_curve"),
        prefer_server_ciphers: s.bool("ssl_prefer_server_ciphers"),
        min_version: text("ssl_min_protocol_version"),
        max_version: text("ssl_max_protocol_version"),
    };
    Ok(Some(Rc::new(TlsConfig::load(&files)?)))
}

impl Access {
    /// At start; a fault in the rules or in TLS is the end of it, one in the maps is not.
    pub fn load(s: &Settings) -> Result<Access> {
        let tls = load_tls(s)?;
        let rules = load_rules(s)
            .ok_or_else(|| err!(CONFIG_FILE_ERROR, "could not load {}", s.text("hba_file")).fatal())?;
        Ok(Access { rules, maps: load_maps(s).unwrap_or_default(), tls })
    }

    /// At a reload.
    pub fn reload(&mut self, s: &Settings) {
        match load_rules(s) {
            Some(r) => self.rules = r,
            None => crate::log::line("LOG", "pg_hba.conf was not reloaded"),
        }
        match load_maps(s) {
            Some(m) => self.maps = m,
            None => crate::log::line("LOG", "pg_ident.conf was not reloaded"),
        }
        match load_tls(s) {
            Ok(t) => self.tls = t,
            Err(e) => {
                let r = e.report();
                crate::log::line_detail(&r.message, r.detail.as_deref().unwrap_or(""));
                crate::log::line("LOG", "SSL configuration was not reloaded");
            }
        }
    }
}
