//! Patterns of `like_regex`: XQuery's flags in terms of ours.

use crate::regexp::{Flags, Flavour, Regex};
use common::{Result, err};

/// Compiles a pattern. 2201B, 0A000.
pub fn compile(pattern: &str, flags: &str) -> Result<Regex> {
    if flags.contains('x') && !flags.contains('q') {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "XQuery \"x\" flag (expanded regular expressions) is not implemented"
        ));
    }
    let f = Flags {
        fold_case: flags.contains('i'),
        newline_stops: !flags.contains('q') && !flags.contains('s'),
        newline_anchors: !flags.contains('q') && flags.contains('m'),
        flavour: if flags.contains('q') { Flavour::Literal } else { Flavour::Advanced },
        ..Flags::default()
    };
    Regex::new(pattern, f)
}
