//! A tree of named values, and how JSON, YAML and XML write it.

/// A value of the structured formats.
#[derive(Clone, Debug)]
pub enum Val {
    Str(String),
    /// Written as is.
    Num(String),
    Bool(bool),
    List(Vec<String>),
    Lists(Vec<Vec<String>>),
    Objs(Vec<Vec<(String, Val)>>),
    Obj(Vec<(String, Val)>),
}

fn quote(s: &str, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 32 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn pad(n: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', n * 2));
}

/// An object in PostgreSQL's JSON layout.
pub fn json_object(props: &[(String, Val)], level: usize, out: &mut String) {
    out.push_str("{\n");
    for (i, (k, v)) in props.iter().enumerate() {
        if i > 0 {
            out.push_str(",\n");
        }
        pad(level + 1, out);
        quote(k, out);
        out.push_str(": ");
        json_value(v, level + 1, out);
    }
    out.push('\n');
    pad(level, out);
    out.push('}');
}

fn json_value(v: &Val, level: usize, out: &mut String) {
    match v {
        Val::Str(s) => quote(s, out),
        Val::Num(n) => out.push_str(n),
        Val::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Val::List(l) => {
            out.push('[');
            for (i, s) in l.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                quote(s, out);
            }
            out.push(']');
        }
        Val::Lists(l) => {
            out.push('[');
            for (i, s) in l.iter().enumerate() {
                out.push_str(if i > 0 { ",\n" } else { "\n" });
                pad(level + 1, out);
                json_value(&Val::List(s.clone()), level + 1, out);
            }
            out.push('\n');
            pad(level, out);
            out.push(']');
        }
        Val::Obj(o) => json_object(o, level, out),
        Val::Objs(l) => {
            out.push('[');
            for (i, o) in l.iter().enumerate() {
                out.push_str(if i > 0 { ",\n" } else { "\n" });
                pad(level + 1, out);
                json_object(o, level + 1, out);
            }
            out.push('\n');
            pad(level, out);
            out.push(']');
        }
    }
}

/// An object as YAML lines; the first key may stand after a dash.
pub fn yaml_object(props: &[(String, Val)], level: usize, dash: bool, out: &mut String) {
    for (i, (k, v)) in props.iter().enumerate() {
        if !(i == 0 && dash) {
            out.push('\n');
            pad(level, out);
        }
        out.push_str(k);
        out.push_str(": ");
        match v {
            Val::Str(s) => quote(s, out),
            Val::Num(n) => out.push_str(n),
            Val::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Val::List(l) => {
                for s in l {
                    out.push('\n');
                    pad(level + 1, out);
                    out.push_str("- ");
                    quote(s, out);
                }
            }
            Val::Lists(l) => {
                for s in l {
                    out.push('\n');
                    pad(level + 1, out);
                    out.push_str("- ");
                    for (i, x) in s.iter().enumerate() {
                        out.push_str(if i > 0 { ", " } else { "" });
                        quote(x, out);
                    }
                }
            }
            Val::Obj(o) => yaml_object(o, level + 1, false, out),
            Val::Objs(l) => {
                for o in l {
                    out.push('\n');
                    pad(level + 1, out);
                    out.push_str("- ");
                    yaml_object(o, level + 2, true, out);
                }
            }
        }
    }
}

fn xml_text(s: &str, out: &mut String) {
    for c in s.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#x0d;"),
            c => out.push(c),
        }
    }
}

/// An object's members as XML elements.
pub fn xml_members(props: &[(String, Val)], level: usize, out: &mut String) {
    for (k, v) in props {
        let tag: String = k.chars().map(|c| if c == ' ' || c == '/' { '-' } else { c }).collect();
        pad(level, out);
        match v {
            Val::Str(s) => {
                out.push_str(&format!("<{tag}>"));
                xml_text(s, out);
                out.push_str(&format!("</{tag}>\n"));
            }
            Val::Num(s) => out.push_str(&format!("<{tag}>{s}</{tag}>\n")),
            Val::Bool(b) => out.push_str(&format!("<{tag}>{b}</{tag}>\n")),
            Val::List(l) => {
                out.push_str(&format!("<{tag}>\n"));
                for s in l {
                    pad(level + 1, out);
                    out.push_str("<Item>");
                    xml_text(s, out);
                    out.push_str("</Item>\n");
                }
                pad(level, out);
                out.push_str(&format!("</{tag}>\n"));
            }
            Val::Lists(l) => {
                out.push_str(&format!("<{tag}>\n"));
                for s in l {
                    pad(level + 1, out);
                    out.push_str("<Item>\n");
                    for x in s {
                        pad(level + 2, out);
                        out.push_str("<Item>");
                        xml_text(x, out);
                        out.push_str("</Item>\n");
                    }
                    pad(level + 1, out);
                    out.push_str("</Item>\n");
                }
                pad(level, out);
                out.push_str(&format!("</{tag}>\n"));
            }
            Val::Obj(o) => {
                out.push_str(&format!("<{tag}>\n"));
                xml_members(o, level + 1, out);
                pad(level, out);
                out.push_str(&format!("</{tag}>\n"));
            }
            Val::Objs(l) => {
                let item = tag.strip_suffix('s').unwrap_or(&tag).to_string();
                out.push_str(&format!("<{tag}>\n"));
                for o in l {
                    pad(level + 1, out);
                    out.push_str(&format!("<{item}>\n"));
                    xml_members(o, level + 2, out);
                    pad(level + 1, out);
                    out.push_str(&format!("</{item}>\n"));
                }
                pad(level, out);
                out.push_str(&format!("</{tag}>\n"));
            }
        }
    }
}
