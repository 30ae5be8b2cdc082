//! Settings (PostgreSQL's "GUC" variables): definitions, values, and what SET, SET LOCAL, RESET and the end of a
//! transaction do to them. The definitions are read once by the postmaster before it forks; each session holds its values.

mod def;
mod define;
mod file;
mod reload;
mod units;
mod value;

pub use def::{Context, Definitions, Kind, SettingDef};
pub use define::CustomSetting;
pub use file::{FileContents, FileEntry, parse_file, quote_value};
pub use reload::{Applied, FileChange};
pub use units::{parse_int, show_int, show_real};
pub use value::{Scope, Settings, Source, Value};
