use std::borrow::Cow;
use std::fmt::Write;

/// The text for a terminal: whatever could steer it, or show the text in another order than it has, is written as in
/// JSON, `\u001b` for an escape. That is control characters, line ends among them, marks of direction, and what has no
/// shape of its own.
///
/// What is said about a file, its name included, was chosen by whoever made it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::new();
    for c in text.chars() {
        if is_harmless(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a string takes everything");
        }
    }
    Cow::Owned(escaped)
}

/// The standard library knows what can be seen; it escapes the quotes and the backslash too, for other reasons.
fn is_harmless(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_stays_and_the_rest_is_escaped_as_in_json() {
        for text in ["", "0.weight", "\"a\\b'c\"", "größer 重み ∂ 🦀"] {
            assert!(matches!(harmless(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        let hostile = [
            ("\u{1b}[31m", r"\u001b[31m"), // what terminals obey
            ("\u{9b}31m", r"\u009b31m"),   // the same as one C1 control
            ("a\nb\r\tc\0\u{7f}", r"a\u000ab\u000d\u0009c\u0000\u007f"),
            ("\u{202e}\u{2066}\u{200f}\u{61c}", r"\u202e\u2066\u200f\u061c"), // marks of direction
            ("\u{200b}\u{2028}\u{feff}\u{ad}", r"\u200b\u2028\ufeff\u00ad"),  // unseen
            ("\u{e0041}", r"\udb40\udc41"),                                   // a tag, as two units of UTF-16
        ];
        for (text, escaped) in hostile {
            assert_eq!(harmless(text), escaped);
        }
    }
}
