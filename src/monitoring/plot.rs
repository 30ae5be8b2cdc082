//! Small plots as inline SVG. Colours are classes of the page's style sheet, so that they follow light and dark.

const WIDTH: f64 = 220.0;
const HEIGHT: f64 = 44.0;

/// A line over time with the area under it; `top` is the least value that the upper edge stands for.
pub fn line(name: &str, values: &[f64], top: f64) -> String {
    let max = values.iter().copied().fold(top, f64::max).max(f64::MIN_POSITIVE);
    let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
    let y = |v: f64| HEIGHT - 1.0 - v / max * (HEIGHT - 3.0);
    let points: String =
        values.iter().enumerate().map(|(i, v)| format!("{:.1},{:.1} ", i as f64 * step, y(*v))).collect();
    let head = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{name}\">\
         <line class=\"axis\" x1=\"0\" y1=\"{0}\" x2=\"{WIDTH}\" y2=\"{0}\"/>",
        HEIGHT - 0.5
    );
    if values.len() < 2 {
        return head + "</svg>";
    }
    format!(
        "{head}<polygon class=\"area\" points=\"0,{HEIGHT} {points}{WIDTH},{HEIGHT}\"/><polyline class=\"line\" points=\"{}\"/></svg>",
        points.trim_end()
    )
}

/// A bar whose parts are classes with their share of the whole (0 to 1).
pub fn bar(name: &str, parts: &[(&str, f64)]) -> String {
    let mut x = 0.0;
    let mut out = format!(
        "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{name}\">\
         <rect class=\"ground\" width=\"100\" height=\"10\"/>"
    );
    for (class, part) in parts {
        let w = (part.clamp(0.0, 1.0) * 100.0).min(100.0 - x);
        out.push_str(&format!("<rect class=\"{class}\" x=\"{x:.2}\" width=\"{w:.2}\" height=\"10\"/>"));
        x += w;
    }
    out + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_stay_within_their_box() {
        let l = line("x", &[0.0, 5.0, 10.0], 1.0);
        assert!(l.contains("points=\"0.0,43.0 110.0,22.5 220.0,2.0\""), "{l}");
        assert!(!line("x", &[], 0.0).contains("polyline"));
        let b = bar("x", &[("used", 0.8), ("dirty", 0.5)]);
        assert!(b.contains("x=\"80.00\" width=\"20.00\""), "{b}");
    }
}
