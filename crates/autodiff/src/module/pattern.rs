use std::ops::RangeInclusive;
use std::str::Chars;

/// A pattern on dotted names, as shells have them: `*` stands for any characters, dots too, `?` for any one, `[abc0-9]`
/// for one of these, and `[!abc]` for one that is none of these. All other characters stand for themselves.
///
/// ```
/// # use wengert_autodiff::NamePattern;
/// let biases = NamePattern::new("*.bias").unwrap();
/// assert!(biases.matches("hidden.0.bias") && !biases.matches("hidden.0.weight"));
/// ```
#[derive(Clone, Debug)]
pub struct NamePattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Any,
    One { ranges: Vec<RangeInclusive<char>>, negated: bool },
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A `[` without its `]`.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let (mut parts, mut rest) = (Vec::new(), text.chars());
        while let Some(first) = rest.next() {
            parts.push(match first {
                '*' => Part::Any,
                '?' => Part::One { ranges: Vec::new(), negated: true },
                '[' => bracket(&mut rest).ok_or("`[` without `]`")?,
                _ => Part::One { ranges: vec![first..=first], negated: false },
            });
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a pattern of this whole name.
    pub fn matches(&self, name: &str) -> bool {
        let (mut parts, mut rest) = (&self.parts[..], name.chars());
        let mut last_star = None;
        loop {
            let mut after = rest.clone();
            match (parts, after.next()) {
                ([], None) => return true,
                ([Part::Any, others @ ..], _) => {
                    parts = others;
                    last_star = Some((others, rest.clone()));
                }
                ([Part::One { ranges, negated }, others @ ..], Some(c))
                    if ranges.iter().any(|range| range.contains(&c)) != *negated =>
                {
                    (parts, rest) = (others, after);
                }
                // What comes after the star does not match here: the star takes one character more. The stars before it
                // need not, because this one can take whatever they leave.
                _ => {
                    let Some((others, from)) = &mut last_star else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    (parts, rest) = (*others, from.clone());
                }
            }
        }
    }
}

/// What follows a `[`, up to its `]`; one that comes first is among the characters.
fn bracket(rest: &mut Chars<'_>) -> Option<Part> {
    let text = rest.as_str();
    let (negated, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
    let (end, _) = text.char_indices().skip(1).find(|&(_, c)| c == ']')?;
    *rest = text[end + 1..].chars();
    let (mut ranges, mut inside) = (Vec::new(), text[..end].chars());
    while let Some(low) = inside.next() {
        let mut ahead = inside.clone();
        ranges.push(match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) => {
                inside = ahead;
                low..=high
            }
            _ => low..=low,
        });
    }
    Some(Part::One { ranges, negated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_what_they_mean_in_a_shell() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "hidden.weight", true),
            ("hidden.*", "hidden.weight", true),
            ("hidden.*", "hidden", false),
            ("*.bias", "a.b.bias", true),
            ("*.bias", "bias", false),
            ("*.bias", "a.bias.v", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*ab", "aaab", true),
            ("a*aa", "aa", false),
            ("**", "any", true),
            ("?", "é", true),
            ("?", "", false),
            ("a?c", "abbc", false),
            ("[0-9]*", "7.weight", true),
            ("[0-9]*", "x.weight", false),
            ("layer[0-24]", "layer4", true),
            ("layer[0-24]", "layer3", false),
            ("[!0-9]", "a", true),
            ("[!0-9]", "0", false),
            ("[]-]", "]", true),
            ("[]-]", "-", true),
            ("[!]]", "]", false),
            ("[*]", "*", true),
            ("[*]", "a", false),
            ("]", "]", true),
            ("a-c", "b", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(NamePattern::new(pattern).unwrap().matches(name), expected, "`{pattern}` on `{name}`");
        }
    }

    #[test]
    fn an_open_bracket_is_not_a_pattern() {
        for pattern in ["[", "a[", "[]", "[!]", "[a", "[[!"] {
            assert!(NamePattern::new(pattern).is_err(), "{pattern}");
        }
    }

    /// Were each star to try every place, this would take longer than the test may.
    #[test]
    fn many_stars_take_no_longer() {
        let pattern = NamePattern::new(&"*a".repeat(40)).unwrap();
        assert!(!pattern.matches(&format!("{}b", "a".repeat(100))));
    }
}
