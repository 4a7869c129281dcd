//! What a field may hold, by one rule on both sides: what a device keeps, the server does not refuse for its letters.

use crate::limits;

/// A text of `least` to `most` characters, not counting white space around it, without any control character but a
/// line break or a tab.
#[must_use]
pub fn is_text(value: &str, least: usize, most: usize) -> bool {
    let value = value.trim();
    let length = value.chars().count();
    // PostgreSQL cannot store NUL, and no field needs another control character than a line break.
    let control = value.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t');
    (least..=most).contains(&length) && !control
}

/// One line of 1 to [`limits::LINE_CHARS`] characters.
#[must_use]
pub fn is_line(value: &str) -> bool {
    is_text(value, 1, limits::LINE_CHARS) && !value.trim().contains('\n')
}

/// One line, or nothing but white space.
#[must_use]
pub fn is_line_or_empty(value: &str) -> bool {
    value.trim().is_empty() || is_line(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_does_not_count_and_control_characters_are_none() {
        assert!(is_text(" a\nb\tc\r\n", 1, 5) && !is_text(" a\nb\tc ", 1, 4));
        for bad in ["a\u{0}", "a\u{b}b", "a\u{7f}", "a\u{85}b"] {
            assert!(!is_text(bad, 0, 10), "{bad:?}");
        }
        assert!(is_line(&format!(" {}\n", "あ".repeat(200))) && !is_line(&"あ".repeat(201)));
        assert!(!is_line("a\nb") && !is_line(" ") && is_line_or_empty(" \n"));
    }
}
