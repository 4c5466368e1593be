//! A pattern, and on the next line a name: the answer of a table that looks at every way to divide the name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert_autodiff::NamePattern;

fuzz_target!(|text: &str| {
    let (pattern, name) = text.split_once('\n').unwrap_or((text, text));
    let parsed = parts(pattern);
    let Ok(read) = NamePattern::new(pattern) else {
        assert!(parsed.is_none(), "`{pattern}` is refused");
        return;
    };
    assert_eq!(read.as_str(), pattern);
    let parsed = parsed.unwrap_or_else(|| panic!("`{pattern}` is accepted"));
    assert_eq!(read.matches(name), matches(&parsed, name), "`{pattern}` on `{name}`");
});

/// `None` for the star; otherwise the characters, and whether it is any but these.
type Part = Option<(Vec<(char, char)>, bool)>;

fn parts(pattern: &str) -> Option<Vec<Part>> {
    let (text, mut at, mut parts) = (pattern.chars().collect::<Vec<_>>(), 0, Vec::new());
    while let Some(&c) = text.get(at) {
        at += 1;
        parts.push(match c {
            '*' => None,
            '?' => Some((Vec::new(), true)),
            '[' => {
                let negated = text.get(at) == Some(&'!');
                at += usize::from(negated);
                let length = text.get(at..)?.iter().skip(1).position(|&c| c == ']')? + 1;
                let part = (ranges(&text[at..at + length]), negated);
                at += length + 1;
                Some(part)
            }
            _ => Some((vec![(c, c)], false)),
        });
    }
    Some(parts)
}

fn ranges(inside: &[char]) -> Vec<(char, char)> {
    match *inside {
        [] => Vec::new(),
        [low, '-', high, ref rest @ ..] => [vec![(low, high)], ranges(rest)].concat(),
        [one, ref rest @ ..] => [vec![(one, one)], ranges(rest)].concat(),
    }
}

fn matches(parts: &[Part], name: &str) -> bool {
    let name: Vec<_> = name.chars().collect();
    // Whether what was seen of the pattern matches the first `i` characters.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for part in parts {
        let before = reached.clone();
        match part {
            None => (1..=name.len()).for_each(|i| reached[i] = reached[i - 1] || before[i]),
            Some((ranges, negated)) => {
                let fits = |c| ranges.iter().any(|&(low, high)| low <= c && c <= high) != *negated;
                (1..=name.len()).for_each(|i| reached[i] = before[i - 1] && fits(name[i - 1]));
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}
