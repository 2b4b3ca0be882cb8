//! Text of strangers, such as keys of objects and answers of servers, on its way into a log or a report.

use std::error::Error;

/// The beginning of a strange text tells enough.
pub const MAX_DETAIL_CHARS: usize = 300;

/// The text with everything escaped that could steer a terminal.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    shown
}

/// The beginning of a text, at most `max` characters and a mark when there is more.
pub fn beginning(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An error and what caused it, outermost first.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e| (**e).source())
}

/// The beginning of the innermost cause: the outer layers repeat each other, and a server's error page can be long.
pub fn cause(error: &(dyn Error + 'static)) -> String {
    beginning(&causes(error).last().map(ToString::to_string).unwrap_or_default(), MAX_DETAIL_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_the_rest_stays() {
        assert_eq!(escaped("naïve \u{1b}[2J \"x\"\n"), "naïve \\u{1b}[2J \"x\"\\n");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(beginning("äöü", 3), "äöü");
        assert_eq!(beginning("äöü", 2), "äö…");
    }
}
